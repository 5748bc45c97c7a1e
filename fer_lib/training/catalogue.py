"""The study's experiments by name, as notebooks and `python -m fer_lib train` both use them."""

from collections.abc import Sequence

from fer_lib.errors import StudyError
from fer_lib.profiles import Profile
from fer_lib.training.fit import Experiment

AUGMENTATION = {"six_layer/base": "none", "six_layer/augmented": "paper004"}


def experiment(name: str, profile: Profile, classes: Sequence[str], seed: int) -> Experiment:
    """The experiment called `name`, at the size of a profile.

    Raises
    ------
    StudyError
        When no experiment has that name.
    """
    if name not in AUGMENTATION:
        raise StudyError(f"experiment {name!r} is unknown; use one of {', '.join(AUGMENTATION)}.")
    return Experiment(
        name,
        classes=tuple(classes),
        augmentation=AUGMENTATION[name],
        max_epochs=profile.max_epochs,
        patience=profile.patience,
        seed=seed,
    )
