"""The study's experiments by name, as notebooks and `python -m fer_lib train` both use them.

Each entry says how an experiment differs from the defaults of `Experiment`, which are those of paper 004.
"""

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from functools import partial
from itertools import product

from fer_lib.emotions import EMOTIONS
from fer_lib.errors import StudyError
from fer_lib.models.gimefive import GIMEFIVE
from fer_lib.models.published import N_FEATURES
from fer_lib.profiles import Profile
from fer_lib.training.experiment import Experiment
from fer_lib.training.inputs import REST

Settings = Callable[[Profile], dict]
DRAWN = "drawn"  # a start that `training.gather` trains first
UNMASKED = "unmasked"  # another: the same network, as it learnt from bare faces
STARTS = ("random", "imagenet", DRAWN)
PARTS = {
    "frozen": ("linear", {"frozen": True}),
    "head": ("layers", {"frozen": True}),
    "full": ("layers", {}),
}
OWN = "face_resnet_small"
SCENES = ("safer/background", "safer/background_redealt", "safer/place")  # which see what is around the face
TAUGHT = ("bare", "masked", "both")  # which faces a network of notebook 07 learns from
DRAWN_FACES = "six_layer/drawn_faces"  # on a table whose small classes are filled up by `data.drawn`
RANDOM_LABELS = "six_layer/random_labels"  # on a table whose labels tell nothing, see `data.tasks`
GPU_EPOCHS = 2.5  # times as long as the small network, since a GPU has the time


def experiment(name: str, profile: Profile, classes: Sequence[str], seed: int) -> Experiment:
    """The experiment called `name`, at the size of a profile.

    Raises
    ------
    StudyError
        When no experiment has that name.
    """
    if name not in CATALOGUE:
        raise StudyError(f"experiment {name!r} is unknown; use one of {', '.join(CATALOGUE)}.")
    return Experiment(name, seed=seed, **_limits(profile, classes) | CATALOGUE[name](profile))


def matching(patterns: Sequence[str]) -> list[str]:
    """The experiments that the patterns name, in the catalogue's order; `*` stands for anything.

    Raises
    ------
    StudyError
        When a pattern names none.
    """
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in CATALOGUE):
            raise StudyError(f"experiment {pattern!r} is unknown; use one of {', '.join(CATALOGUE)}.")
    return [name for name in CATALOGUE if any(fnmatchcase(name, pattern) for pattern in patterns)]


def architecture(name: str) -> str:
    """The network that a `transfer/<network>/<start>/<part>` experiment is about."""
    return name.split("/")[1]


def start_experiment(wanted: Experiment, profile: Profile) -> Experiment:
    """What trains the body that `wanted` starts from: the same network, whole, on drawn faces."""
    network = architecture(wanted.name)
    parts = {"start": "random", "part": "full"}
    whole = _own_transfer(profile, **parts) if network == OWN else _transfer(profile, network, **parts)
    return Experiment(f"start/{network}", seed=wanted.seed, **_limits(profile, wanted.classes) | whole)


def _limits(profile: Profile, classes: Sequence[str]) -> dict:
    limits = {name: getattr(profile, name) for name in ("max_epochs", "patience", "batch_size")}
    return {"classes": tuple(classes), **limits}


def _plain(profile: Profile, **settings) -> dict:
    return settings


def _base(profile: Profile) -> dict:
    """The six-layer network as it is; short profiles watch it on test, since they leave the strong recipe out."""
    return {"watch_test": profile.name != "full"}


def _strong(profile: Profile, length: float = 1.0, **changes) -> dict:
    """All that is known to help from nothing: a long cosine, mixed pictures, smoothed labels, averaged weights."""
    epochs = max(1, round(profile.strong_epochs * length))
    recipe = {
        "network": "face_resnet",
        "optimizer": "sgd",
        "learning_rate": 0.1 * profile.batch_size / 128,
        "schedule": "cosine",
        "augmentation": "strong",
        "mix": "mixup",
        "label_smoothing": 0.1,
        "averaging": epochs / 15,
        "views": "flip_shift",
        "max_epochs": epochs,
        "patience": epochs,
    }
    return recipe | changes


def _gimefive(profile: Profile, network: str) -> dict:
    """Section 5 of paper 001, its batch of 16 and rate of .001 taken times four, and with Nesterov's momentum."""
    recipe = {"size": 64, "optimizer": "sgd", "learning_rate": 4e-3, "weight_decay": 1e-4, "batch_size": 64}
    limits = {"max_epochs": round(profile.max_epochs * 4 / 3), "patience": round(profile.patience * 15 / 8)}
    return {"network": network, "schedule": "constant", "augmentation": "flip", **recipe, **limits}


def _stream(profile: Profile, network: str = "regular_stream", **settings) -> dict:
    """A stream of SAFER alone (paper 000, section 5), one-cycle in place of its "adaptive" rate that starts at 1e-5."""
    recipe = {"augmentation": "paper000", "schedule": "cosine", "learning_rate": 3e-3, "weight_decay": 1e-4}
    length = {"max_epochs": profile.stream_epochs, "patience": profile.stream_epochs}
    return {"network": network, "size": profile.stream_size, **recipe, **length, **settings}


def _frozen_resnet(profile: Profile, start: str) -> dict:
    """SAFER's other deep extractor: ResNet-50 as it starts, of which the features alone are used."""
    return {"network": "resnet50_linear", "start": start, "frozen": True, "size": profile.stream_size}


def _transfer(profile: Profile, network: str, start: str, part: str) -> dict:
    """Paper 004, section 4.5: Adam as for its own network; a body that knows something moves a tenth as fast."""
    head, settings = PARTS[part]
    whole = {"augmentation": "paper004", "learning_rate": 1e-3 if start == "random" else 1e-4}
    size = 48 if network in ("vgg11", "resnet18") else 96
    return {"network": f"{network}_{head}", "start": start, "size": size, **(settings or whole)}


def _own_transfer(profile: Profile, start: str, part: str) -> dict:
    """The study's small network, by the strong recipe; its head is one layer, so there are two parts to train."""
    if part == "frozen":
        return {"network": OWN, "start": start, "frozen": True}
    return _strong(profile, network=OWN, start=start)


def _of_masks(profile: Profile, settings: Settings, taught: str) -> dict:
    """A training on faces with or without masks; both together are twice the pictures, so they get half the epochs.

    All of them where the training is short, since it goes on from bare faces.
    """
    made = settings(profile)
    shorter = taught == "both" and made.get("start") != UNMASKED
    return made | {"max_epochs": max(1, made["max_epochs"] // 2)} if shorter else made


def _six_layer_masked(profile: Profile) -> dict:
    return {"max_epochs": profile.max_epochs}


def _mobilenet(profile: Profile, start: str) -> dict:
    """Paper 003's network; its flips, rotations and shifts have no given range, and its epochs no planned number."""
    epochs = min(10, profile.strong_epochs)
    settings = {"network": "mobilenet_v2_layers", "start": start, "augmentation": "paper004", "schedule": "cosine"}
    return {**settings, "learning_rate": 2e-3 if start == "random" else 2e-4, "max_epochs": epochs, "patience": epochs}


def _strong_masked(profile: Profile) -> dict:
    """The strong network goes on from what it learnt of bare faces, at a tenth of its rate, for ten epochs at most.

    So does the one that sees bare faces again, for the others' sake. A short profile has half its usual time.
    """
    length = min(1 / 2, 10 / profile.strong_epochs)
    slowly = 0.01 * profile.batch_size / 128
    return _strong(profile, length=length, network=OWN, start=UNMASKED, learning_rate=slowly, mix="none")


def _bars(profile: Profile) -> dict:
    """A network from nothing on paper 002's task, with a length of its own."""
    epochs = min(20, profile.max_epochs)
    length = {"schedule": "cosine", "max_epochs": epochs, "patience": epochs, "learning_rate": 3e-3}
    return {"augmentation": "paper004", **length}


def _catalogue() -> dict[str, Settings]:
    six_layer = {
        "augmented": {"augmentation": "paper004"},
        "balanced": {"balance": "batches", "loss": "nll"},
        "balanced_augmented": {"balance": "batches", "augmentation": "paper004"},
        "augmented_001": {"augmentation": "paper001"},
        "augmented_pixels": {"augmentation": "paper004_pixels"},
        "augmented_slowly": {"augmentation": "paper004", "decay": 0.95, "patience": 16},
        "weighted": {"loss": "weighted"},
        "focal": {"loss": "focal"},
        "smoothed": {"label_smoothing": 0.1},
        "votes": {"targets": "votes"},
        "drawn_faces": {},
        "random_labels": {},
    }
    strong = {
        "small": {"network": OWN, "watch_test": True},
        "single": {"length": GPU_EPOCHS, "watch_test": True},
        "without_mixup": {"network": OWN, "mix": "none"},
        "without_smoothing": {"network": OWN, "label_smoothing": 0.0},
        "without_average": {"network": OWN, "averaging": 0.0},
        "without_augmentation": {"network": OWN, "augmentation": "none"},
        "with_cutmix": {"network": OWN, "mix": "mixup_cutmix"},
        "with_sharpness": {"network": OWN, "sharpness": 0.05},
    }
    entries = {"six_layer/base": _base}
    entries |= {f"six_layer/{name}": partial(_plain, **settings) for name, settings in six_layer.items()}
    entries["regular/base"] = partial(_plain, network="regular", size=226, augmentation="paper004")
    entries |= {f"gimefive/{name.removeprefix('gimefive_')}": partial(_gimefive, network=name) for name in GIMEFIVE}
    long = {"length": GPU_EPOCHS, "network": "gimefive_15_bn_dropout", "size": 64}
    entries["gimefive/15_bn_strong"] = partial(_strong, **long)
    entries |= {f"strong/{name}": partial(_strong, **settings) for name, settings in strong.items()}
    entries["safer/deep"] = _stream
    entries |= {name: partial(_stream, network="regular_stream_colour") for name in SCENES}
    entries |= {
        f"safer/resnet50/{start}/frozen": partial(_frozen_resnet, start=start) for start in ("random", "imagenet")
    }
    taught = {"six_layer": _six_layer_masked, "strong": _strong_masked}
    taught |= {f"mobilenet_v2/{start}": partial(_mobilenet, start=start) for start in ("random", "imagenet")}
    for (name, settings), faces in product(taught.items(), TAUGHT):
        if (name, faces) != ("six_layer", "bare"):  # which notebook 04 trains
            entries[f"masked/{name}/{faces}"] = partial(_of_masks, settings=settings, taught=faces)
    for part in ("none", "eyes", "nose", "mouth"):
        entries[f"bars_scratch/{part}"] = _bars
        for start in ("random", "imagenet"):
            frozen = partial(_transfer, network="googlenet", start=start, part="frozen")
            entries[f"bars/googlenet/{start}/{part}"] = frozen
    entries |= {"regions/six_layer": _six_layer_masked, "regions/strong": _strong_masked}
    for emotion in EMOTIONS:
        settings = {"classes": (emotion, REST), "balance": "batches", "chosen_by": "recall"}
        entries[f"one_against_rest/{emotion}"] = partial(_plain, **settings)
    for network, start, part in product(N_FEATURES, STARTS, PARTS):
        entries[f"transfer/{network}/{start}/{part}"] = partial(_transfer, network=network, start=start, part=part)
    for start, part in (("random", "frozen"), (DRAWN, "frozen"), (DRAWN, "full")):
        entries[f"transfer/{OWN}/{start}/{part}"] = partial(_own_transfer, start=start, part=part)
    return entries


CATALOGUE = _catalogue()
