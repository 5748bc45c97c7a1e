"""What one region of the face tells alone: eigenfaces and a support vector machine that see nothing else."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib.data.splits import read_test, split_rows
from fer_lib.data.table import load_pictures, table_hash
from fer_lib.files import code_version, content_hash
from fer_lib.models.features import FEATURES
from fer_lib.models.svm import Classical, pipeline
from fer_lib.runs import Run, RunStore

GREY = 128  # everywhere else


def fit_alone(experiment: Classical, table: pd.DataFrame, seen: Mapping[str, np.ndarray], store: RunStore) -> Run:
    """The run of a support vector machine that sees a part of each picture: loaded, or fitted on train.

    Parameters
    ----------
    seen : bool (N, 48, 48) of the usable rows of `train` and `test`, what is seen of each; all else is grey

    Returns
    -------
    run with predictions of the test split: id, split, label, one decision value per class
    """
    places = {split: hashlib.sha256(masks.tobytes()).hexdigest() for split, masks in seen.items()}
    code = code_version("fer_lib.models.svm", "fer_lib.models.features", __name__)

    def make(folder: Path) -> None:
        train, test = split_rows(table, "train"), read_test(table, experiment.name, folder / "test_readings.csv")
        model = pipeline(experiment).fit(_features(train, seen["train"], experiment), train["label"])
        values = model.decision_function(_features(test, seen["test"], experiment))
        scores = pd.DataFrame(values, columns=model.classes_)[list(experiment.classes)]
        frame = pd.concat([test[["id", "split", "label"]], scores], axis=1)
        frame.to_parquet(folder / "predictions.parquet", index=False)
        history = {"rows": len(train), "support_vectors": int(np.sum(model["svc"].n_support_))}
        pd.DataFrame([history]).to_csv(folder / "history.csv", index=False)

    return store.get(experiment, content_hash([table_hash(table), places]), code, make)


def _features(rows: pd.DataFrame, seen: np.ndarray, experiment: Classical) -> np.ndarray:
    return FEATURES[experiment.features](np.where(seen, load_pictures(rows, experiment.size), np.uint8(GREY)))
