import pytest

from fer_lib.errors import StudyError
from fer_lib.profiles import PROFILES, get_profile


def test_profiles_grow_from_smoke_to_full():
    smoke, quick, full = (PROFILES[name] for name in ("smoke", "quick", "full"))
    assert smoke.synthetic_pictures < quick.synthetic_pictures < full.synthetic_pictures
    assert smoke.max_epochs < quick.max_epochs < full.max_epochs


def test_an_unknown_profile_is_refused_with_the_known_ones():
    with pytest.raises(StudyError, match="PROFILE 'huge' is unknown; use one of smoke, quick, full"):
        get_profile("huge")
