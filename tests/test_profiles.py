import pytest

from fer_lib.errors import StudyError
from fer_lib.profiles import PROFILES, get_profile, parse_seed


def test_profiles_grow_from_smoke_to_full():
    smoke, quick, full = (PROFILES[name] for name in ("smoke", "quick", "full"))
    assert smoke.synthetic_pictures < quick.synthetic_pictures < full.synthetic_pictures
    assert smoke.max_epochs < quick.max_epochs < full.max_epochs


def test_few_pictures_allow_few_components():
    assert get_profile("full").for_pictures(54).components == (10,)
    assert get_profile("full").for_pictures(20).components == (6,)
    assert get_profile("full").for_pictures(30000) == get_profile("full")


@pytest.mark.parametrize("seed", ["abc", "-1", -1, "1.5", ""])
def test_a_seed_that_is_no_whole_number_from_0_is_refused(seed):
    with pytest.raises(StudyError, match="is no whole number from 0; use one, such as SEED=0"):
        parse_seed(seed)


def test_an_unknown_profile_is_refused_with_the_known_ones():
    with pytest.raises(StudyError, match="PROFILE 'huge' is unknown; use one of smoke, quick, full"):
        get_profile("huge")
