"""What notebook 08 asks of all emotions: which region of the face carries which of them."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.stats import spearmanr
from torch import nn

from fer_lib.data.splits import read_test, split_rows
from fer_lib.data.table import load_pictures
from fer_lib.errors import StudyError
from fer_lib.evaluation.compare import Difference, paired_difference
from fer_lib.evaluation.metrics import predicted_labels, rightly, roc_areas
from fer_lib.evaluation.results import BARE, overall, result_rows
from fer_lib.explain.cams import placed_grad_cam
from fer_lib.explain.planted import expression_change
from fer_lib.faces.covered import PLACES
from fer_lib.faces.patches import PATCHES, REGION_PIXELS, REGIONS, meshes_in_view, patch_masks, region_masks, with_noise
from fer_lib.faces.prepare import load_faces, prepare_faces
from fer_lib.models.region_svm import fit_alone
from fer_lib.models.svm import Classical
from fer_lib.noise_bars import in_size
from fer_lib.study import Study
from fer_lib.training.experiment import Experiment
from fer_lib.training.fit import READINGS
from fer_lib.training.judge import judge, whole_network
from fer_lib.trainings import SELECTION, Trainings

PAIRS = {
    # model: learnt from bare faces, and from faces one region of which was covered
    "small residual network": ("strong/small", "regions/strong"),
    "six-layer CNN": ("six_layer/base", "regions/six_layer"),
}
REDRAWN = 420  # test pictures that are drawn again at rest
AT_RANDOM, AIMED = "at random", "where it looks"  # where patches are laid first
UNHEATED = 1e-6  # of a heat from 0 to 1: decides between patches that have none
UNPREPARED, PREPARED = BARE, "one region covered"  # what a network learnt from


def covered(region: str) -> str:
    """The condition of a region under noise, as results name it."""
    return f"{region} covered"


@dataclass
class FaceRegions:
    """Two networks of one kind, one of which learnt what covers are, and what they say of covered test faces."""

    study: Study
    table: pd.DataFrame
    trainings: Trainings
    _swept: dict[tuple[str, str, int], np.ndarray] = field(default_factory=dict)

    @cached_property
    def model(self) -> str:
        """The strongest kind of network of which both are here; what is left out is told by the trainings."""
        for model, names in PAIRS.items():
            if all(self.trainings.runs(name) for name in names):
                return model
        wanted = " and ".join(PAIRS["six-layer CNN"])
        raise StudyError(f"neither pair of networks is trained here; train {wanted} with `python -m fer_lib train`.")

    @cached_property
    def networks(self) -> dict[str, tuple[Experiment, nn.Module]]:
        """The network that learnt bare faces, and the one that learnt covered ones."""
        found = {}
        for learnt, name in zip((UNPREPARED, PREPARED), PAIRS[self.model], strict=True):
            run = self.trainings.runs(name)[0]
            self.study.keep_run(run)
            found[learnt] = whole_network(run, self.table, self.study.store)
        return found

    @cached_property
    def classes(self) -> list[str]:
        """The emotions that the table shows."""
        return self.study.classes(self.table)

    @cached_property
    def rows(self) -> pd.DataFrame:
        """All usable test rows."""
        return read_test(self.table, f"notebook {self.study.notebook}, regions", self.study.folder / READINGS)

    @cached_property
    def pictures(self) -> np.ndarray:
        """The test faces, uint8 (N, 48, 48)."""
        return load_pictures(self.rows)

    @cached_property
    def masks(self) -> dict[str, np.ndarray]:
        """The pixels of every region's cover in the test faces, bool (N, 48, 48), equally many in all."""
        meshes = meshes_in_view(self.rows, self.faces.loc[self.rows["id"]])
        return {region: region_masks(meshes, [region], REGION_PIXELS) for region in REGIONS}

    @cached_property
    def faces(self) -> pd.DataFrame:
        """Where faces lie in the table's pictures, by id."""
        return load_faces(prepare_faces(self.table, self.study.cache), PLACES).set_index("id")

    def covered_faces(self, masks: np.ndarray) -> np.ndarray:
        """The test faces with noise where the masks are, uint8 (N, 48, 48)."""
        return with_noise(self.pictures, masks, self.study.seed)

    def wide(self, found: pd.DataFrame) -> pd.DataFrame:
        """The values of a table of emotions and regions: index emotions, columns regions."""
        return found.pivot(index="emotion", columns="region", values="value").loc[self.classes, list(REGIONS)]

    def ask(self, learnt: str, masks: np.ndarray | None = None) -> pd.DataFrame:
        """What a network says of the test faces with noise where the masks are."""
        experiment, network = self.networks[learnt]
        shown = self.pictures if masks is None else self.covered_faces(masks)
        return judge(experiment, network, self.rows, in_size(shown, experiment.size))

    def lost(self, learnt: str) -> pd.DataFrame:
        """What covering each region does to recall: emotion, region, n, points; value, low, high (fractions).

        Everything is recorded: recall as `regions/<emotion>`, and all pictures together as `regions`.
        """
        bare = self.ask(learnt)
        before, labels = rightly(bare, self.classes), self.rows["label"].to_numpy()
        self._record(learnt, BARE, bare)
        found = []
        for region, masks in self.masks.items():
            said = self.ask(learnt, masks)
            self._record(learnt, covered(region), said)
            after = rightly(said, self.classes)
            for emotion in self.classes:
                own = labels == emotion
                change = paired_difference(before[own], after[own], self.study.profile.resamples)
                told = {"emotion": emotion, "region": region, "n": int(own.sum()), "points": change.points}
                found.append(told | {"value": change.value, "low": change.low, "high": change.high})
        return pd.DataFrame(found)

    def sweep(self, learnt: str, patches: tuple[int, ...]) -> pd.DataFrame:
        """Accuracy when so many of the picture's `PATCHES` are covered: at random, or where the network looks first.

        Where it looks is Grad-CAM of the class that it predicts of the bare face; patches without heat, and faces
        without any, come in random order.

        Returns
        -------
        name, x (percent covered), value, low, high (fractions)
        """
        experiment, network = self.networks[learnt]
        said = predicted_labels(self.ask(learnt), experiment.classes)
        targets = np.array([experiment.classes.index(name) for name in said])
        chance = np.random.default_rng(self.study.seed).random(self.pictures.shape)
        heat = placed_grad_cam(network, in_size(self.pictures, experiment.size), targets)
        heats = {AT_RANDOM: chance, AIMED: heat + UNHEATED * chance}
        found = []
        for name, heat in heats.items():
            for count in patches:
                share = count / PATCHES
                frame = self.ask(learnt, patch_masks(heat, share))
                self._swept[learnt, name, count] = rightly(frame, self.classes)
                condition = BARE if share == 0 else f"{100 * share:.0f} % covered {name}"
                rows = overall(self._rows(learnt, condition, frame))
                row = rows[rows["metric"] == "accuracy"].iloc[0]
                if share > 0:
                    self.study.record(rows)
                found.append({"name": name, "x": 100 * share, **row[["value", "low", "high"]]})
        return pd.DataFrame(found).astype({"value": float, "low": float, "high": float})

    def aimed(self, learnt: str, patches: int) -> Difference:
        """How accuracy changes when so many patches of a sweep lie first where the network looks, not at random."""
        right = [self._swept[learnt, name, patches] for name in (AT_RANDOM, AIMED)]
        return paired_difference(*right, self.study.profile.resamples)

    def alone(self) -> pd.DataFrame:
        """How well each region alone tells each emotion from the others: emotion, region, value; all is recorded.

        The value is the area under the ROC curve, which asks for no decision between emotions. By eigenfaces and a
        support vector machine, fitted for each region on faces that are grey everywhere else.
        """
        train, faces = split_rows(self.table, "train"), self.faces
        components = min(150, max(self.study.profile.for_pictures(len(train)).components))
        found = []
        for region in REGIONS:
            wanted = Classical(f"regions/alone/{region}", components=components, classes=tuple(self.classes))
            run = fit_alone(wanted, self.table, region, faces, self.study.store)
            self.study.keep_run(run)
            told = {"model": f"PCA-{components} + RBF SVC", "selection": "fixed", "experiment": wanted.name}
            rows = self._rows(f"{region} alone", f"{region} alone", run.predictions, **told)
            self.study.record(rows[~rows["metric"].str.startswith(("precision", "F1", "accuracy["))])
            areas = zip(self.classes, roc_areas(run.predictions, self.classes), strict=True)
            found += [{"emotion": emotion, "region": region, "value": area} for emotion, area in areas]
        return pd.DataFrame(found)

    def planted(self) -> pd.DataFrame | None:
        """How much each emotion changes a pixel below each region's cover: index emotion, columns regions; grey levels.

        Known of drawn people alone, of whom some test pictures are drawn again at rest; None for other data.
        """
        if self.study.dataset != "synthetic":
            return None
        some = self.rows.groupby("label").head(REDRAWN // len(self.classes)).index
        rows = self.rows.loc[some]
        change = expression_change(rows, len(self.table), self.study.seed)
        levels = {region: (change * masks[some]).sum((1, 2)) / REGION_PIXELS for region, masks in self.masks.items()}
        frame = pd.DataFrame(levels).groupby(rows["label"].to_numpy()).mean()
        return frame.reindex([emotion for emotion in self.classes if emotion != "neutral"])

    def _record(self, learnt: str, condition: str, predictions: pd.DataFrame) -> None:
        rows = self._rows(learnt, condition, predictions)
        recalls = rows[rows["metric"].str.startswith("recall[")]
        emotions = recalls["metric"].str.removeprefix("recall[").str.removesuffix("]")
        counts = self.rows["label"].value_counts()
        recalls = recalls.assign(experiment="regions/" + emotions, metric="recall", n=emotions.map(counts))
        self.study.record(pd.concat([overall(rows), recalls]))

    def _rows(self, learnt: str, condition: str, predictions: pd.DataFrame, **more: str) -> pd.DataFrame:
        told = {"notebook": self.study.notebook[:2], "experiment": "regions", "model": self.model, "split": "test"}
        told |= {"train_condition": learnt, "test_condition": condition, "selection": SELECTION} | more
        return result_rows(predictions, self.classes, self.study.profile.resamples, self.study.seed, **told)


def rank_agreement(planted: pd.DataFrame, measured: pd.DataFrame) -> tuple[float, float]:
    """Spearman's correlation over all pairs of emotion and region, and over regions, of means over emotions.

    Parameters
    ----------
    planted, measured : index emotions, columns regions; those of `planted` count
    """
    same = measured.loc[planted.index, planted.columns]
    pairs = spearmanr(planted.to_numpy().ravel(), same.to_numpy().ravel()).statistic
    return float(pairs), float(spearmanr(planted.mean(), same.mean()).statistic)
