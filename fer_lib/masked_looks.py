"""Where networks look in bare and masked faces (paper 003, figure 2), and ResNet-50's maps (paper 000, figure 10)."""

from dataclasses import dataclass

import cv2
import numpy as np
import pandas as pd
import torch
from torch import nn

from fer_lib.data.splits import split_rows
from fer_lib.data.table import load_pictures
from fer_lib.errors import StudyError
from fer_lib.evaluation.results import BARE
from fer_lib.explain.saliency import convolution_maps, guided_backprop
from fer_lib.faces.detect import look
from fer_lib.faces.occlude import cover
from fer_lib.masked_faces import TESTED, MaskedFaces
from fer_lib.training.augment import centred, to_unit
from fer_lib.training.catalogue import experiment
from fer_lib.training.fit import launch
from fer_lib.training.inputs import class_numbers, picture_tensor
from fer_lib.training.starts import new_network, settle
from fer_lib.trainings import Trainings

MOST = 250  # test pictures that saliency is averaged over
SETTLING = 512  # training pictures that a random ResNet-50 is settled on
LAYERS = (10, 20, 30, 40)
SIDE = 224  # pixels of the face whose feature maps are shown


@dataclass(frozen=True)
class Looked:
    """Mean saliency of a network, float (S, S), and the share of it that lies where masks do, mean over pictures."""

    heat: np.ndarray
    hidden: float


def transparent_model(masks: MaskedFaces) -> str:
    """The best model on validation whose activations guided backpropagation can pass: all of them are layers."""
    fitting = [model for model in masks.whole_models if model in ("six_layer", "mobilenet_v2")]
    if not fitting:
        raise StudyError("no network with layers for activations is taught in every way; train masked/six_layer/*.")
    return max(fitting, key=lambda model: masks.validation((model, BARE, BARE)))


def looked_at(masks: MaskedFaces, model: str) -> dict[tuple[str, str], Looked]:
    """Guided backpropagation of the true class over test pictures: (taught on, tested on) → where it looks."""
    rows, found = some_rows(masks), {}
    for taught in TESTED:
        settings, network = masks.network(model, taught)
        pictures = {tested: picture_tensor(shown, settings) for tested, shown in rows.items()}
        bare, masked = (pictures[tested] for tested in TESTED)
        hidden = (bare != masked).any(1)
        for tested, shown in rows.items():
            maps = guided_backprop(network, pictures[tested], class_numbers(shown, settings.classes))
            shares = (maps * hidden).sum((1, 2)) / maps.sum((1, 2)).clamp_min(1e-12)
            found[taught, tested] = Looked(maps.mean(0).numpy(), float(shares.mean()))
    return found


def some_rows(masks: MaskedFaces) -> dict[str, pd.DataFrame]:
    """Up to `MOST` test rows, drawn at random, the same bare and masked."""
    rows = {tested: masks.rows(tested, "test") for tested in TESTED}
    some = np.sort(np.random.default_rng(masks.study.seed).permutation(len(rows[BARE]))[:MOST])
    return {tested: shown.iloc[some].reset_index(drop=True) for tested, shown in rows.items()}


def mean_pictures(masks: MaskedFaces) -> dict[str, np.ndarray]:
    """The mean of those test pictures, grey uint8 (48, 48), by what was tested."""
    rows = some_rows(masks)
    return {f"tested on {tested}": load_pictures(shown).mean(0).astype(np.uint8) for tested, shown in rows.items()}


def mostly_masked(masks: MaskedFaces) -> np.ndarray:
    """Where the mask lies in at least half of those test pictures, bool (48, 48)."""
    bare, masked = (load_pictures(shown) for shown in some_rows(masks).values())
    return (bare != masked).mean(0) >= 0.5


def looks_at_faces(
    masks: MaskedFaces, model: str, faces: list[tuple[str, np.ndarray]]
) -> dict[str, dict[str, np.ndarray]]:
    """Drawn faces bare and masked, and what each network reacts to when it says what it sees.

    Parameters
    ----------
    faces : (emotion, uint8 (S, S, 3)) each

    Returns
    -------
    for `show.mask_plots.map_rows`: a row of pictures, then one for each network, two columns a face
    """
    pairs = [(emotion, pair) for emotion, face in faces if (pair := _pair(face)) is not None]
    rows = {"": {}} | {f"taught on {taught}": {} for taught in TESTED}
    for taught in TESTED:
        settings, network = masks.network(model, taught)
        for number, (emotion, pair) in enumerate(pairs, 1):
            for kind, face in zip(TESTED, pair, strict=True):
                picture = grey_face(face, settings.size)[None]
                said = network.eval()(centred(to_unit(picture))).argmax(1)
                rows[""][f"{number}, {kind}:\n{emotion}"] = face
                heat = guided_backprop(network, picture, said)[0].numpy()
                rows[f"taught on {taught}"][f"{number}, {kind}: says\n{settings.classes[int(said)]}"] = heat
    return rows


@dataclass(frozen=True)
class LayerMaps:
    """What layers of ResNet-50 make of one face.

    Attributes
    ----------
    start : which weights it has
    rows : {kind of face: {name: its picture, or a layer's map, mean over channels}}
    hidden : {kind of face: share of activation where the mask is, mean over the layers}
    area : share of the picture where the mask is
    """

    start: str
    rows: dict[str, dict[str, np.ndarray]]
    hidden: dict[str, float]
    area: float


def resnet_maps(face: np.ndarray, trainings: Trainings) -> LayerMaps:
    """What four layers of ResNet-50 make of a face, uint8 (S, S, 3), bare and masked."""
    start, network = _resnet(trainings)
    pair = _pair(cv2.resize(face, (SIDE, SIDE), interpolation=cv2.INTER_AREA))
    under = (pair[0] != pair[1]).any(2).astype(np.float32)
    rows, hidden = {}, {}
    for kind, shown in zip(TESTED, pair, strict=True):
        found = convolution_maps(network, grey_face(shown, SIDE), LAYERS)
        maps = {f"layer {layer}": values.abs().mean(0).numpy() for layer, values in found.items()}
        rows[kind] = {"picture": shown} | maps
        hidden[kind] = float(np.mean([_share(values, under) for values in maps.values()]))
    return LayerMaps(start, rows, hidden, float(under.mean()))


def _resnet(trainings: Trainings) -> tuple[str, nn.Module]:
    """ResNet-50 with the weights that are here; random ones are settled on training pictures."""
    study, table, start = trainings.study, trainings.table, trainings.start_here("resnet50")
    settings = experiment(f"safer/resnet50/{start}/frozen", study.profile, study.classes(table), study.seed)
    network = new_network(settings, study.store.root)
    if start == "random":
        some = picture_tensor(split_rows(table, "train").head(SETTLING), settings)
        settle(settings, network, some, study.cache / "features", launch(settings.precision).device)
    return start, network.cpu()


def grey_face(face: np.ndarray, side: int) -> torch.Tensor:
    """The face as a network sees it, uint8 (1, side, side)."""
    small = cv2.resize(face, (side, side), interpolation=cv2.INTER_AREA)
    return torch.from_numpy(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY))[None]


def _pair(face: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """The face bare and with a surgical mask; None without a mesh."""
    mesh = look(face).landmarks
    return None if mesh is None else (face, cover(face, mesh, "surgical", np.random.default_rng(0)).picture)


def _share(found: np.ndarray, under: np.ndarray) -> float:
    """Share of a map's sum below a mask (S, S)."""
    weights = cv2.resize(under, found.shape[::-1], interpolation=cv2.INTER_AREA)
    return float((found * weights).sum() / max(found.sum(), 1e-12))
