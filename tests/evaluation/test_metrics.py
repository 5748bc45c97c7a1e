import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from fer_lib.emotions import BASIC
from fer_lib.evaluation import metrics


@pytest.fixture
def predictions(rng):
    scores = rng.random((500, 7))
    labels = rng.integers(0, 7, 500)
    scores[np.arange(500), labels] += 0.3
    return pd.DataFrame(scores, columns=list(BASIC)).assign(label=np.array(BASIC)[labels])


def test_overall_metrics_are_scikit_learns(predictions):
    true, predicted = predictions["label"], metrics.predicted_labels(predictions, BASIC)
    counts = metrics.confusion(predictions, BASIC)
    assert metrics.accuracy(counts) == pytest.approx(sk.accuracy_score(true, predicted))
    assert metrics.mean_class_recall(counts) == pytest.approx(sk.balanced_accuracy_score(true, predicted))
    assert metrics.macro_precision(counts) == pytest.approx(sk.precision_score(true, predicted, average="macro"))
    assert metrics.macro_f1(counts) == pytest.approx(sk.f1_score(true, predicted, average="macro"))
    assert metrics.weighted_f1(counts) == pytest.approx(sk.f1_score(true, predicted, average="weighted"))


def test_class_metrics_are_scikit_learns(predictions):
    true, predicted = predictions["label"], metrics.predicted_labels(predictions, BASIC)
    counts = metrics.confusion(predictions, BASIC)
    expected = sk.precision_recall_fscore_support(true, predicted, labels=BASIC)
    for ours, theirs in zip(("precision", "recall", "F1"), expected, strict=False):
        assert metrics.CLASS_METRICS[ours](counts) == pytest.approx(theirs)
    one_against_rest = [sk.accuracy_score(true == name, predicted == name) for name in BASIC]
    assert metrics.class_accuracy(counts) == pytest.approx(one_against_rest)


def test_always_saying_one_class_takes_the_most_frequent_of_train_whatever_test_shows_most_of():
    rows = pd.DataFrame({"split": ["train"] * 4 + ["test"] * 3, "label": [*"baab", *"aab"]})  # in train, both as often
    assert metrics.always_largest(rows).tolist() == [True, True, False]
    rows.loc[1, "label"] = "b"
    assert metrics.always_largest(rows).tolist() == [False, False, True]


@pytest.mark.filterwarnings("ignore")
def test_a_class_without_pictures_and_without_predictions_counts_as_zero():
    counts = np.array([[3, 1, 0], [2, 4, 0], [0, 0, 0]])
    assert metrics.class_recall(counts).tolist() == [0.75, 4 / 6, 0]
    assert metrics.class_precision(counts).tolist() == [0.6, 0.8, 0]
    assert metrics.class_f1(counts)[2] == 0


def test_leading_axes_are_kept(rng):
    counts = rng.integers(0, 20, (5, 4, 7, 7))
    for metric in metrics.METRICS.values():
        assert metric(counts).shape == (5, 4)
        assert metric(counts)[2, 3] == pytest.approx(metric(counts[2, 3]))
    for metric in metrics.CLASS_METRICS.values():
        assert metric(counts).shape == (5, 4, 7)


def test_roc_areas_are_scikit_learns_one_against_rest(predictions):
    for name, (_, _, area) in metrics.roc_curves(predictions, BASIC).items():
        assert area == pytest.approx(sk.roc_auc_score(predictions["label"] == name, predictions[name]))


def test_areas_by_ranks_are_scikit_learns_ties_included_and_nan_without_pictures_of_a_class(predictions):
    coarse = predictions.assign(**predictions[list(BASIC)].round(1))
    areas = metrics.roc_areas(coarse, BASIC)
    assert areas == pytest.approx([sk.roc_auc_score(coarse["label"] == name, coarse[name]) for name in BASIC])
    without = coarse[coarse["label"] != "fear"]
    assert np.isnan(metrics.roc_areas(without, BASIC)).tolist() == [name == "fear" for name in BASIC]
