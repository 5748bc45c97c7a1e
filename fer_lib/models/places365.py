"""What kind of place a scene shows, by the authors' networks of Places365 (Zhou et al. 2017; paper 000, section 4.5).

Features and categories come from AlexNet, as in the paper. The authors' matrix of SUN attributes belongs to another
network, a ResNet18 without its max-pool, so that attributes need three more files.
"""

import warnings
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torchvision.models import alexnet, resnet18
from torchvision.transforms.functional import normalize

from fer_lib.errors import StudyError
from fer_lib.files import disk_errors, sha256_file
from fer_lib.models.published import IMAGENET_MEAN, IMAGENET_STD


class PlacesFile(NamedTuple):
    """A file of the authors, and its sha256 where that is published."""

    name: str
    source: str
    sha256: str | None

    @property
    def address(self) -> str:
        """Where it is to be had."""
        return self.source + self.name


_SERVER = "http://places2.csail.mit.edu/models_places365/"
_REPOSITORY = "https://raw.githubusercontent.com/CSAILVision/places365/8a953ed56438726dc98bdef3796d042e7f1f171e/"
# Nobody has published a sha256 of the others; `Places365.files` states what they have.
FILES = {
    file.name: file
    for file in (
        PlacesFile("alexnet_places365.pth.tar", _SERVER, None),
        PlacesFile(
            "categories_places365.txt", _REPOSITORY, "2affba635eb657e7ca95f4e6cc69bd9fac29ef4c32aeb83cafdfcd06ec6a1ea6"
        ),
        PlacesFile("IO_places365.txt", _REPOSITORY, "49f8c7fbeeb70deb055c040a1807a95b234bbac92902e1b6edfffbdd8411e1f1"),
        PlacesFile("wideresnet18_places365.pth.tar", _SERVER, None),
        PlacesFile("W_sceneattribute_wideresnet18.npy", _SERVER, None),
        PlacesFile("labels_sunattribute.txt", _REPOSITORY, None),
    )
}
PLACE_FILES, ATTRIBUTE_FILES = tuple(FILES)[:3], tuple(FILES)[3:]
N_CATEGORIES = 365
N_FEATURES = 256 * 6 * 6
SIDE = 224  # of the pictures, in pixels
_BATCH = 64
_VOTERS = 10  # most probable categories that decide between indoors and outdoors, as in the authors' own script


def places_folder() -> Path:
    """Where the files lie: below torch.hub's folder (TORCH_HOME)."""
    return Path(torch.hub.get_dir()) / "checkpoints" / "places365"


def has_places365() -> bool:
    """Whether the files of features and categories are there; asks no network, and does not read them."""
    return all((places_folder() / name).is_file() for name in PLACE_FILES)


def has_attributes() -> bool:
    """Whether the files of attributes are there; asks no network, and does not read them."""
    return all((places_folder() / name).is_file() for name in ATTRIBUTE_FILES)


def load_places365(device: torch.device | str = "cpu") -> "Places365":
    """Read AlexNet and its categories from `places_folder`; what is missing is downloaded into it.

    Raises
    ------
    StudyError
        When a file is damaged, or neither there nor to be had: names it, its address and the folder.
    """
    weights, categories, outdoors = paths = [_obtain(name) for name in PLACE_FILES]
    return Places365(
        _load_weights(alexnet(weights=None, num_classes=N_CATEGORIES), weights).to(device),
        tuple(line.split()[0][3:] for line in _lines(categories, N_CATEGORIES)),  # of "/a/arena/hockey 15"
        np.array([line.split()[1] == "2" for line in _lines(outdoors, N_CATEGORIES)]),  # of "/a/arena/hockey 1"
        {path.name: sha256_file(path) for path in paths},
        device,
    )


@dataclass(eq=False)
class Places365:
    """The authors' networks; every method takes pictures (N, 224, 224, 3) uint8, RGB.

    names : of the 365 categories, such as "arena/hockey"
    outdoors : bool (365,), which of them lie outdoors
    files : {name: sha256} of the files read so far, for the manifest
    """

    network: nn.Module
    names: tuple[str, ...]
    outdoors: np.ndarray
    files: dict[str, str]
    device: torch.device | str

    def features(self, pictures: np.ndarray) -> np.ndarray:
        """Float32 (N, 9216), the paper's place features: AlexNet's maps after its last max-pool."""
        return self._run(self.network.features, pictures, N_FEATURES)

    def probabilities(self, pictures: np.ndarray) -> np.ndarray:
        """Float32 (N, 365), in the order of `names`."""
        return self._run(nn.Sequential(self.network, nn.Softmax(1)), pictures, N_CATEGORIES)

    def categories(self, pictures: np.ndarray, top: int = 5) -> list[list[tuple[str, float]]]:
        """Of each picture the `top` most probable categories and their probabilities, most probable first."""
        rows = self.probabilities(pictures)
        return [[(self.names[k], float(rows[n, k])) for k in best] for n, best in enumerate(_best(rows, top))]

    def outdoor(self, pictures: np.ndarray) -> np.ndarray:
        """Bool (N,): whether at least half of the ten most probable categories lie outdoors."""
        return self.outdoors[_best(self.probabilities(pictures), _VOTERS)].mean(1) >= 0.5

    def attributes(self, pictures: np.ndarray, top: int = 9) -> list[list[str]]:
        """Of each picture the `top` strongest SUN attributes, strongest first.

        Raises
        ------
        StudyError
            When a file of `ATTRIBUTE_FILES`, which are read at the first call, is damaged or missing.
        """
        network, matrix, labels = self._reader
        responses = self._run(network, pictures, matrix.shape[1]) @ matrix.T
        return [[labels[k] for k in best] for best in _best(responses, top)]

    @cached_property
    def _reader(self) -> tuple[nn.Module, np.ndarray, list[str]]:
        weights, responses, labels = paths = [_obtain(name) for name in ATTRIBUTE_FILES]
        network = resnet18(weights=None, num_classes=N_CATEGORIES)
        network.maxpool = nn.Identity()
        _load_weights(network, weights).to(self.device)
        network.fc = nn.Identity()
        names = [line.strip() for line in _lines(labels) if line.strip()]
        matrix = _matrix(responses, (len(names), 512))
        self.files.update({path.name: sha256_file(path) for path in paths})
        return network, matrix, names

    @torch.inference_mode()
    def _run(self, network: nn.Module, pictures: np.ndarray, width: int) -> np.ndarray:
        if pictures.dtype != np.uint8 or pictures.shape[1:] != (SIDE, SIDE, 3):
            raise StudyError(
                f"pictures are {pictures.dtype} {pictures.shape}; Places365 needs uint8 (N, {SIDE}, {SIDE}, 3)."
            )
        outputs = np.empty((len(pictures), width), np.float32)
        for start in range(0, len(pictures), _BATCH):
            batch = torch.from_numpy(pictures[start : start + _BATCH]).to(self.device).movedim(3, 1)
            maps = network(normalize(batch / 255, IMAGENET_MEAN, IMAGENET_STD))
            outputs[start : start + _BATCH] = maps.flatten(1).cpu().numpy()
        return outputs


def _best(values: np.ndarray, top: int) -> np.ndarray:
    return np.argsort(-values, axis=1, kind="stable")[:, :top]


def _obtain(name: str) -> Path:
    file, path = FILES[name], places_folder() / name
    if not path.is_file():
        _download(file, path)
    if file.sha256 is not None and (digest := sha256_file(path)) != file.sha256:
        raise _damaged(path, f"its sha256 {digest[:8]}… is not {file.sha256[:8]}…")
    return path


def _download(file: PlacesFile, path: Path) -> None:
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    try:
        torch.hub.download_url_to_file(file.address, str(path), file.sha256, progress=False)
    except (OSError, RuntimeError) as error:
        raise StudyError(
            f"{file.name}, a file of Places365, is missing and cannot be downloaded ({error}); "
            f"get it from {file.address} and put it into {path.parent}."
        ) from error


def _load_weights(network: nn.Module, path: Path) -> nn.Module:
    """Give the network the weights in a checkpoint of Python 2 and PyTorch 0.2; no code in it is run."""
    try:
        with warnings.catch_warnings():
            # torch warns that it ignores the encoding where it loads nothing but weights, yet decodes names by it.
            warnings.simplefilter("ignore")
            checkpoint = torch.load(path, map_location="cpu", weights_only=True, encoding="latin1")
        state = checkpoint["state_dict"]
        network.load_state_dict({name.replace("module.", ""): tensor for name, tensor in state.items()})
    except Exception as error:  # damaged bytes make torch raise whatever its reader stumbles over
        raise _damaged(
            path, f"it holds no {type(network).__name__} of {N_CATEGORIES} categories ({type(error).__name__})"
        ) from error
    return network.eval()


def _matrix(path: Path, shape: tuple[int, int]) -> np.ndarray:
    try:
        matrix = np.asarray(np.load(path, allow_pickle=False))
    except Exception as error:  # as above
        raise _damaged(path, f"it holds no array ({type(error).__name__})") from error
    if matrix.shape != shape:
        raise _damaged(path, f"its shape is {matrix.shape} instead of {shape}")
    return matrix


def _lines(path: Path, expected: int | None = None) -> list[str]:
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    if expected is not None and len(lines) != expected:
        raise _damaged(path, f"it has {len(lines)} lines instead of {expected}")
    return lines


def _damaged(path: Path, reason: str) -> StudyError:
    return StudyError(
        f"{path} is damaged, for {reason}; delete it, and have it downloaded again or get it from "
        f"{FILES[path.name].address}."
    )
