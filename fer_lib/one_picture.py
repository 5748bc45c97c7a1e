"""The way of one picture through SAFER, as figures 3 to 7 of paper 000 draw it."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch

from fer_lib.data.table import decode_picture, load_pictures
from fer_lib.faces.crops import face_table
from fer_lib.faces.prepare import landmarks_of
from fer_lib.models.places365 import has_places365, load_places365
from fer_lib.multistream import Multistream
from fer_lib.runs import Run
from fer_lib.training.augment import centred, to_unit
from fer_lib.training.inputs import picture_tensor
from fer_lib.training.streams import trained_network

MOST_LIKELY = 5  # places that are told


def mended_by_scene(safer: Multistream, face: Run, whole: Run) -> pd.Series | None:
    """A validation picture that the face alone takes for something else than with its scene: id, label, and both.

    Of the pictures whose face was found and meshed, the first that is mended and whose place, where it is known, is
    recognised; else the first that is mended; else the first. None where no validation picture has a mesh.
    """
    before, after = (run.of_split("validation").set_index("id") for run in (face, whole))
    told = before[["label"]].assign(
        face=before[safer.classes].idxmax(axis=1), whole=after[safer.classes].idxmax(axis=1)
    )
    seen = safer.rows["id"][(safer.faces["landmarks"].notna() & safer.faces["face_box"].notna()).to_numpy()]
    told = told[told.index.isin(set(seen))].rename_axis("id").reset_index()
    mended = told[(told["face"] != told["label"]) & (told["whole"] == told["label"])]
    for name in mended["id"]:
        at = _at(safer, name)
        place = safer.rows["place"].iloc[at]
        if pd.isna(place) or place == _places(safer, safer.scenes().iloc[[at]]).idxmax():
            return mended[mended["id"] == name].iloc[0]
    return next((found.iloc[0] for found in (mended, told) if len(found)), None)


def way_of(safer: Multistream, run: Run, name: str) -> dict:
    """What every stream sees of one picture that has a mesh, for `show.face_plots.way_of_a_picture`.

    Parameters
    ----------
    run : the fusion that judges it; its predictions hold the picture
    name : the picture's id
    """
    at = _at(safer, name)
    row, face, scene = safer.rows.iloc[at], safer.faces.iloc[at], safer.scenes().iloc[[at]]
    crop = face_table(safer.rows, safer.faces).iloc[[at]]
    views = {
        "face, for the deep stream": load_pictures(crop, safer.study.profile.stream_size)[0],
        "its feature maps, on average": _maps(safer, crop),
        "scene without people": load_pictures(scene, safer.study.profile.stream_size, grey=False)[0],
    }
    return {
        "picture": decode_picture(row["picture"] if row["picture"] is not None else Path(row["path"]).read_bytes()),
        "box": face["face_box"],
        "landmarks": landmarks_of(safer.faces["landmarks"].iloc[[at]])[0],
        "views": views,
        "places": _places(safer, scene),
        "scores": run.predictions.set_index("id").loc[row["id"], safer.classes].astype(float),
    }


def _at(safer: Multistream, name: str) -> int:
    return int(np.flatnonzero(safer.rows["id"] == name)[0])


@torch.no_grad()
def _maps(safer: Multistream, crop: pd.DataFrame) -> np.ndarray:
    """The last maps of the deep stream's CNN, averaged over its channels."""
    experiment, network = trained_network(safer.trainings.runs("safer/deep")[0])
    regular = network.body[0]
    return regular.features(centred(to_unit(picture_tensor(crop, experiment))))[0].mean(0).numpy()


@torch.no_grad()
def _places(safer: Multistream, scene: pd.DataFrame) -> pd.Series:
    """The most likely places of a scene with their probabilities."""
    if has_places365():
        pictures = load_pictures(scene, 224, grey=False)
        return pd.Series(dict(load_places365().categories(pictures, MOST_LIKELY)[0]))
    experiment, network = trained_network(safer.trainings.runs("safer/place")[0])
    shares = network(centred(to_unit(picture_tensor(scene, experiment)))).softmax(1)[0].numpy()
    return pd.Series(shares, experiment.classes).nlargest(MOST_LIKELY)
