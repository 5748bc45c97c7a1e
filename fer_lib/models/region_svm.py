"""What one region of the face tells alone: eigenfaces and a support vector machine that see nothing else."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from fer_lib.data.table import load_pictures, table_hash
from fer_lib.files import code_version, content_hash
from fer_lib.models.features import FEATURES
from fer_lib.models.svm import Classical, pipeline
from fer_lib.runs import Run, RunStore

GREY = 128  # everywhere else


def fit_alone(
    experiment: Classical, rows: Mapping[str, pd.DataFrame], seen: Mapping[str, np.ndarray], store: RunStore
) -> Run:
    """The run of a support vector machine that sees a part of each picture: loaded, or fitted.

    Parameters
    ----------
    rows : of the study table, by split: train and test
    seen : bool (N, 48, 48) of each, what is seen; all else is grey
    """
    places = {split: hashlib.sha256(masks.tobytes()).hexdigest() for split, masks in seen.items()}
    data = content_hash([table_hash(pd.concat(rows.values(), ignore_index=True)), places])
    code = code_version("fer_lib.models.svm", "fer_lib.models.features", __name__)

    def make(folder: Path) -> None:
        shown = {split: np.where(seen[split], load_pictures(rows[split]), GREY).astype(np.uint8) for split in seen}
        features = {split: FEATURES[experiment.features](pictures) for split, pictures in shown.items()}
        model = pipeline(experiment).fit(features["train"], rows["train"]["label"])
        scores = pd.DataFrame(model.decision_function(features["test"]), columns=model.classes_)
        known = rows["test"][["id", "split", "label"]].reset_index(drop=True)
        frame = pd.concat([known, scores[list(experiment.classes)]], axis=1)
        frame.to_parquet(folder / "predictions.parquet", index=False)
        pd.DataFrame([{"rows": len(rows["train"])}]).to_csv(folder / "history.csv", index=False)

    return store.get(experiment, data, code, make)
