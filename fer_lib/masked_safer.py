"""SAFER on bare and on masked faces: what a mask costs it, and whether the scene makes up for it (paper 000, 6.1)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd

from fer_lib.data.table import usable
from fer_lib.evaluation.compare import Difference, change_of_change
from fer_lib.evaluation.results import BARE, MASKED
from fer_lib.multistream import FUSIONS, Multistream
from fer_lib.runs import Run
from fer_lib.study import Study
from fer_lib.training.covers import mask_conditions
from fer_lib.training.fusion import Features
from fer_lib.training.streams import stream_features
from fer_lib.trainings import Trainings

DEEP = "safer/deep"
Fused = Sequence[Run | pd.DataFrame]


@dataclass
class MaskedSafer:
    """SAFER on a data set of scenes, taught on bare or masked faces and tested on either.

    The face's streams are found and measured anew on masked pictures, as if nobody knew the bare ones. The scene's
    streams are those of the bare pictures: without people, both show the same.
    """

    study: Study
    table: pd.DataFrame
    _features: dict[tuple[str, str], Features] = field(default_factory=dict)

    @cached_property
    def safers(self) -> dict[str, Multistream]:
        """SAFER on each kind of faces."""
        tables = mask_conditions(self.table, self.study.seed, self.study.cache)
        return {
            kind: Multistream(self.study, tables[kind], Trainings(self.study, tables[kind])) for kind in (BARE, MASKED)
        }

    @property
    def has_scenes(self) -> bool:
        """Whether the pictures show more than faces."""
        return self.safers[BARE].has_scenes

    @cached_property
    def deep(self) -> dict[str, Run]:
        """The regular CNN of faces, taught on each kind."""
        return {kind: safer.trainings.runs(DEEP)[0] for kind, safer in self.safers.items()}

    def features(self, taught: str, tested: str) -> Features:
        """What the streams make of one kind of faces when the deep one was taught on a kind."""
        if (taught, tested) not in self._features:
            self._features[taught, tested] = self._make_features(taught, tested)
        return self._features[taught, tested]

    def _make_features(self, taught: str, tested: str) -> Features:
        safer = self.safers[tested]
        rows, _ = safer.trainings.gatherer.task(DEEP, safer.table)
        self.study.keep_run(self.deep[taught])
        deep = stream_features(self.deep[taught], usable(rows), self.study.cache / "features")
        streams = {**self.safers[BARE].features.streams, **safer.geometry, "deep": safer.of_faces(deep)}
        return replace(self.safers[BARE].features, streams=streams)

    def measure(self, name: str) -> Mapping[tuple[str, str], list[pd.DataFrame]]:
        """A fusion of `FUSIONS`, taught on each kind of faces and tested on both; results are recorded.

        Returns
        -------
        (taught on, tested on) → test predictions of every seed
        """
        bare, found = self.safers[BARE], {}
        for taught in (BARE, MASKED):
            runs = bare.layers(name, self.features(taught, taught), streams=FUSIONS[name])
            for tested in (BARE, MASKED):
                seen = self.features(taught, tested)
                found[taught, tested] = bare.what_if(runs, seen, tested, f"masked/{name}", taught)
        return found

    def change(self, before: Fused, after: Fused) -> Difference:
        """How mean accuracy over seeds changes on the test pictures."""
        return self.safers[BARE].change(before, after)

    def interaction(self, before: tuple[Fused, Fused], after: tuple[Fused, Fused]) -> Difference:
        """How much larger the second change is than the first, on the same pictures; without a p.

        Parameters
        ----------
        before, after : of each change, what is before and after it
        """
        right = [self.safers[BARE].right(frames) for frames in (*before, *after)]
        return change_of_change(*right, self.study.profile.resamples)

    def accuracy(self, frames: Fused) -> float:
        """Accuracy on test, mean over the seeds, a fraction."""
        return float(np.mean(self.safers[BARE].right(frames)))
