"""How much is computed: `smoke` shows that it runs, `quick` that it works, `full` is the study."""

from dataclasses import dataclass, replace

from fer_lib.errors import StudyError


@dataclass(frozen=True)
class Profile:
    """Sizes of one profile.

    synthetic_pictures : drawn people of the embedded data set
    components : numbers of principal components that are compared
    search_pictures : training pictures that the cross-validation of C and gamma sees
    search_folds : folds of that cross-validation
    max_epochs, patience : limits of a network's training
    batch_size : of its steps; few pictures need small batches to make steps enough
    strong_epochs : length of the strong recipe, whose learning rate falls to nothing at its end
    start_pictures : drawn faces that a network learns before it sees the data set (notebook 05)
    stream_size, stream_epochs : side in pixels of the pictures that SAFER's streams see, and how long each learns alone
    fusion_epochs, fusion_seeds : limit of the training of SAFER's last layers, and how many trainings of each there are
    seeds, seeds_without_gpu : trainings behind each headline, and how many of them are made where there is no GPU
    trials : settings that the search tries (notebook 04)
    explained : the least test pictures whose heat maps are put to the test, which asks a network hundreds of times
        about each (notebook 09)
    without_gpu : patterns of the experiments that are trained where there is no GPU; the others are taken from the
        run store or left out, and the page says so
    resamples : bootstrap resamples behind an interval
    """

    name: str
    synthetic_pictures: int
    components: tuple[int, ...]
    search_pictures: int
    search_folds: int
    max_epochs: int
    patience: int
    batch_size: int
    strong_epochs: int
    start_pictures: int
    stream_size: int
    stream_epochs: int
    fusion_epochs: int
    fusion_seeds: int
    seeds: int
    seeds_without_gpu: int
    trials: int
    explained: int
    without_gpu: tuple[str, ...]
    resamples: int

    def for_pictures(self, n: int) -> "Profile":
        """This profile for `n` training pictures: no more components than a third of them."""
        fitting = tuple(k for k in self.components if k <= n // 3)
        return replace(self, components=fitting or (n // 3,))


_SIX_LAYER = ("six_layer/base", "six_layer/augmented", "six_layer/random_labels")
_CACHED = tuple(
    f"transfer/{n}/{s}/{p}" for n in ("vgg11", "resnet18") for s in ("random", "imagenet") for p in ("frozen", "head")
)
_TRANSFER = ("transfer/resnet18/*/frozen", "transfer/vgg11/random/head", "transfer/face_resnet_small/*")
_TRANSFER_QUICK = (
    "transfer/resnet18/random/frozen",
    "transfer/vgg11/random/head",
    "transfer/face_resnet_small/*/frozen",
)
_COVERED = ("bars*", "regions/*")
PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            "smoke",
            synthetic_pictures=210,
            components=(10, 30, 60),
            search_pictures=300,
            search_folds=2,
            max_epochs=2,
            patience=2,
            batch_size=32,
            strong_epochs=2,
            start_pictures=140,
            stream_size=48,
            stream_epochs=1,
            fusion_epochs=2,
            fusion_seeds=2,
            seeds=2,
            seeds_without_gpu=2,
            trials=2,
            explained=14,
            without_gpu=(
                "six_layer/*",
                "gimefive/1[35]_bn",
                "regular/*",
                "strong/small",
                "strong/with*",
                "one_against_rest/*",
                "safer/*",
                "masked/*",
                *_COVERED,
                "search",
                *_TRANSFER,
            ),
            resamples=200,
        ),
        Profile(
            "quick",
            synthetic_pictures=2800,
            components=(10, 25, 50, 100, 150, 250),
            search_pictures=1200,
            search_folds=3,
            max_epochs=6,
            patience=5,
            batch_size=32,
            strong_epochs=6,
            start_pictures=350,
            stream_size=48,
            stream_epochs=5,
            fusion_epochs=20,
            fusion_seeds=5,
            seeds=2,
            seeds_without_gpu=2,
            trials=3,
            explained=40,
            without_gpu=(
                *_SIX_LAYER,
                "safer/*",
                "masked/six_layer/*",
                "bars*",
                "regions/six_layer",
                "search",
                *_TRANSFER_QUICK,
            ),
            resamples=2000,
        ),
        Profile(
            "full",
            synthetic_pictures=21000,
            components=(10, 25, 50, 100, 150, 250, 400),
            search_pictures=8000,
            search_folds=3,
            max_epochs=60,
            patience=8,
            batch_size=128,
            strong_epochs=60,
            start_pictures=21000,
            stream_size=112,
            stream_epochs=20,
            fusion_epochs=30,
            fusion_seeds=5,
            seeds=5,
            seeds_without_gpu=1,
            trials=30,
            explained=200,
            without_gpu=(
                *_SIX_LAYER,
                "six_layer/balanced*",
                "strong/small",
                "safer/*",
                "masked/*",
                "bars*",
                "regions/strong",
                *_CACHED,
            ),
            resamples=10000,
        ),
    )
}


def get_profile(name: str) -> Profile:
    """The profile called `name`.

    Raises
    ------
    StudyError
        When there is none of that name.
    """
    if name not in PROFILES:
        raise StudyError(f"PROFILE {name!r} is unknown; use one of {', '.join(PROFILES)}.")
    return PROFILES[name]


def parse_seed(seed: int | str) -> int:
    """The seed as a number.

    Raises
    ------
    StudyError
        When it is no whole number from 0.
    """
    if not str(seed).isdecimal():
        raise StudyError(f"SEED {seed!r} is no whole number from 0; use one, such as SEED=0.")
    return int(seed)
