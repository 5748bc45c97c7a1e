"""What a notebook opens first: the study with its settings, its data, and a place for everything it shows."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import Markdown, display
from matplotlib.figure import Figure

from fer_lib.data.sources import load_dataset
from fer_lib.data.table import load_table, save_table, usable
from fer_lib.emotions import in_order
from fer_lib.errors import StudyError
from fer_lib.files import ROOT, atomic_write, notebooks, write_json
from fer_lib.machine import environment
from fer_lib.profiles import Profile, get_profile, parse_seed
from fer_lib.runs import Run, RunStore
from fer_lib.show.plots import use_style, wrap_titles


@dataclass
class Study:
    """One notebook's view of the study; what it shows and records is kept for the report.

    Attributes
    ----------
    notebook : name of the notebook, such as 03_svm_pca_baseline
    folder : `runs/<dataset>-<profile>`, where everything of this run of the study lies
    store : the run store, shared by all data sets and profiles
    """

    notebook: str
    dataset: str
    profile: Profile
    data_root: str
    seed: int
    folder: Path
    store: RunStore
    page: list[dict] = field(default_factory=list)
    results: list[pd.DataFrame] = field(default_factory=list)

    @property
    def cache(self) -> Path:
        """Where tables are kept that were read or drawn once."""
        return self.folder.parent / "cache"

    def source_table(self) -> pd.DataFrame:
        """The data set's table, read from its own files or from the cache."""
        return load_dataset(self.dataset, self.data_root, self.cache, self.seed, self.profile.synthetic_pictures)

    def save_table(self, table: pd.DataFrame) -> None:
        """Keep the prepared table for the notebooks that follow."""
        save_table(table, self.folder / "table.parquet")

    def table(self) -> pd.DataFrame:
        """The prepared table of notebook 01."""
        return load_table(self.folder / "table.parquet")

    def classes(self, table: pd.DataFrame) -> list[str]:
        """The emotions that usable rows of the table show, in the study's order."""
        return in_order(usable(table)["label"])

    def rows(self) -> pd.DataFrame:
        """All result rows that this notebook has recorded so far."""
        return pd.concat(self.results, ignore_index=True)

    def say(self, sentence: str) -> None:
        """Show a sentence about results, built from measured values, and keep it for the report."""
        display(Markdown(sentence))
        self.keep({"kind": "finding", "text": sentence})

    def show_figure(self, figure: Figure, name: str, caption: str, people: bool = False) -> None:
        """Show a figure and keep it for the report.

        Parameters
        ----------
        name : stem of the file; the notebook's number is put before it
        people : single people can be recognised in it; then it goes into the report of drawn people only
        """
        name = f"{self.notebook[:2]}_{name}"
        wrap_titles(figure)
        with atomic_write(self.folder / "figures" / f"{name}.png") as temporary:
            figure.savefig(temporary, dpi=110, bbox_inches="tight", metadata={"Software": None})
        display(figure)
        plt.close(figure)
        self.keep(
            {
                "kind": "figure",
                "name": name,
                "text": caption,
                "public": self.dataset == "synthetic" or not people,
            }
        )

    def show_table(self, frame: pd.DataFrame, name: str, caption: str) -> None:
        """Show a table under its caption and keep it for the report; the index is its first column."""
        name = f"{self.notebook[:2]}_{name}"
        with atomic_write(self.folder / "tables" / f"{name}.csv") as temporary:
            frame.to_csv(temporary)
        with pd.option_context("display.max_colwidth", None):
            display(Markdown(f"**{caption}**"), frame)
        self.keep({"kind": "table", "name": name, "text": caption})

    def record(self, rows: pd.DataFrame, run: Run | None = None) -> pd.DataFrame:
        """Add tidy result rows (`evaluation.results.COLUMNS`) to the study's results, and return them.

        The `run` that they measure goes into the manifest, and its predictions go with the report.
        """
        if run is not None:
            self.keep_run(run)
        self.results.append(rows)
        with atomic_write(self.folder / "results" / f"{self.notebook}.csv") as temporary:
            pd.concat(self.results).to_csv(temporary, index=False)
        return rows

    def all_results(self, only: Sequence[str] = ()) -> pd.DataFrame:
        """The result rows of every notebook that has run, in notebook order.

        Parameters
        ----------
        only : numbers of the notebooks that are asked, as in `files.notebooks`
        """
        files = [self.folder / "results" / f"{notebook.stem}.csv" for notebook in notebooks(only)]
        files = [file for file in files if file.exists()]
        if not files:
            raise StudyError(f"{self.folder}: no results yet; run the notebooks before {self.notebook} first.")
        return pd.concat(
            [pd.read_csv(file, dtype={"notebook": str}, float_precision="round_trip") for file in files],
            ignore_index=True,
        )

    def save_results(self, results: pd.DataFrame) -> None:
        """Write the study's one result table, `results.csv`."""
        results = results.astype({"n": "Int64", "seed": "Int64"})
        with atomic_write(self.folder / "results.csv") as temporary:
            results.to_csv(temporary, index=False)

    def describe(self) -> pd.DataFrame:
        """Settings, versions and hardware, one row each."""
        here = environment()
        rows = {"data set": self.dataset, "profile": self.profile.name, "seed": self.seed}
        rows |= {
            "processor": f"{here['processor']}, {here['cores']} cores",
            "memory": f"{here['memory_gb']} GB",
        }
        rows |= {"GPU": here["gpu"] or "none", "python": here["python"], **here["packages"]}
        return pd.DataFrame({"": rows})

    def keep_run(self, run: Run) -> None:
        """Name a run whose training the report and its manifest rest on; once is enough."""
        item = {"kind": "run", "name": run.folder.name, "experiment": run.experiment["name"]}
        if item not in self.page:
            self.keep(item)

    def keep(self, item: dict) -> None:
        """Add an item to this notebook's page of the report."""
        self.page.append(item)
        write_json(self.folder / "pages" / f"{self.notebook}.json", self.page)


def open_study(
    notebook: str, dataset: str, profile: str, data_root: str = "", seed: int = 0, runs: str | Path = "runs"
) -> Study:
    """Resolve a notebook's parameters, and forget what an earlier run of the same notebook left.

    Parameters
    ----------
    runs : where runs are kept; a relative path counts from the top of the repository

    Raises
    ------
    StudyError
        For an unknown profile, or a seed that is no whole number from 0.
    """
    use_style()
    root = ROOT / runs
    folder, store = root / f"{dataset}-{profile}", RunStore(root / "store")
    study = Study(notebook, dataset, get_profile(profile), data_root, parse_seed(seed), folder, store)
    for left_over in (f"pages/{notebook}.json", f"results/{notebook}.csv", f"{notebook}.ipynb"):
        (folder / left_over).unlink(missing_ok=True)
    write_json(
        folder / "study.json",
        {"dataset": dataset, "seed": study.seed, "profile": dataclasses.asdict(study.profile)},
    )
    return study
