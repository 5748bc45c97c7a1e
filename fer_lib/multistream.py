"""What notebook 06 does with SAFER: its streams' features, its fusions, and what they say when streams are changed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib.data.table import usable
from fer_lib.errors import StudyError
from fer_lib.evaluation.compare import Difference, seed_difference
from fer_lib.evaluation.metrics import rightly
from fer_lib.evaluation.results import overall, run_results
from fer_lib.evaluation.seeds import over_seeds
from fer_lib.faces.crops import squares_of
from fer_lib.faces.geometry import AU_DISTANCES, VISIBLE
from fer_lib.faces.prepare import load_faces, matrix, prepare_faces
from fer_lib.models.places365 import SIDE as PLACES_SIDE
from fer_lib.models.places365 import has_places365, load_places365
from fer_lib.runs import Run
from fer_lib.scenes import scene_table
from fer_lib.study import Study
from fer_lib.training.catalogue import experiment
from fer_lib.training.fusion import FACE, SCENE, Features, Fusion, fit_fusion, judge_fusion
from fer_lib.training.streams import SEEN, frozen_features, places365_features, shows_scenes, stream_features
from fer_lib.trainings import SELECTION, Trainings

FUSIONS = {
    "safer/F": FACE,
    "safer/F+B": (*FACE, "background"),
    "safer/F+P": (*FACE, "place"),
    "safer/F+B+P": FACE + SCENE,
    "safer/F-au": ("visible", "deep"),
    "safer/F-visible": ("au", "deep"),
    "safer/F-deep": ("au", "visible"),
    "safer/F-au-visible": ("deep",),
}
MODEL = "SAFER"
REDEALT = "scenes dealt anew"  # a train condition: every picture has the scene of another one


@dataclass
class Multistream:
    """SAFER on one study table.

    Attributes
    ----------
    trainings : gets the runs of the streams that learn alone
    """

    study: Study
    table: pd.DataFrame
    trainings: Trainings

    @cached_property
    def rows(self) -> pd.DataFrame:
        """The usable rows, which all features are of."""
        return usable(self.table)

    @cached_property
    def folder(self) -> Path:
        """Where the faces of the table are measured."""
        return prepare_faces(self.table, self.study.cache)

    @cached_property
    def faces(self) -> pd.DataFrame:
        """The measurements of the usable rows, without their masks."""
        there = self.table["problem"].isna().to_numpy()
        measured = load_faces(self.folder, [*SEEN, "au", "visible", "face_problem"])
        return measured[there].reset_index(drop=True)

    @cached_property
    def has_scenes(self) -> bool:
        """Whether the pictures show more than faces."""
        return shows_scenes(self.table, self.study.cache)

    @cached_property
    def classes(self) -> list[str]:
        """The emotions that the table shows."""
        return self.study.classes(self.table)

    @cached_property
    def features(self) -> Features:
        """What every stream makes of the pictures; the deep one is the regular CNN."""
        deep = self.trainings.runs("safer/deep")[0]
        streams = {
            **self.geometry,
            "deep": self.of_faces(self._learnt(deep)),
        }
        if self.has_scenes:
            streams["background"] = self._learnt(self.trainings.runs("safer/background")[0])
            streams["place"] = self._places
        return Features(self.rows[["id", "label", "split", "problem", "subject"]], streams)

    @property
    def geometry(self) -> dict[str, np.ndarray]:
        """The streams that are measured on the mesh."""
        widths = {"au": len(AU_DISTANCES), "visible": len(VISIBLE)}
        return {name: matrix(self.faces[name], width) for name, width in widths.items()}

    @cached_property
    def redealt(self) -> Features:
        """The same faces with scenes dealt anew, to learn from: a data set whose context tells nothing."""
        moved = self.features.with_scenes_of_others(self.study.seed)
        background = self._learnt(self.trainings.runs("safer/background_redealt")[0])
        return replace(moved, streams={**moved.streams, "background": background})

    @cached_property
    def learners(self) -> dict[str, str]:
        """The streams that learn alone, by the name of their experiment, and what they learn."""
        learnt = {"safer/deep": "emotions, from faces"}
        if self.has_scenes:
            learnt["safer/background"] = "emotions, from scenes without people"
            if not has_places365():
                known = self.table["place"].notna().any()
                learnt["safer/place"] = "places, from scenes without people" if known else "places, from drawn scenes"
        return learnt

    @cached_property
    def place_source(self) -> str:
        """What makes the place stream's features."""
        if has_places365():
            hashes = load_places365().files
            return "AlexNet of Places365, sha256 " + ", ".join(f"{name} {hashes[name][:12]}" for name in sorted(hashes))
        return "a small network that learnt " + self.learners["safer/place"]

    def with_deep(self, features: np.ndarray) -> Features:
        """The features with another deep extractor's."""
        return replace(self.features, streams={**self.features.streams, "deep": self.of_faces(features)})

    def resnet50(self) -> tuple[str, np.ndarray]:
        """Which weights ResNet-50 has, ImageNet's where they are here, and its features of the faces (N, 2048)."""
        gatherer = self.trainings.gatherer
        for start in ("imagenet", "random"):
            name = f"safer/resnet50/{start}/frozen"
            if gatherer.obstacle(name, self.table) is None:
                break
        table, classes = gatherer.task(name, self.table)
        wanted = experiment(name, self.study.profile, classes, self.study.seed)
        return start, frozen_features(wanted, table, self.study.store, self._cache)

    def of_run(self, run: Run, table: pd.DataFrame) -> np.ndarray:
        """The features that the body of another network of the study makes of the table that it learnt from.

        Raises
        ------
        StudyError
            When that table has other pictures or splits than this one.
        """
        rows, known = usable(table), ["id", "split"]
        if not rows[known].reset_index(drop=True).equals(self.rows[known].reset_index(drop=True)):
            again = "run notebook 01_data_preparation with this DATASET and SEED"
            raise StudyError(f"the study table of notebook 01 has other pictures or splits than this one; {again}.")
        self.study.keep_run(run)
        return stream_features(run, rows, self._cache)

    def fuse(self, name: str, features: Features, condition: str | None = None, **settings) -> list[Run]:
        """The runs of `layers`, with their results recorded.

        Parameters
        ----------
        condition : of train and test, where it is not the data as they are
        """
        runs = self.layers(name, features, **settings)
        told = {"model": MODEL, "selection": SELECTION, "notebook": self.study.notebook[:2]}
        if condition:
            told |= {"train_condition": condition, "condition": condition}
        self._record(runs, [run.predictions for run in runs], told)
        return runs

    def layers(self, name: str, features: Features, **settings) -> list[Run]:
        """SAFER's layers, trained with every seed; the streams below them stay the same.

        The rate falls where validation stalls, as the paper's "adaptive" one. The batch is the paper's 32 times eight;
        the rate of 8e-3 is ours, since the paper's start at 1e-5 takes more steps than small data have.

        Parameters
        ----------
        name : such as safer/F+B; of `FUSIONS`, unless `settings` tells the streams
        settings : of `training.fusion.Fusion`, beside those of the paper
        """
        profile, first = self.study.profile, self.study.seed
        recipe = {"streams": FUSIONS.get(name, FACE), "classes": tuple(self.classes)}
        recipe |= {"schedule": "plateau", "plateau_patience": 2}
        recipe |= {"max_epochs": profile.fusion_epochs, "patience": profile.patience, "learning_rate": 8e-3}
        recipe |= {"batch_size": 256, "precision": "32-true"}  # layers this small learn no faster with half of it
        wanted = Fusion(name, **recipe | settings)
        seeds = range(first, first + profile.fusion_seeds)
        runs = [fit_fusion(replace(wanted, seed=seed), features, self.study.store) for seed in seeds]
        for run in runs:
            self.study.keep_run(run)
        return runs

    def what_if(
        self,
        runs: Sequence[Run],
        features: Features,
        condition: str,
        experiment: str | None = None,
        taught: str | None = None,
    ) -> list[pd.DataFrame]:
        """What trained fusions say of the test pictures under another condition; recorded under that name.

        Parameters
        ----------
        experiment : name of the rows; the fusions' own unless given
        taught : the train condition, where it is not bare faces
        """
        told = {"model": MODEL, "selection": SELECTION, "notebook": self.study.notebook[:2], "condition": condition}
        told |= {"experiment": experiment} if experiment else {}
        told |= {"train_condition": taught} if taught else {}
        frames = [judge_fusion(run, features, f"{run.experiment['name']}: {condition}") for run in runs]
        self._record(runs, frames, told)
        return frames

    def change(self, before: Sequence[Run], after: Sequence[Run | pd.DataFrame]) -> Difference:
        """How mean accuracy over seeds changes on the test pictures."""
        return seed_difference(self.right(before), self.right(after), self.study.profile.resamples)

    def mean_accuracy(self, runs: Sequence[Run]) -> float:
        """Accuracy on test, mean over the runs, a fraction."""
        return float(self.right(runs).mean())

    def scenes(self) -> pd.DataFrame:
        """The usable rows with scenes without people as their pictures, as the place stream sees them."""
        size = PLACES_SIDE if has_places365() else self.study.profile.stream_size
        return usable(scene_table(self.table, self.folder, size))

    @property
    def _cache(self) -> Path:
        return self.study.cache / "features"

    @cached_property
    def _places(self) -> np.ndarray:
        if has_places365():
            return places365_features(self.scenes(), self._cache)
        run = self.trainings.runs("safer/place")[0]
        self.study.keep_run(run)
        return stream_features(run, self.scenes(), self._cache)

    def of_faces(self, features: np.ndarray) -> np.ndarray:
        """A face's features; NaN where no face was found nor named, since such a picture is shown with its scene."""
        if not self.has_scenes:
            return features
        squares = zip(squares_of(self.faces), self.rows["box"], strict=True)
        nowhere = np.array([found is None and named is None for found, named in squares])
        return np.where(nowhere[:, None], np.float32(np.nan), features)

    def _learnt(self, run: Run) -> np.ndarray:
        self.study.keep_run(run)
        table, _ = self.trainings.gatherer.task(run.experiment["name"], self.table)
        return stream_features(run, usable(table), self._cache)

    def _record(self, runs: Sequence[Run], frames: Sequence[pd.DataFrame], told: dict) -> None:
        """Record what the runs of several seeds said: overall metrics of each, and the mean of every metric."""
        of_all, resamples = (self.table, self.classes), self.study.profile.resamples
        pairs = zip(runs, frames, strict=True)
        seeds = pd.concat(run_results(run, *of_all, resamples, frame, **told) for run, frame in pairs)
        self.study.record(pd.concat([overall(seeds), over_seeds(seeds)]))

    def right(self, runs: Sequence[Run | pd.DataFrame]) -> np.ndarray:
        frames = [run.of_split("test") if isinstance(run, Run) else run for run in runs]
        ordered = [frame[frame["split"] == "test"].sort_values("id", ignore_index=True) for frame in frames]
        if not all(frame["id"].equals(ordered[0]["id"]) for frame in ordered):
            raise ValueError("the runs were not tested on the same pictures")
        return np.stack([rightly(frame, self.classes) for frame in ordered])
