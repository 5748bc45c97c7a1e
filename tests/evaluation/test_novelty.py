import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import mahalanobis
from sklearn.covariance import LedoitWolf
from sklearn.metrics import roc_auc_score

from fer_lib.evaluation.novelty import Novelty, auroc


@pytest.fixture
def known(rng):
    """Three classes of 40, 60 and 80 pictures with features that belong together, and the classes."""
    labels = np.repeat(["anger", "fear", "neutral"], [40, 60, 80])
    middles = {"anger": (0, 0, 0, 0), "fear": (9, 0, 0, 3), "neutral": (0, -7, 2, 0)}
    mix = rng.normal(size=(4, 4))
    return np.stack([middles[name] for name in labels]) + rng.normal(size=(180, 4)) @ mix, labels


def test_a_score_is_the_mahalanobis_distance_to_the_nearest_mean(known, rng):
    features, labels = known
    asked = rng.normal(scale=6, size=(25, 4))
    means = {name: features[labels == name].mean(0) for name in set(labels)}
    spread = np.array([row - means[name] for row, name in zip(features, labels, strict=True)])
    inverse = np.linalg.inv(LedoitWolf().fit(spread).covariance_)
    by_hand = [min(mahalanobis(row, mean, inverse) ** 2 for mean in means.values()) for row in asked]
    assert Novelty(features, labels).scores(asked) == pytest.approx(np.array(by_hand), rel=1e-6)


def test_every_mean_scores_zero_and_what_lies_farther_scores_higher(known):
    features, labels = known
    novelty = Novelty(features, labels)
    for name in set(labels):
        middle = features[labels == name].mean(0)
        away = middle + np.outer([0.0, 50.0, 100.0, 200.0], [0.0, 0.0, 0.0, 1.0])
        scores = novelty.scores(away)
        assert scores[0] == pytest.approx(0, abs=1e-9)
        assert (np.diff(scores) > 0).all()


def test_more_features_than_pictures_still_give_finite_scores(rng):
    features, labels = rng.normal(size=(12, 40)), np.repeat([0, 1], 6)
    novelty = Novelty(features, labels)
    near, far = novelty.scores(features), novelty.scores(features + 10)
    assert np.isfinite(near).all()
    assert (far > near).all()


@pytest.mark.parametrize("n_novel", [120, 75])
def test_the_area_is_scikit_learns_and_its_interval_scipys_bootstrap_interval(rng, n_novel):
    known = rng.normal(size=120)
    novel = known + rng.normal(0.5, 0.4, 120) if n_novel == 120 else rng.normal(0.8, 1, n_novel)

    def area(known, novel):
        return roc_auc_score(np.repeat([0, 1], [len(known), len(novel)]), np.r_[known, novel])

    told = {"vectorized": False, "n_resamples": 500, "method": "percentile", "rng": np.random.default_rng(1)}
    theirs = stats.bootstrap((known, novel), area, paired=n_novel == 120, **told).confidence_interval
    value, low, high = auroc(known, novel, 500)
    assert value == pytest.approx(area(known, novel))
    assert low < value < high
    assert (low, high) == pytest.approx((theirs.low, theirs.high), abs=0.02)


def test_two_forms_of_the_same_pictures_are_drawn_together(rng):
    known = rng.normal(size=150)
    novel = known + 1
    _, low, high = auroc(known, novel, 300)
    _, apart_low, apart_high = auroc(known, novel[:-1], 300)
    assert high - low < 0.7 * (apart_high - apart_low)


def test_what_is_all_farther_is_told_apart_without_doubt(rng):
    known = rng.random(30)
    assert auroc(known, known + 2, 50) == pytest.approx((1, 1, 1))
    assert auroc(known + 2, known[:20], 50) == pytest.approx((0, 0, 0), abs=1e-12)


def test_the_same_scores_are_a_coin_toss_and_the_seed_draws_the_interval(rng):
    known = rng.normal(size=60)
    assert auroc(known, known, 50) == pytest.approx((0.5, 0.5, 0.5))
    novel = known + rng.normal(size=60)
    assert auroc(known, novel, 50, 1) == auroc(known, novel, 50, 1) != auroc(known, novel, 50, 2)
