"""What notebook 08 does of paper 002: bars of white noise over eyes, nose or mouth, learnt with and without."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
import torch
from torch import nn

from fer_lib.data.splits import read_test
from fer_lib.data.table import load_pictures, resize, usable
from fer_lib.data.tasks import THREE
from fer_lib.emotions import in_order
from fer_lib.evaluation.compare import Difference
from fer_lib.evaluation.metrics import always_largest, class_recall, confusion
from fer_lib.evaluation.results import BARE_THREE, compare_predictions, frame_results, interval_text, overall, pick
from fer_lib.faces.covered import PLACES
from fer_lib.faces.patches import BAR_PIXELS, BARS, PARTS, meshes_in_view, region_masks, with_noise
from fer_lib.faces.prepare import load_faces, prepare_faces
from fer_lib.runs import Run
from fer_lib.study import Study
from fer_lib.training.covers import NOTHING
from fer_lib.training.experiment import Experiment
from fer_lib.training.fit import READINGS
from fer_lib.training.judge import judge, whole_network
from fer_lib.trainings import SELECTION, Trainings

PAPERS, SCRATCH = "bars", "bars_scratch"  # paper 002's frozen GoogLeNet, and a network from nothing
LEARNT = (NOTHING, *BARS)
NEVER = 0.1  # recall below which an emotion is hardly ever said


def barred(part: str) -> str:
    """The condition of a bar over a part, as results name it."""
    return BARE_THREE if part == NOTHING else f"bar over the {part}, three emotions"


def papers_family(start: str) -> str:
    """The name in results of paper 002's network; its own, beside which its numbers stand, with its start alone."""
    return PAPERS if start == "imagenet" else f"{PAPERS}_{start}"


def fitted(part: str) -> str:
    """The condition of a cover of the same area that is fitted to the face."""
    return f"fitted cover of the {part}, three emotions"


@dataclass
class NoiseBars:
    """Networks that learnt three emotions under a bar or none, and what they say of the same test faces.

    Attributes
    ----------
    names : the families' names in tables
    runs : (family, part under the bar in learning) → the run
    predictions : (family, that part, condition of testing) → predictions; the same test ids in every one
    """

    study: Study
    table: pd.DataFrame
    trainings: Trainings
    names: dict[str, str] = field(default_factory=dict)
    runs: dict[tuple[str, str], Run] = field(default_factory=dict)
    predictions: dict[tuple[str, str, str], pd.DataFrame] = field(default_factory=dict)
    _tasks: dict[str, pd.DataFrame] = field(default_factory=dict)
    _tested: dict[str, np.ndarray] = field(default_factory=dict)
    _networks: dict[tuple[str, str], tuple[Experiment, nn.Module]] = field(default_factory=dict)

    def measure(self, family: str, experiments: Mapping[str, str], told: str) -> None:
        """Get the family's network for every bar, and record what each says of faces under its own.

        A family of which one is left out here is left out whole; the trainings tell why.

        Parameters
        ----------
        experiments : {part under the bar: name of the experiment}
        told : the network's name in tables
        """
        found = {part: self.trainings.runs(name) for part, name in experiments.items()}
        if not all(found.values()):
            return
        self.names[family] = told
        for part, (run,) in found.items():
            self.study.keep_run(run)
            self.runs[family, part] = run
            self._record(family, part, barred(part), run.predictions)

    def ask_unprepared(self, family: str) -> None:
        """Ask the network that learnt bare faces about test faces with a bar, or a fitted cover of the same area."""
        for part in BARS:
            self._ask(family, barred(part), self.tested(part))
            self._ask(family, fitted(part), with_noise(self.tested(NOTHING), self._fitted(part), self.study.seed))

    def cost(self, family: str, learnt: str, tested: str) -> Difference:
        """How accuracy on test changes from bare faces, learnt and tested, to these conditions, picture by picture.

        Parameters
        ----------
        learnt : part under the bar in learning
        tested : condition of testing, see `barred` and `fitted`
        """
        return self._change(family, (NOTHING, BARE_THREE), (learnt, tested))

    def worth(self, family: str, part: str) -> Difference:
        """How accuracy under a bar changes from the network that never saw one to the one that learnt with it."""
        return self._change(family, (NOTHING, barred(part)), (part, barred(part)))

    def accuracy(self, family: str, part: str) -> float:
        """Accuracy on test of the network that learnt under a bar, under the same."""
        return float(pick(self.study.rows(), f"{family}/{part}", condition=barred(part))["value"])

    def learnt_text(self, family: str) -> str:
        """How many of each emotion the network that learnt bare faces finds, and whether it learnt the task at all."""
        counts = confusion(self.predictions[family, NOTHING, BARE_THREE].query("split == 'test'"), self.classes)
        found = dict(zip(self.classes, class_recall(counts), strict=True))
        told = ", ".join(f"{emotion} {100 * value:.0f} %" for emotion, value in found.items())
        never = [emotion for emotion, value in found.items() if value < NEVER]
        warned = f" It hardly ever says {' or '.join(never)}: it has not learnt this task, and shows the method alone."
        return f"**{self.names[family]}**, nothing covered, finds of each emotion: {told}.{warned if never else ''}"

    def unfamiliar_table(self) -> pd.DataFrame:
        """The same test faces under every cover, percent with intervals: index network, a column for each part."""
        rows = []
        for family, name in self.names.items():
            ways = {
                "bar, learnt with it": lambda part: (part, barred(part)),
                "bar, never seen before": lambda part: (NOTHING, barred(part)),
                "fitted cover, never seen before": lambda part: (NOTHING, fitted(part) if part in BARS else BARE_THREE),
            }
            for way, cell in ways.items():
                cells = {part: self.text(family, *cell(part)) for part in LEARNT}
                rows.append({"network": name, "cover": way, "N": f"{len(self.rows):,}", **cells})
        return pd.DataFrame(rows).set_index("network")

    def text(self, family: str, learnt: str, tested: str) -> str:
        """Accuracy on test with its interval, in percent."""
        rows = self.study.rows()
        return interval_text(pick(rows, f"{family}/{learnt}", condition=tested, taught=barred(learnt)))

    @cached_property
    def lack(self) -> str | None:
        """Why the data do not allow paper 002's task; None when they do."""
        return self.trainings.gatherer.lack(f"{SCRATCH}/{NOTHING}", self.table)

    @cached_property
    def classes(self) -> list[str]:
        """The three emotions."""
        return in_order(THREE)

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The test rows, the same under every condition."""
        return read_test(self._task(NOTHING), f"notebook {self.study.notebook}, bars", self.study.folder / READINGS)

    def tested(self, part: str) -> np.ndarray:
        """The test faces with the bar, uint8 (N, 48, 48)."""
        if part not in self._tested:
            self._tested[part] = load_pictures(self._task(part).set_index("id").loc[self.rows["id"]].reset_index())
        return self._tested[part]

    def network(self, family: str, part: str) -> tuple[Experiment, nn.Module]:
        """A network that was measured, with its settings."""
        key = family, part
        if key not in self._networks:
            self._networks[key] = whole_network(self.runs[key], self._task(part), self.study.store)
        return self._networks[key]

    @cached_property
    def largest(self) -> float:
        """Accuracy on test of always saying the class that most train faces have."""
        return float(always_largest(usable(self._task(NOTHING))).mean())

    def _change(self, family: str, before: tuple[str, str], after: tuple[str, str]) -> Difference:
        pair = self.predictions[family, *before], self.predictions[family, *after]
        return compare_predictions(*pair, self.classes, self.study.profile.resamples)[0]

    def _task(self, part: str) -> pd.DataFrame:
        if part not in self._tasks:
            self._tasks[part] = self.trainings.gatherer.task(f"{SCRATCH}/{part}", self.table)[0]
        return self._tasks[part]

    def _fitted(self, part: str) -> np.ndarray:
        faces = load_faces(prepare_faces(self.table, self.study.cache), PLACES).set_index("id")
        meshes = meshes_in_view(self.rows, faces.loc[self.rows["id"]])
        return region_masks(meshes, PARTS[part], BAR_PIXELS)

    def _ask(self, family: str, condition: str, pictures: np.ndarray) -> None:
        experiment, network = self.network(family, NOTHING)
        self._record(
            family, NOTHING, condition, judge(experiment, network, self.rows, in_size(pictures, experiment.size))
        )

    def _record(self, family: str, learnt: str, tested: str, predictions: pd.DataFrame) -> None:
        self.predictions[family, learnt, tested] = predictions
        told = {"notebook": self.study.notebook[:2], "experiment": f"{family}/{learnt}", "selection": SELECTION}
        told |= {"train_condition": barred(learnt), "condition": tested, "model": self.names[family]}
        told |= {"seed": self.runs[family, learnt].experiment["seed"]}
        task = self._task(NOTHING)
        rows = frame_results(predictions, task, self.classes, self.study.profile.resamples, **told)
        self.study.record(rows if tested == barred(learnt) else overall(rows))


def in_size(pictures: np.ndarray, size: int) -> torch.Tensor:
    """Grey pictures (N, 48, 48) as a network of that size sees them, uint8 (N, 1, size, size)."""
    return torch.from_numpy(np.stack([resize(picture, size) for picture in pictures])[:, None])
