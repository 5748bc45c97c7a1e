"""How much is computed: `smoke` shows that it runs, `quick` that it works, `full` is the study."""

from dataclasses import dataclass

from fer_lib.errors import StudyError


@dataclass(frozen=True)
class Profile:
    """Sizes of one profile.

    synthetic_pictures : drawn faces of the embedded data set
    components : numbers of principal components that are compared
    search_pictures : training pictures that the cross-validation of C and gamma sees
    search_folds : folds of that cross-validation
    max_epochs, patience : limits of a network's training
    seeds : how many trainings stand behind a network's row
    resamples : bootstrap resamples behind an interval
    """

    name: str
    synthetic_pictures: int
    components: tuple[int, ...]
    search_pictures: int
    search_folds: int
    max_epochs: int
    patience: int
    seeds: int
    resamples: int


PROFILES = {
    profile.name: profile
    for profile in (
        Profile("smoke", 700, (10, 30, 60), 300, 2, 2, 2, 1, 200),
        Profile("quick", 4200, (10, 25, 50, 100, 150, 250), 1200, 3, 20, 5, 1, 2000),
        Profile("full", 21000, (10, 25, 50, 100, 150, 250, 400), 8000, 3, 60, 8, 1, 10000),
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
