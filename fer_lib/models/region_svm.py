"""What one region of the face tells alone: eigenfaces and a support vector machine that see nothing else."""

from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from fer_lib.data.splits import read_test, split_rows
from fer_lib.data.table import load_pictures, table_hash
from fer_lib.faces.covered import places_hash
from fer_lib.faces.patches import REGION_PIXELS, meshes_in_view, region_masks
from fer_lib.files import code_version, content_hash
from fer_lib.models.features import FEATURES
from fer_lib.models.svm import Classical, pipeline
from fer_lib.runs import Run, RunStore

PROGRAM = ("fer_lib.models.svm", "fer_lib.models.features", "fer_lib.models.region_svm", "fer_lib.faces.patches")
PROGRAM += ("fer_lib.faces.occlude:average_mesh", "fer_lib.faces.occlude:fixed_mesh", "fer_lib.synthetic.mesh")
GREY = 128  # everywhere else


def fit_alone(experiment: Classical, table: pd.DataFrame, region: str, faces: pd.DataFrame, store: RunStore) -> Run:
    """The run of a support vector machine that sees one region of each face: loaded, or fitted on train.

    Parameters
    ----------
    region : of `patches.REGIONS`; its `REGION_PIXELS` are seen, all else is grey
    faces : what `faces.prepare` measured of the table, by id (landmarks, face_box, height, width)

    Returns
    -------
    run with predictions of the test split: id, split, label, one decision value per class
    """
    data = content_hash([table_hash(table), places_hash(faces), region])

    def make(folder: Path) -> None:
        train, test = split_rows(table, "train"), read_test(table, experiment.name, folder / "test_readings.csv")
        model = pipeline(experiment).fit(_seen(train, region, faces, experiment), train["label"])
        values = decisions(model, _seen(test, region, faces, experiment))
        scores = pd.DataFrame(values, columns=model.classes_)[list(experiment.classes)]
        frame = pd.concat([test[["id", "split", "label"]], scores], axis=1)
        frame.to_parquet(folder / "predictions.parquet", index=False)
        history = {"rows": len(train), "support_vectors": int(np.sum(model["svc"].n_support_))}
        pd.DataFrame([history]).to_csv(folder / "history.csv", index=False)

    return store.get(experiment, data, code_version(*PROGRAM), make)


def decisions(model: Pipeline, features: np.ndarray) -> np.ndarray:
    """Decision values of rows (N, D), one per class also where there are two classes: (N, K)."""
    values = model.decision_function(features)
    return np.column_stack([-values, values]) if values.ndim == 1 else values


def _seen(rows: pd.DataFrame, region: str, faces: pd.DataFrame, experiment: Classical) -> np.ndarray:
    """Features of the rows' pictures, grey but for the region, (N, D)."""
    seen = region_masks(meshes_in_view(rows, faces.loc[rows["id"]]), [region], REGION_PIXELS)
    return FEATURES[experiment.features](np.where(seen, load_pictures(rows), np.uint8(GREY)))
