"""What SAFER's streams are shown, and the features that they make of it, computed once (paper 000, 4.3 to 4.5)."""

from pathlib import Path

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file
from torch import nn

from fer_lib.data.sources import load_dataset
from fer_lib.data.table import load_pictures, table_hash, usable
from fer_lib.emotions import in_order
from fer_lib.faces.crops import face_table, shows_faces_alone
from fer_lib.faces.prepare import load_faces, prepare_faces
from fer_lib.files import atomic_write, code_version, content_hash
from fer_lib.models.networks import get_network
from fer_lib.profiles import Profile
from fer_lib.progress import progress
from fer_lib.runs import Run, RunStore
from fer_lib.scenes import scene_table
from fer_lib.training.experiment import Experiment
from fer_lib.training.fit import launch
from fer_lib.training.fusion import experiment_of, strangers
from fer_lib.training.inputs import picture_tensor
from fer_lib.training.starts import body_features, new_network, settle

BATCH = 256
SEEN = ("height", "width", "face_box", "landmarks")


def stream_task(
    name: str, table: pd.DataFrame, profile: Profile, seed: int, cache: Path
) -> tuple[pd.DataFrame, list[str]]:
    """The study table as a stream of SAFER is shown it, and the classes that it learns alone.

    Parameters
    ----------
    name : `safer/deep` and `safer/resnet50/…` see faces; `safer/background` scenes without people, and
        `safer/background_redealt` those of other pictures; `safer/place` learns places, those of the embedded data
        where the table's own are not known
    """
    if name == "safer/place" and table["place"].isna().all():
        table = load_dataset("synthetic", None, cache, seed, profile.synthetic_pictures)
    faces = prepare_faces(table, cache)
    if name == "safer/deep" or name.startswith("safer/resnet50/"):
        return face_table(table, load_faces(faces, SEEN)), in_order(usable(table)["label"])
    scenes = scene_table(table, faces, profile.stream_size)
    if name == "safer/place":
        named = labelled_by_place(scenes)
        return named, sorted(set(usable(named)["label"]))
    if name == "safer/background_redealt":
        scenes = redealt(scenes, seed)
    return scenes, in_order(usable(table)["label"])


def shows_scenes(table: pd.DataFrame, cache: Path) -> bool:
    """Whether the pictures of a data set show more than faces, so that there is a scene to learn from."""
    if table["box"].notna().any():
        return True
    return not shows_faces_alone(table, load_faces(prepare_faces(table, cache), SEEN))


def labelled_by_place(scenes: pd.DataFrame) -> pd.DataFrame:
    """The table with places as its labels; a row whose place is not known has a `problem`."""
    problem = scenes["problem"].where(scenes["problem"].notna() | scenes["place"].notna(), "its place is not known")
    named = scenes.assign(label=scenes["place"], problem=problem)
    named.attrs = dict(scenes.attrs)
    return named


def redealt(scenes: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The table with the scenes of its usable rows dealt anew inside each split: they tell nothing of the label."""
    there = np.flatnonzero(scenes["problem"].isna())
    order = there[strangers(scenes["split"].iloc[there], seed)]
    dealt = scenes.copy()
    for column in ("picture", "picture_hash", "place"):
        values = scenes[column].to_numpy(object, copy=True)
        values[there] = values[order]
        dealt[column] = values
    dealt.attrs = dict(scenes.attrs)
    return dealt


def trained_network(run: Run) -> tuple[Experiment, nn.Module]:
    """The network of a stored run, with what it has learnt, and its settings."""
    experiment = experiment_of(run)
    network = get_network(experiment.network).make(len(experiment.classes), experiment.size)
    network.load_state_dict(load_file(run.folder / "weights.safetensors"))
    return experiment, network.eval()


def stream_features(run: Run, rows: pd.DataFrame, cache: Path) -> np.ndarray:
    """What the body of a stream that has learnt alone makes of the rows, float32 (N, D); computed once and cached."""
    experiment, network = trained_network(run)
    device = launch(experiment.precision).device
    return body_features(experiment, network, picture_tensor(rows, experiment), cache, device).numpy()


def frozen_features(experiment: Experiment, table: pd.DataFrame, store: RunStore, cache: Path) -> np.ndarray:
    """What a body that has learnt nothing here makes of the usable rows, float32 (N, D); random ones are settled."""
    device = launch(experiment.precision).device
    network = new_network(experiment, store.root)
    rows = usable(table)
    pictures = picture_tensor(rows, experiment)
    if experiment.start == "random":
        settle(experiment, network, pictures[torch.from_numpy((rows["split"] == "train").to_numpy())], cache, device)
    return body_features(experiment, network, pictures, cache, device).numpy()


def places365_features(scenes: pd.DataFrame, cache: Path) -> np.ndarray:
    """Places365's features of the rows' scenes, float32 (N, 9216), by the authors' files; computed once and cached."""
    from fer_lib.models.places365 import N_FEATURES, SIDE, load_places365

    places = load_places365("cuda" if torch.cuda.is_available() else "cpu")
    program = code_version("fer_lib.models.places365", "fer_lib.data.table:resize")
    path = cache / f"places365-{content_hash([table_hash(scenes), places.files, program])}.npy"
    if not path.exists():
        features = np.empty((len(scenes), N_FEATURES), np.float32)
        for start in progress(range(0, len(scenes), BATCH), "places", unit="batch"):
            part = scenes.iloc[start : start + BATCH]
            features[start : start + BATCH] = places.features(load_pictures(part, SIDE, grey=False))
        with atomic_write(path) as temporary:
            np.save(temporary, features)
    return np.load(path)
