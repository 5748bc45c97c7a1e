"""Classical pipelines: features, PCA, and a support vector machine with an RBF kernel (paper 003).

scikit-learn-intelex replaces scikit-learn's SVC where it is installed: the same machine, several times faster.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import PCA
from sklearn.model_selection import StratifiedKFold, cross_val_score, train_test_split
from sklearn.pipeline import Pipeline
from sklearn.svm import SVC as PlainSVC

from fer_lib.data.splits import read_test, split_rows
from fer_lib.data.table import load_pictures, table_hash
from fer_lib.emotions import BASIC
from fer_lib.files import code_version
from fer_lib.models.features import FEATURES, mirrored
from fer_lib.profiles import Profile
from fer_lib.progress import progress
from fer_lib.runs import Run, RunStore

try:
    from sklearnex.svm import SVC as FastSVC
except ImportError:
    FastSVC = PlainSVC

ENGINE = "scikit-learn-intelex" if FastSVC is not PlainSVC else "scikit-learn"


@dataclass(frozen=True)
class Classical:
    """A classical experiment: pictures → features → PCA → RBF SVC.

    features : a name in `models.features.FEATURES`
    components, whiten : of the PCA
    C, gamma : of the SVC, on components scaled to a total variance of 1; so gamma 1 is scikit-learn's "scale"
    class_weight : "balanced" weighs classes by 1 / their number; None lets the large ones win
    mirror : train on every picture and its mirror image, and average both views at test time
    splits : whose predictions are kept; a setting that is only compared on validation never reads test
    """

    name: str
    features: str = "pixels"
    components: int = 150
    whiten: bool = True
    C: float = 10.0
    gamma: float = 1.0
    class_weight: str | None = "balanced"
    mirror: bool = False
    classes: tuple[str, ...] = BASIC
    size: int = 48
    seed: int = 42
    splits: tuple[str, ...] = ("validation", "test")


@dataclass(frozen=True)
class GridSearch:
    """Cross-validation of C and gamma on a stratified part of train.

    pictures : size of that part; each fold fits its own PCA
    """

    name: str
    base: Classical
    C: tuple[float, ...]
    gamma: tuple[float, ...]
    pictures: int
    folds: int


class UnitSpread(TransformerMixin, BaseEstimator):
    """Scales all features by one factor, so that their variances add up to 1."""

    def fit(self, x: np.ndarray, y=None) -> "UnitSpread":
        """Measure the total variance of the rows of x (N, D)."""
        self.factor_ = 1 / np.sqrt(x.var(axis=0).sum())
        return self

    def transform(self, x: np.ndarray) -> np.ndarray:
        """The rows of x (N, D), scaled."""
        return x * self.factor_


def pipeline(experiment: Classical) -> Pipeline:
    """PCA, scaling and SVC as one scikit-learn estimator on feature rows (N, D)."""
    pca = PCA(experiment.components, whiten=experiment.whiten, svd_solver="randomized", random_state=experiment.seed)
    return Pipeline([("pca", pca), ("spread", UnitSpread()), ("svc", svc(experiment))])


def svc(experiment: Classical, machine: type = FastSVC) -> BaseEstimator:
    """The support vector machine of an experiment; a class's score counts its wins over each other class."""
    return machine(
        C=experiment.C,
        gamma=experiment.gamma,
        class_weight=experiment.class_weight,
        decision_function_shape="ovr",
    )


def fit_classical(experiment: Classical, table: pd.DataFrame, store: RunStore) -> Run:
    """The run of a classical experiment: loaded, or fitted on train. Scores are decision values, not probabilities.

    Its history has one row: seconds for features, PCA, SVC and prediction, and the number of support vectors.
    """
    return store.get(experiment, table_hash(table), _code(), lambda folder: _fit(experiment, table, folder))


def search(experiment: GridSearch, table: pd.DataFrame, store: RunStore) -> Run:
    """The run of a grid search: loaded, or computed on train alone. Its history has C, gamma, accuracy and its sd."""
    return store.get(experiment, table_hash(table), _code(), lambda folder: _search(experiment, table, folder))


def best_of(grid: Run, base: Classical, name: str) -> Classical:
    """`base` with the C and gamma that did best in cross-validation, under a new name."""
    best = grid.history.loc[grid.history["accuracy"].idxmax()]
    return replace(base, name=name, C=float(best["C"]), gamma=float(best["gamma"]))


def classical_best(classes: Sequence[str], profile: Profile) -> Classical:
    """The strongest classical recipe known here, chosen on FER2013's validation split."""
    return Classical(
        "classical_best",
        features="hog",
        components=min(300, profile.components[-1]),
        whiten=False,
        C=2.5,
        gamma=1.6,
        class_weight=None,
        mirror=True,
        classes=tuple(classes),
    )


def _code() -> str:
    return code_version("fer_lib.models.svm", "fer_lib.models.features")


def _fit(experiment: Classical, table: pd.DataFrame, folder: Path) -> None:
    clock = _Clock()
    train = split_rows(table, "train")
    x, y = _features(train, experiment), train["label"].to_numpy()
    if experiment.mirror:
        x, y = np.concatenate([x, _features(train, experiment, mirror=True)]), np.concatenate([y, y])
    clock.lap("feature_seconds")
    model = pipeline(experiment)
    reduced = model[:-1].fit_transform(x)
    clock.lap("pca_seconds")
    model["svc"].fit(reduced, y)
    clock.lap("svc_seconds")
    frames = [_predictions(model, rows, experiment) for rows in _asked_rows(experiment, table, folder)]
    clock.lap("predict_seconds")
    pd.concat(frames).to_parquet(folder / "predictions.parquet", index=False)
    history = {
        **clock.laps,
        "support_vectors": int(np.sum(model["svc"].n_support_)),
        "rows": len(x),
        "engine": ENGINE,
    }
    pd.DataFrame([history]).to_csv(folder / "history.csv", index=False)


def _asked_rows(experiment: Classical, table: pd.DataFrame, folder: Path) -> list[pd.DataFrame]:
    return [
        read_test(table, experiment.name, folder / "test_readings.csv") if split == "test" else split_rows(table, split)
        for split in experiment.splits
    ]


def _predictions(model: Pipeline, rows: pd.DataFrame, experiment: Classical) -> pd.DataFrame:
    views = [False, True] if experiment.mirror else [False]
    scores = np.mean([model.decision_function(_features(rows, experiment, view)) for view in views], axis=0)
    if len(model.classes_) == 2:
        scores = np.column_stack([-scores, scores])
    frame = pd.DataFrame(scores, columns=model.classes_)[list(experiment.classes)]
    return pd.concat([rows[["id", "split", "label"]], frame], axis=1)


def _features(rows: pd.DataFrame, experiment: Classical, mirror: bool = False) -> np.ndarray:
    pictures = load_pictures(rows, experiment.size)
    return FEATURES[experiment.features](mirrored(pictures) if mirror else pictures)


def _search(experiment: GridSearch, table: pd.DataFrame, folder: Path) -> None:
    train = split_rows(table, "train")
    if len(train) > experiment.pictures:
        train, _ = train_test_split(
            train, train_size=experiment.pictures, stratify=train["label"], random_state=experiment.base.seed
        )
        train = train.reset_index(drop=True)
    x, y = _features(train, experiment.base), train["label"].to_numpy()
    folds = StratifiedKFold(experiment.folds, shuffle=True, random_state=experiment.base.seed)
    settings = [(C, gamma) for C in experiment.C for gamma in experiment.gamma]
    history = []
    for C, gamma in progress(settings, "cross-validating", unit="setting"):
        model = pipeline(replace(experiment.base, C=C, gamma=gamma))
        scores = cross_val_score(model, x, y, cv=folds)
        history.append({"C": C, "gamma": gamma, "accuracy": scores.mean(), "sd": scores.std(ddof=1)})
    pd.DataFrame(history).to_csv(folder / "history.csv", index=False)


class _Clock:
    """Wall seconds of named laps."""

    def __init__(self):
        self.laps: dict[str, float] = {}
        self.start = time.perf_counter()

    def lap(self, name: str) -> None:
        now = time.perf_counter()
        self.laps[name] = now - self.start
        self.start = now
