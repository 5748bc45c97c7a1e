import numpy as np
import pandas as pd
import pytest

from fer_lib.faces.geometry import EYES
from fer_lib.mask_hint import extent, outline_hint

LABELS = ("anger", "fear", "happiness", "neutral")


def mesh_at(left, right) -> np.ndarray:
    """A mesh whose eyes, each with both corners around it, are at two places; all else is at (7, 7)."""
    points = np.full((478, 3), 7.0, np.float32)
    for corners, place in zip(EYES, (left, right), strict=True):
        points[list(corners), :2] = np.add(place, [[3, 0], [-3, 0]])
    return points


def moved(points, angle, scale, shift) -> np.ndarray:
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return scale * np.asarray(points) @ turn.T + shift


@pytest.fixture
def crowd(rng):
    """Four hundred masked faces of equal meshes, with outlines that have nothing to do with the labels."""
    frame = pd.DataFrame({"label": rng.choice(LABELS, 400), "split": ["train"] * 200 + ["test"] * 200})
    frame["problem"] = pd.Series([None] * 400, dtype=object)
    frame["cover_fitted"] = pd.Series([True] * 400, dtype=object)
    frame["cover_outlines"] = [[outline] for outline in rng.uniform(0, 100, (400, 8)).tolist()]
    return frame, pd.Series([mesh_at((70, 40), (30, 40)).tobytes()] * 400)


def told_by_label(frame) -> pd.Series:
    """Outlines that end the lower, the later their label stands in the list."""
    ends = frame["label"].map({name: 60 + 10 * number for number, name in enumerate(LABELS)})
    return pd.Series([[[30, 50, 70, 50, 50, end]] for end in ends], frame.index)


def test_a_mask_is_measured_in_eye_distances_from_between_the_eyes():
    outline = [30, 60, 80, 60, 50, 120]  # around a face whose eyes are 40 pixels apart, at a height of 40
    assert extent(outline, mesh_at((70, 40), (30, 40))) == pytest.approx([-0.5, 0.5, 0.75, 2.0])


def test_a_face_that_lies_on_its_side_is_measured_along_itself():
    outline = [40, 70, 40, 20, -20, 50]  # the same, turned by a right angle: x′ = 100 − y, y′ = x
    assert extent(outline, mesh_at((60, 70), (60, 30))) == pytest.approx([-0.75, 0.5, 0.5, 2.0])


@pytest.mark.parametrize(("angle", "scale", "shift"), [(0, 1, (30, -9)), (0.7, 1, (0, 0)), (-2.5, 3.5, (200, 80))])
def test_moving_turning_and_scaling_face_and_mask_together_changes_nothing(rng, angle, scale, shift):
    mesh, outline = rng.uniform(0, 100, (478, 2)), rng.uniform(0, 100, (9, 2))
    after = extent(moved(outline, angle, scale, shift).ravel().tolist(), moved(mesh, angle, scale, shift))
    assert after == pytest.approx(extent(outline.ravel().tolist(), mesh))


def test_moving_the_mask_alone_changes_its_extent(rng):
    mesh, outline = mesh_at((70, 40), (30, 40)), rng.uniform(0, 100, (9, 2))
    before = extent(outline.ravel(), mesh)
    assert extent(np.add(outline, [0, 20]).ravel(), mesh) - before == pytest.approx([0, 0.5, 0, 0.5])


def test_outlines_that_tell_the_emotion_tell_it_all(crowd):
    frame, landmarks = crowd
    hint = outline_hint(frame.assign(cover_outlines=told_by_label(frame)), landmarks)
    assert (hint.accuracy, hint.n) == (1, 200)


def test_outlines_that_tell_nothing_are_right_by_chance(crowd):
    frame, landmarks = crowd
    hint = outline_hint(frame, landmarks)
    assert hint.accuracy == pytest.approx(1 / len(LABELS), abs=0.1)  # three standard errors of 200 faces
    largest = frame.query("split == 'train'")["label"].mode().item()
    always = (frame.query("split == 'test'")["label"] == largest).mean()
    assert hint.gain.value == pytest.approx(hint.accuracy - always)
    assert hint.gain.low < hint.gain.value < hint.gain.high


def test_masks_that_were_not_fitted_and_rows_with_a_problem_do_not_count(crowd):
    frame, landmarks = crowd
    frame = frame.assign(cover_outlines=told_by_label(frame))
    wrong = frame.index % 4 == 0
    frame.loc[wrong, "label"] = "anger"  # which would make the outlines tell less
    frame.loc[wrong & (frame.index % 8 == 0), "cover_fitted"] = False
    frame.loc[wrong & (frame.index % 8 == 4), ["problem", "cover_fitted", "cover_outlines"]] = ["broken", None, None]
    hint = outline_hint(frame, landmarks.where(~wrong, None))
    assert (hint.accuracy, hint.n) == (1, 150)


def test_validation_faces_are_neither_learnt_from_nor_asked(crowd):
    frame, landmarks = crowd
    frame.loc[frame.index % 2 == 0, "split"] = "validation"
    fewer = frame[frame["split"] != "validation"]
    assert outline_hint(frame, landmarks) == outline_hint(fewer, landmarks[fewer.index])
    assert outline_hint(frame, landmarks).n == 100
