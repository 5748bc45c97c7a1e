import numpy as np
import pytest

from fer_lib.synthetic.measure import follow_unit, measure_people, open_eyes
from fer_lib.synthetic.plan import PRESETS, plan

CARDS = plan(PRESETS["balanced"], 42, np.random.default_rng(0), n_subjects=21)


@pytest.fixture(scope="module")
def eyes():
    return open_eyes()


def test_networks_trained_on_photographs_see_people_in_the_drawings(eyes):
    people = measure_people(eyes, CARDS)
    assert people["blazeface"].mean() >= 0.97
    assert people["mesh"].mean() >= 0.97
    assert people["error"].mean() <= 0.03
    assert people[["brow", "eye", "mouth"]].mean().max() <= 0.03
    assert people["overlap"].mean() >= 0.95


@pytest.mark.parametrize("unit", [1, 4, 12, 26, 45])
def test_a_driven_action_unit_is_measured_in_proportion(eyes, unit):
    assert follow_unit(eyes, unit, CARDS[:1], steps=5) > 0.85
