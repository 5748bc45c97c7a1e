"""From an experiment's name to its runs: trained here, found in the run store, or left out with the reason told."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cache
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import torch

from fer_lib.data.drawn import drawn_faces, small_classes, with_drawn_faces
from fer_lib.data.table import table_hash, usable
from fer_lib.data.tasks import SIX, THREE, labels_at_random, six_emotions, three_emotions
from fer_lib.emotions import in_order
from fer_lib.errors import StudyError
from fer_lib.models.weights import has_imagenet, imagenet
from fer_lib.profiles import Profile
from fer_lib.runs import Run, RunStore
from fer_lib.training.catalogue import (
    DRAWN,
    DRAWN_FACES,
    RANDOM_LABELS,
    SCENES,
    UNMASKED,
    architecture,
    experiment,
    start_experiment,
)
from fer_lib.training.experiment import Experiment
from fer_lib.training.fit import fit

if TYPE_CHECKING:
    from fer_lib.training.search import Space

NEED_FACES = ("safer", "masked", "regions")  # families that see what only the networks of mediapipe find
COVERED = ("masked/", "bars", "regions/")  # whose pictures are covered
BARE_STRONG = "strong/small"  # from which the masked strong networks go on
Get = Callable[[Experiment, pd.DataFrame, RunStore], Run | None]


@dataclass
class Gatherer:
    """Gets the runs of a study.

    Attributes
    ----------
    seed : of the first run; further ones count on from it
    cache : folder of drawn tables
    left_out : {experiment: why it, or one of its seeds, has no run here}
    """

    profile: Profile
    seed: int
    store: RunStore
    cache: Path
    left_out: dict[str, str] = field(default_factory=dict)
    _carved: dict[tuple[str, str], pd.DataFrame] = field(default_factory=dict)

    def runs(self, name: str, table: pd.DataFrame, seeds: int = 1) -> list[Run]:
        """The runs of the experiment called `name` with so many seeds; those that cannot be had are left out."""
        found = [self._run(name, table, self.seed + number) for number in range(seeds)]
        runs = [run for run in found if run]
        if runs and len(runs) < seeds:
            self.left_out[name] = f"{len(runs)} of {seeds} seeds are there; for the rest {self.left_out[name]}"
        return runs

    def train(self, name: str, table: pd.DataFrame, seed: int) -> Run:
        """The run of one experiment and seed, trained here unless it lies in the store.

        Raises
        ------
        StudyError
            When the name is unknown, the data set does not allow the experiment, or weights to start from are missing.
        """
        lack = self.lack(name, table)
        if lack:
            raise StudyError(f"experiment {name}: {lack}.")
        return self._get(name, table, seed, fit)

    def search(self, name: str, space: "Space", table: pd.DataFrame) -> pd.DataFrame | None:
        """Trials around the experiment called `name`; None where none are finished and there is no time for them."""
        from fer_lib.training.search import finished, search  # which alone needs Optuna

        where = self.search_where(name, table)
        base = self.search_base(name, table)
        if self._has_time("search", self.seed):
            return search(base, space, self.profile.trials, *where)
        trials = finished(base, space, *where)
        if len(trials) < self.profile.trials:
            some = f"{len(trials)} of {self.profile.trials} trials are there; " if len(trials) else ""
            self.left_out["search"] = some + self._too_long("search", table)
        return trials if len(trials) else None

    def grid(self, table: pd.DataFrame) -> pd.DataFrame | None:
        """What is finished of paper 001's grid; None where nothing is.

        Its many trainings are never made here, whatever the machine.
        """
        from fer_lib.training.search import GRID_001, GRID_BASE, finished

        lack, trials, size = self.lack(GRID_BASE, table), [], prod(map(len, GRID_001.values()))
        if lack is None:
            base, where = self.search_base(GRID_BASE, table), self.search_where(GRID_BASE, table)
            trials = finished(base, GRID_001, *where, grid=True)
        if len(trials) < size:
            command = self._command(f"search {GRID_BASE} --grid", table)
            self.left_out["grid"] = lack or f"{len(trials)} of its {size} trainings are there; {command} makes them"
        return trials if len(trials) else None

    def search_base(self, name: str, table: pd.DataFrame) -> Experiment:
        """What a search varies: the experiment called `name`, a third as long."""
        _, classes = self.task(name, table)
        base = experiment(name, self.profile, classes, self.seed)
        return replace(base, max_epochs=max(1, base.max_epochs // 3))

    def search_where(self, name: str, table: pd.DataFrame) -> tuple[pd.DataFrame, RunStore, Path]:
        """What a search around the experiment learns from, and where its runs and its journal are kept."""
        journal = self.cache.parent / "search" / f"{table.attrs['dataset']}.journal"
        return self.task(name, table)[0], self.store, journal

    def task(self, name: str, table: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
        """The study table as the experiment sees it, and its classes in the order of the network's logits."""
        if name.startswith("gimefive/"):
            table = self._some_emotions(SIX, table)
            present = set(usable(table)["label"])
            return table, [emotion for emotion in SIX if emotion in present]
        if name.startswith("safer/"):
            from fer_lib.training.streams import stream_task  # which needs OpenCV, as finding faces does

            return stream_task(name, table, self.profile, self.seed, self.cache)
        if name.startswith(COVERED):
            from fer_lib.training.covers import cover_task  # which needs OpenCV as well

            table = self._some_emotions(THREE, table) if name.startswith("bars") else table
            return cover_task(name, table, self.seed, self.cache)
        classes = in_order(usable(table)["label"])
        if name == RANDOM_LABELS:
            return labels_at_random(table, self.seed), classes
        return (with_drawn_faces(table, self.seed, self.cache) if name == DRAWN_FACES else table), classes

    def faces(self, classes: Sequence[str], most: int | None = None) -> pd.DataFrame:
        """Drawn faces of the kind that a network learns before it sees the data set; `most` of them where given."""
        pictures = min(self.profile.start_pictures, most or self.profile.start_pictures)
        return drawn_faces(dict.fromkeys(classes, 1), pictures, self.seed, self.cache, "start")

    def _run(self, name: str, table: pd.DataFrame, seed: int) -> Run | None:
        reason = self.lack(name, table)
        if reason is None:
            reason = self.obstacle(name, table, seed)
            if reason is None:
                return self.train(name, table, seed)
            if self._can_be_looked_up(name, table, seed):
                run = self._get(name, table, seed, _find)
                if run:
                    return run
        self.left_out[name] = reason
        return None

    def _get(self, name: str, table: pd.DataFrame, seed: int, get: Get) -> Run | None:
        shown, classes = self.task(name, table)
        wanted = experiment(name, self.profile, classes, seed)
        wanted = replace(wanted, watch_test=wanted.watch_test and seed == self.seed)
        if wanted.start in (DRAWN, UNMASKED):
            start = self._start(wanted, table, classes, get)
            if start is None:
                return None
            wanted = replace(wanted, start=start.folder.name)
        return get(wanted, shown, self.store)

    def _start(self, wanted: Experiment, table: pd.DataFrame, classes: Sequence[str], get: Get) -> Run | None:
        """The run that the wanted one goes on from."""
        if wanted.start == UNMASKED:
            return self._get(BARE_STRONG, table, wanted.seed, get)
        return get(start_experiment(wanted, self.profile), self.faces(classes), self.store)

    def lack(self, name: str, table: pd.DataFrame) -> str | None:
        """Why the data set, or a library that is missing, does not allow the experiment; None when they do."""
        family, _, variant = name.partition("/")
        if name == "six_layer/votes" and usable(table)["votes"].isna().any():
            return "the data have no annotators' votes"
        if name == DRAWN_FACES and not small_classes(table):
            return "no class is small enough to be filled up"
        if family == "one_against_rest" and variant not in set(usable(table)["label"]):
            return "the data do not show that emotion"
        if family in NEED_FACES and find_spec("mediapipe") is None:
            return "mediapipe, which finds faces, is not installed here"
        if name.startswith("bars") and find_spec("cv2") is None:
            return "OpenCV, which covers faces, is not installed here"
        if name in SCENES:
            return self._lack_of_scenes(table)
        if family == "gimefive" or name.startswith("bars"):
            try:
                self._some_emotions(SIX if family == "gimefive" else THREE, table)
            except StudyError as error:
                return str(error).rstrip(".")
        return None

    def _lack_of_scenes(self, table: pd.DataFrame) -> str | None:
        from fer_lib.training.streams import shows_scenes  # which needs OpenCV, as finding faces does

        return None if shows_scenes(table, self.cache) else "its pictures show nothing but faces"

    def _some_emotions(self, emotions: Sequence[str], table: pd.DataFrame) -> pd.DataFrame:
        """The task of paper 001 or 002; carving its splits takes seconds, so each table's is kept."""
        key = "-".join(emotions), table_hash(table)
        if key not in self._carved:
            self._carved[key] = (six_emotions if emotions == SIX else three_emotions)(table, self.seed)
        return self._carved[key]

    def _can_be_looked_up(self, name: str, table: pd.DataFrame, seed: int) -> bool:
        """Whether it is worth to draw thousands of faces, which a run's name depends on, to look for the run."""
        if f"/{DRAWN}/" not in name and name != DRAWN_FACES:
            return True
        wanted = experiment(name, self.profile, in_order(usable(table)["label"]), seed)
        return self.store.has(start_experiment(wanted, self.profile) if wanted.start == DRAWN else wanted)

    def obstacle(self, name: str, table: pd.DataFrame, seed: int | None = None) -> str | None:
        """Why this machine does not train the experiment; None when it does."""
        seed = self.seed if seed is None else seed
        if not self._has_time(name, seed):
            return self._too_long("train", table)
        if "/imagenet/" in name and self.start_here(architecture(name)) != "imagenet":
            return "ImageNet's weights are not here"
        return None

    def start_here(self, network: str) -> str:
        """What a published network can start from here: `imagenet`, or else `random`."""
        return "imagenet" if _imagenet_is_had(network, fetch=self.profile.name == "full") else "random"

    def _too_long(self, word: str, table: pd.DataFrame) -> str:
        command = self._command(f"{word} …", table)
        return f"profile {self.profile.name} leaves that to a GPU; {command} does it anywhere"

    def _command(self, words: str, table: pd.DataFrame) -> str:
        return f"`python -m fer_lib {words} --dataset {table.attrs['dataset']} --profile {self.profile.name}`"

    def _has_time(self, name: str, seed: int) -> bool:
        if torch.cuda.is_available():
            return True
        allowed = any(fnmatchcase(name, pattern) for pattern in self.profile.without_gpu)
        return allowed and seed < self.seed + self.profile.seeds_without_gpu


@cache
def _imagenet_is_had(network: str, fetch: bool) -> bool:
    """Whether the weights are in torchvision's cache or, with `fetch`, can be downloaded."""
    if fetch:
        try:
            imagenet(network)
        except StudyError:
            if has_imagenet(network):  # but damaged, which somebody should know
                raise
            return False
    return has_imagenet(network)


def _find(experiment: Experiment, table: pd.DataFrame, store: RunStore) -> Run | None:
    return store.find(experiment, table_hash(table), experiment.code())
