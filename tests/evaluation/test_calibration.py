import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import log_loss
from torchmetrics.functional.classification import multiclass_calibration_error

from fer_lib.emotions import BASIC
from fer_lib.evaluation.calibration import (
    confidence_bins,
    expected_calibration_error,
    fit_temperature,
    with_temperature,
)
from fer_lib.evaluation.metrics import predicted_labels


def softmax(logits: np.ndarray) -> np.ndarray:
    return torch.from_numpy(logits).softmax(1).numpy()


def frame(scores: np.ndarray, labels: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(scores, columns=list(BASIC)).assign(label=np.array(BASIC)[labels])


@pytest.fixture
def honest(rng):
    """Logits (20000, 7) and labels drawn with exactly their probabilities."""
    logits = rng.normal(0, 1.5, (20000, 7))
    labels = (softmax(logits).cumsum(1) > rng.random((20000, 1))).argmax(1)
    return logits, labels


def test_bins_by_hand():
    scores = pd.DataFrame({"fear": [0.9, 0.8, 0.45], "anger": [0.1, 0.2, 0.55]})
    bins = confidence_bins(scores.assign(label=["fear", "anger", "anger"]), ["fear", "anger"], 4)
    assert bins["n"].tolist() == [0, 0, 1, 2]
    assert bins["confidence"].tolist()[2:] == pytest.approx([0.55, 0.85])
    assert bins["accuracy"].tolist()[2:] == [1, 0.5]
    assert bins.loc[:1, ["confidence", "accuracy"]].isna().all(axis=None)


def test_a_certain_score_falls_into_the_last_bin():
    bins = confidence_bins(pd.DataFrame({"fear": [1.0], "anger": [0.0], "label": ["fear"]}), ["fear", "anger"], 3)
    assert bins["n"].tolist() == [0, 0, 1]


@pytest.mark.parametrize("bins", [10, 15])
def test_the_calibration_error_is_torchmetrics(honest, bins):
    logits, labels = honest
    scores = softmax(2 * logits)
    theirs = multiclass_calibration_error(torch.from_numpy(scores), torch.from_numpy(labels), 7, bins)
    assert expected_calibration_error(frame(scores, labels), BASIC, bins) == pytest.approx(theirs.item(), abs=1e-6)


def test_a_label_outside_the_classes_is_an_error():
    with pytest.raises(ValueError, match="contempt"):
        fit_temperature(frame(np.full((1, 7), 1 / 7), [0]).assign(label="contempt"), BASIC)


@pytest.mark.parametrize("wrong", [0.5, 1.0, 3.0])
def test_the_temperature_that_spoilt_honest_scores_is_found_and_undone(honest, wrong):
    logits, labels = honest
    spoilt = frame(softmax(wrong * logits), labels)
    temperature = fit_temperature(spoilt, BASIC)
    mended = with_temperature(spoilt, BASIC, temperature)
    assert temperature == pytest.approx(wrong, rel=0.04)
    assert expected_calibration_error(mended, BASIC) < 0.015
    before, after = (log_loss(labels, part[list(BASIC)], labels=range(7)) for part in (spoilt, mended))
    assert after <= before


def test_a_temperature_divides_the_logits_and_changes_no_prediction(honest):
    logits, labels = honest
    before = frame(softmax(logits), labels).assign(id=range(20000))
    after = with_temperature(before, BASIC, 2.5)
    np.testing.assert_allclose(after[list(BASIC)], softmax(logits / 2.5), rtol=1e-9)
    assert (predicted_labels(after, BASIC) == predicted_labels(before, BASIC)).all()
    assert after["id"].equals(before["id"])


def test_a_model_without_errors_gets_a_finite_temperature_above_zero():
    perfect = frame(np.eye(7) * 0.65 + 0.05, np.arange(7))
    assert 0 < fit_temperature(perfect, BASIC) < 0.1


def test_a_temperature_of_zero_is_an_error():
    with pytest.raises(ValueError, match="above 0"):
        with_temperature(frame(np.eye(7), np.arange(7)), BASIC, 0)
