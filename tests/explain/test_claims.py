import numpy as np
import pandas as pd
import pytest

from fer_lib.explain.claims import CLAIMS, MOSTLY, UNJUDGED, Claim, difference_of_means, elsewhere, judged, percent
from fer_lib.explain.regions import OUTSIDE, PLACES, emotion_regions
from fer_lib.faces.patches import REGIONS
from fer_lib.synthetic.expressions import PROTOTYPES

MOUTH = Claim("a paper", "happiness: the mouth", ("happiness",), ("mouth", "chin"))
N = 60  # pictures of each emotion
WEAK = "more than a bell, but not more than for other emotions"
FEW, FEW_OTHERS = (f"{UNJUDGED}: fewer than 10 pictures{more}" for more in ("", " of other emotions"))
BELL, OTHERS = "a bell in the middle, %", "heat there, other emotions, %"  # columns


def frames(happy, angry, bell=0.2, noise=0.02):
    """Shares of heat, of which mouth and chin have given means for two emotions, and of a bell, and the emotions."""
    rng = np.random.default_rng(0)
    named = np.repeat(["happiness", "anger"], N)
    shares, expected = (pd.DataFrame(0.0, range(2 * N), PLACES) for _ in range(2))
    shares["mouth"] = np.repeat([happy, angry], N) / 2 + rng.normal(0, noise, 2 * N)
    shares["chin"] = np.repeat([happy, angry], N) / 2
    shares[OUTSIDE] = 1 - shares.sum(axis=1)
    expected["mouth"], expected[OUTSIDE] = bell, 1 - bell
    return shares, expected, named


def verdict(*words, **more):
    (row,) = judged([MOUTH], *frames(*words, **more)).to_dict("records")
    return row["verdict"]


@pytest.mark.parametrize(
    ("happy", "angry", "told"),
    [
        (0.5, 0.3, "holds"),
        (0.5, 0.1, "holds"),
        (0.5, 0.5, WEAK),
        (0.5, 0.7, WEAK),
        (0.1, 0.05, "does not hold"),
        (0.1, 0.6, "does not hold"),
        (0.2, 0.1, "does not hold"),  # as much as expected
    ],
)
def test_a_claim_holds_where_its_places_get_more_heat_than_expected_and_than_for_others(happy, angry, told):
    assert verdict(happy, angry) == told


def test_what_could_be_chance_does_not_hold():
    assert verdict(0.21, 0.1, noise=0.3) == "does not hold"
    assert verdict(0.5, 0.49, noise=0.2) == WEAK


def test_a_claim_is_told_with_means_over_the_pictures_that_show_its_emotion():
    shares, expected, named = frames(0.5, 0.3)
    (row,) = judged([MOUTH], shares, expected, named).to_dict("records")
    heat = (shares["mouth"] + shares["chin"]).to_numpy()
    error = 1.96 * heat[:N].std() / np.sqrt(N)
    value, low, high = (float(part.strip("[],")) for part in row["heat there, %"].split())
    assert (row["paper"], row["claim"], row["N"]) == ("a paper", "happiness: the mouth", N)
    assert value == pytest.approx(100 * heat[:N].mean(), abs=0.051)
    assert (low, high) == pytest.approx((100 * (heat[:N].mean() - error), 100 * (heat[:N].mean() + error)), abs=0.2)
    assert row[BELL] == "20.0"
    assert row[OTHERS] == f"{100 * heat[N:].mean():.1f}"


@pytest.mark.parametrize(("there", "other"), [("no such picture", "holds"), ("no heat", FEW_OTHERS)])
def test_a_claim_without_a_picture_cannot_be_judged_and_another_can_where_it_has_what_to_compare_with(there, other):
    shares, expected, named = frames(0.5, 0.3)
    angry = Claim("another", "anger: the mouth", ("anger",), ("mouth",))
    if there == "no heat":
        shares[:N] = np.nan
    else:
        named = np.repeat(["anger", "fear"], N)
    found = judged([MOUTH, angry], shares, expected, named)
    assert found["verdict"].tolist() == [FEW, other]
    assert found["N"].tolist() == [0, N]


@pytest.mark.parametrize(("there", "told"), [(9, FEW), (10, "holds")])
def test_nine_pictures_are_too_few_for_a_verdict_and_ten_are_enough(there, told):
    shares, expected, named = frames(0.5, 0.3)
    shares[there:N] = np.nan
    (row,) = judged([MOUTH], shares, expected, named).to_dict("records")
    assert (row["N"], row["verdict"]) == (there, told)


@pytest.mark.parametrize(("there", "told"), [(0, FEW_OTHERS), (9, FEW_OTHERS), (10, "holds")])
def test_nine_pictures_of_other_emotions_are_too_few_to_compare_with_and_ten_are_enough(there, told):
    shares, expected, named = frames(0.5, 0.3)
    shares[N + there :] = np.nan
    (row,) = judged([MOUTH], shares, expected, named).to_dict("records")
    assert (row["N"], row["verdict"]) == (N, told)
    assert set(row) - {"paper", "claim", "N", "verdict"} == ({BELL, OTHERS, "heat there, %"} if there == 10 else set())


def test_without_pictures_of_other_emotions_nothing_is_judged_but_claims_about_all():
    shares, expected, _ = frames(0.5, 0.3)
    claims = [MOUTH, Claim("p", "all", (), ("mouth", "chin"))]
    found = judged(claims, shares, expected, np.repeat("happiness", 2 * N))
    assert found["verdict"].tolist() == [FEW_OTHERS, "holds"]


def test_pictures_without_heat_count_neither_for_nor_against():
    shares, expected, named = frames(0.5, 0.3)
    some = shares.copy()
    some.iloc[::2] = np.nan
    (row,) = judged([MOUTH], some, expected, named).to_dict("records")
    (kept,) = judged([MOUTH], shares[1::2], expected[1::2], named[1::2]).to_dict("records")
    assert row == kept
    assert row["N"] == N / 2


def test_a_claim_about_all_emotions_is_compared_with_no_other():
    shares, expected, named = frames(0.5, 0.3)
    (row,) = judged([Claim("p", "all", (), ("mouth", "chin"))], shares, expected, named).to_dict("records")
    assert (row["N"], row[OTHERS], row["verdict"]) == (2 * N, "–", "holds")
    (row,) = judged([Claim("p", "all", (), (OUTSIDE,))], shares, expected, named).to_dict("records")
    assert row["verdict"] == "does not hold"


def test_the_papers_claims_name_emotions_and_places_that_there_are():
    for claim in CLAIMS:
        assert set(claim.emotions) <= set(PROTOTYPES)
        assert set(claim.places) <= set(REGIONS)
        assert claim.places
    assert set(next(claim for claim in CLAIMS if "happiness: around" in claim.text).places) & set(
        emotion_regions("happiness")
    )


@pytest.fixture
def outside():
    """Ten pictures with .9 of their heat outside the face, twenty with .2, one with half, two without any."""
    shares = pd.DataFrame(0.0, range(33), PLACES)
    shares[OUTSIDE] = [0.9] * 10 + [0.2] * 20 + [MOSTLY] + [np.nan] * 2
    return shares


def test_pictures_whose_heat_is_mostly_outside_are_flagged_and_their_accuracy_is_compared(outside):
    right = np.array([True] * 3 + [False] * 7 + [True] * 18 + [False] * 2 + [True] + [True] * 2)
    flagged, difference = elsewhere(outside, right)
    assert flagged.tolist() == [True] * 10 + [False] * 23
    assert difference.value == pytest.approx(3 / 10 - 19 / 21)  # those without heat are in neither group
    error = 1.96 * np.sqrt(0.3 * 0.7 / 10 + 19 / 21 * 2 / 21 / 21)
    assert (difference.low, difference.high) == pytest.approx(
        (difference.value - error, difference.value + error), abs=0.06
    )


@pytest.mark.parametrize("part", [slice(0, 10), slice(0, 19), slice(1, 31), slice(10, 31), slice(31, 33)])
def test_where_one_group_has_fewer_than_ten_pictures_nothing_is_compared(outside, part):
    shares = outside[part].reset_index(drop=True)
    flagged, difference = elsewhere(shares, np.ones(len(shares), bool))
    assert difference is None
    assert flagged.sum() == max(0, 10 - part.start)


def test_a_difference_of_means_has_the_interval_of_the_normal_approximation(rng):
    first, second = rng.normal(0.3, 0.2, 500), rng.exponential(0.5, 300)
    found = difference_of_means(first, second)
    error = 1.96 * np.sqrt(first.var() / 500 + second.var() / 300)
    value = second.mean() - first.mean()
    assert found.value == pytest.approx(value)
    assert (found.low, found.high) == pytest.approx((value - error, value + error), abs=0.006)
    assert difference_of_means(second, first).value == pytest.approx(-value)
    assert found == difference_of_means(first, second)


def test_the_interval_holds_the_truth_in_about_95_of_100_studies():
    rng = np.random.default_rng(8)
    found = [difference_of_means(rng.random(60), rng.random(40) + 0.1, 300) for _ in range(200)]
    assert np.mean([one.low <= 0.1 <= one.high for one in found]) == pytest.approx(0.945, abs=0.04)


def test_shares_are_told_in_percent():
    assert percent(difference_of_means(np.zeros(3), np.full(3, 0.6125))) == "61.3 [61.3, 61.3]"
