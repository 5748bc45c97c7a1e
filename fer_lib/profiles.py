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
    resamples : bootstrap resamples behind an interval
    """

    name: str
    synthetic_pictures: int
    components: tuple[int, ...]
    search_pictures: int
    search_folds: int
    max_epochs: int
    patience: int
    resamples: int

    def for_pictures(self, n: int) -> "Profile":
        """This profile for `n` training pictures: no more components than a third of them."""
        fitting = tuple(k for k in self.components if k <= n // 3)
        return replace(self, components=fitting or (n // 3,))


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("smoke", 210, (10, 30, 60), 300, 2, 2, 2, 200),
        Profile("quick", 2800, (10, 25, 50, 100, 150, 250), 1200, 3, 20, 5, 2000),
        Profile("full", 21000, (10, 25, 50, 100, 150, 250, 400), 8000, 3, 60, 8, 10000),
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
