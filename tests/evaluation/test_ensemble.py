import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import VotingClassifier

from fer_lib.emotions import BASIC
from fer_lib.evaluation.ensemble import average, forward_selection, one_against_rest, vote
from fer_lib.evaluation.metrics import predicted_labels, rightly

TWO = ("fear", "anger")


def frame(scores, labels, classes=BASIC) -> pd.DataFrame:
    known = {"id": [f"p{k}" for k in range(len(labels))], "split": "validation", "label": labels}
    return pd.concat([pd.DataFrame(known), pd.DataFrame(np.asarray(scores), columns=list(classes))], axis=1)


def of_fear(fear, labels) -> pd.DataFrame:
    """A model of two classes that gives fear these scores."""
    return frame(np.column_stack([fear, 1 - np.asarray(fear)]), labels, TWO)


@pytest.fixture
def models(rng):
    labels = rng.choice(BASIC, 60)
    return [frame(rng.dirichlet(np.ones(7), 60), labels) for _ in range(3)]


def voting(models, how: str) -> VotingClassifier:
    """Scikit-learn's ensemble of classifiers that answer with the models' scores."""
    voter = VotingClassifier([(str(k), None) for k in range(len(models))], voting=how)
    voter.estimators_ = [DummyClassifier() for _ in models]
    for estimator, model in zip(voter.estimators_, models, strict=True):
        scores = model[list(BASIC)].to_numpy()
        estimator.predict_proba = lambda _, scores=scores: scores
        estimator.predict = lambda _, scores=scores: scores.argmax(1)
    return voter


def test_the_average_is_scikit_learns_soft_vote(models):
    theirs = voting(models, "soft").predict_proba(None)
    np.testing.assert_allclose(average(models, BASIC)[list(BASIC)], theirs)


def test_models_are_matched_by_picture_and_not_by_row(models):
    shuffled = [models[0], *(model.sample(frac=1, random_state=1) for model in models[1:])]
    for pool in (average, vote):
        pd.testing.assert_frame_equal(pool(shuffled, BASIC), pool(models, BASIC))


def test_a_majority_wins_against_the_surest_minority():
    labels = ["fear"]
    pooled = vote([of_fear([0.51], labels), of_fear([0.51], labels), of_fear([0.0], labels)], TWO)
    assert pooled.loc[0, list(TWO)].tolist() == pytest.approx([2 / 3, 1 / 3], abs=1e-3)


def test_equal_votes_are_settled_by_the_mean_score():
    pooled = vote([of_fear([0.4, 0.1], TWO), of_fear([0.9, 0.6], TWO)], TWO)
    assert predicted_labels(pooled, TWO).tolist() == ["fear", "anger"]
    np.testing.assert_allclose(pooled[list(TWO)].sum(1), 1)


def test_where_votes_are_not_equal_the_vote_is_scikit_learns_hard_vote(models):
    votes = np.array([predicted_labels(model, BASIC) for model in models])
    clear = np.array([len(set(column)) < 3 for column in votes.T])
    theirs = voting(models, "hard")
    theirs.le_ = type("Same", (), {"inverse_transform": staticmethod(np.array)})
    ours = predicted_labels(vote(models, BASIC), BASIC)
    assert (ours == np.array(BASIC)[theirs.predict(None)])[clear].all()
    assert 20 < clear.sum() < 60


@pytest.mark.parametrize("pool", [average, vote])
def test_other_pictures_or_other_labels_are_an_error(models, pool):
    with pytest.raises(ValueError, match="same pictures"):
        pool([models[0], models[1].iloc[1:]], BASIC)
    with pytest.raises(ValueError, match="same pictures"):
        pool([models[0], models[1].assign(id=models[1]["id"].replace("p3", "other"))], BASIC)
    with pytest.raises(ValueError, match="different labels"):
        pool([models[0], models[1].assign(label="fear")], BASIC)


def test_one_against_rest_by_hand():
    fear = frame([[0.9, 0.1], [0.2, 0.8]], ["fear", "rest"], ("fear", "rest"))
    anger = frame([[0.7, 0.3], [0.3, 0.7]], ["anger", "rest"], ("anger", "rest")).assign(id=["p1", "p0"])
    pooled = one_against_rest({"fear": fear, "anger": anger}, TWO)
    assert pooled["label"].tolist() == ["fear", "anger"]
    np.testing.assert_allclose(pooled[list(TWO)], [[0.9 / 1.2, 0.3 / 1.2], [0.2 / 0.9, 0.7 / 0.9]])


def test_a_picture_that_every_model_calls_rest_gets_equal_scores():
    frames = {name: frame([[0.0, 1.0]], ["fear"], (name, "rest")) for name in TWO}
    assert one_against_rest(frames, TWO).loc[0, list(TWO)].tolist() == [0.5, 0.5]


def test_a_picture_of_no_emotion_or_of_two_is_an_error():
    for labels in (("rest", "rest"), TWO):
        frames = {name: frame([[0.5, 0.5]], [own], (name, "rest")) for name, own in zip(TWO, labels, strict=True)}
        with pytest.raises(ValueError, match="exactly one emotion"):
            one_against_rest(frames, TWO)


def test_selection_takes_the_best_model_then_the_one_that_mends_its_error_and_stops():
    labels = ["fear"] * 4
    frames = {
        "twin": of_fear([0.9, 0.9, 0.9, 0.4], labels),
        "best": of_fear([0.9, 0.9, 0.9, 0.4], labels),
        "helper": of_fear([0.3, 0.3, 0.2, 0.9], labels),
        "useless": of_fear([0.1, 0.1, 0.1, 0.1], labels),
    }
    assert forward_selection(frames, TWO, 4) == ["best", "helper"]
    assert forward_selection(dict(reversed(frames.items())), TWO, 4) == ["best", "helper"]
    assert forward_selection(frames, TWO, 1) == ["best"]


def test_selection_never_does_worse_on_validation_than_the_best_single_model(models):
    frames = {str(k): model for k, model in enumerate(models)}
    pooled = average([frames[name] for name in forward_selection(frames, BASIC, 3)], BASIC)
    assert rightly(pooled, BASIC).sum() >= max(rightly(model, BASIC).sum() for model in models)
