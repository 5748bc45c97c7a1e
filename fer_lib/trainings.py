"""What notebooks 04 and 05 do with networks: get their runs, record what they reach, and say what is left out."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod

import pandas as pd

from fer_lib.evaluation.results import condition_of, frame_results, run_results
from fer_lib.evaluation.seeds import over_seeds
from fer_lib.files import atomic_write
from fer_lib.runs import RECORD, Run
from fer_lib.study import Study
from fer_lib.training.gather import Gatherer
from fer_lib.training.search import Space

SELECTION = "epoch on validation"
SHOWN = 350


@dataclass
class Trainings:
    """The networks of one notebook.

    Attributes
    ----------
    table : the study table that they learn and are judged by
    measured : the runs of each experiment whose results were recorded here
    """

    study: Study
    table: pd.DataFrame
    measured: dict[str, list[Run]] = field(default_factory=dict)

    def runs(self, experiment: str, seeds: int = 1) -> list[Run]:
        """The runs of an experiment, one for each seed: trained here or found in the run store.

        What takes more than this machine and profile have is left out; `say_left_out` tells what and why.
        """
        return self.gatherer.runs(experiment, self.table, seeds)

    def measure(self, experiment: str, model: str, seeds: int = 1) -> list[Run]:
        """The runs of an experiment, their results recorded under the name `model`.

        Runs with test-time views get a second set of rows, named `<experiment>_tta`; several seeds get the rows of
        their mean.
        """
        self.measured[experiment] = runs = self.runs(experiment, seeds)
        if not runs:
            return []
        task = self.gatherer.task(experiment, self.table)
        told = {"model": model, "condition": condition_of(experiment)}
        for run in runs:
            self._keep_start(run)
            self.study.record(self._results(run, run.predictions, *task, **told), run)
            if run.experiment["views"] != "one":
                tta = {**told, "experiment": f"{experiment}_tta", "model": f"{model}, test views"}
                self.study.record(self._results(run, run.view_predictions, *task, **tta))
        if len(runs) > 1:
            rows = self.study.rows()
            self.study.record(over_seeds(rows[rows["experiment"].isin([experiment, f"{experiment}_tta"])]))
        return runs

    def record_pool(
        self,
        experiment: str,
        model: str,
        predictions: pd.DataFrame,
        members: Sequence[Run],
        selection: str = "members on validation",
    ) -> None:
        """Record what the pooled predictions of several networks reach, and keep them for the report.

        Parameters
        ----------
        members : the networks; those that this notebook has not measured one by one go into the manifest here
        """
        measured = {run.folder for runs in self.measured.values() for run in runs}
        for run in members:
            if run.folder not in measured:
                self.study.keep_run(run)
        name = experiment.replace("/", "-")
        with atomic_write(self.study.folder / "pools" / f"{name}.parquet") as temporary:
            predictions.to_parquet(temporary, index=False)
        self.study.keep({"kind": "pool", "name": name})
        told = {"notebook": self.study.notebook[:2], "experiment": experiment, "model": model}
        told["selection"] = selection
        classes, resamples = self.study.classes(self.table), self.study.profile.resamples
        self.study.record(frame_results(predictions, self.table, classes, resamples, **told))

    def start_faces(self) -> pd.DataFrame:
        """Drawn faces, as a study table, like those that a network with a drawn start learns first: enough to show."""
        return self.gatherer.faces(self.study.classes(self.table), most=SHOWN)

    def start_here(self, network: str) -> str:
        """What a published network can start from here: `imagenet`, or else `random`."""
        return self.gatherer.start_here(network)

    def search(self, experiment: str, space: Space) -> pd.DataFrame | None:
        """The trials of a search for better settings; None where there are none and no time to make them."""
        return self.gatherer.search(experiment, space, self.table)

    def grid(self) -> pd.DataFrame | None:
        """The trials of paper 001's grid that `python -m fer_lib search … --grid` has made; None where it made none."""
        return self.gatherer.grid(self.table)

    def say_left_out(self) -> None:
        """Show what was left out since this was last said, so that no gap looks like a result.

        `python -m fer_lib train` and `search` on another machine can fill `runs/store` and `runs/search`, from which
        it is taken then.
        """
        reasons: dict[str, dict[str, list[str]]] = {}
        for experiment, reason in self.gatherer.left_out.items():
            family, slash, variant = experiment.partition("/")
            reasons.setdefault(reason, {}).setdefault(family + slash, []).append(variant)
        self.gatherer.left_out.clear()
        for reason, families in reasons.items():
            names = ", ".join(f"`{family}{_braced(variants)}`" for family, variants in families.items())
            self.study.say(f"**Left out here:** {names}: {reason}.")

    def _keep_start(self, run: Run) -> None:
        """Name the run that this one began from, which its numbers rest on as well."""
        start = self.study.store.root / run.experiment["start"]
        if (start / RECORD).exists():
            self.study.keep_run(Run(start))

    def _results(self, run: Run, predictions: pd.DataFrame, table: pd.DataFrame, classes: list[str], **told):
        told = {"notebook": self.study.notebook[:2], "selection": SELECTION, **told}
        return run_results(run, table, classes, self.study.profile.resamples, predictions, **told)

    @cached_property
    def gatherer(self) -> Gatherer:
        """Finds or trains the runs of this study's profile and seed."""
        return Gatherer(self.study.profile, self.study.seed, self.study.store, self.study.cache)


def _braced(variants: Sequence[str]) -> str:
    """The variants as a shell writes them: {10,13_bn}, or, where every combination is there, {vgg11,resnet18}/{a,b}."""
    if len({variant.count("/") for variant in variants}) == 1:
        parts = [list(dict.fromkeys(part)) for part in zip(*(variant.split("/") for variant in variants), strict=True)]
        if prod(map(len, parts)) == len(variants):
            return "/".join(part[0] if len(part) == 1 else f"{{{','.join(part)}}}" for part in parts)
    return f"{{{','.join(variants)}}}"
