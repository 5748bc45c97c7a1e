import hashlib
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from fer_lib.emotions import BASIC
from fer_lib.synthetic import PROTOTYPES, synthesize

ROOT = Path(__file__).parents[2]


def digest(drawings):
    told = hashlib.sha256()
    for drawing in drawings:
        told.update(drawing.picture.tobytes())
        told.update(repr((drawing.emotion, drawing.subject, drawing.action_units)).encode())
    return told.hexdigest()


def test_one_seed_gives_the_same_bytes_in_a_fresh_process():
    code = (
        "import sys; sys.path[:0] = ['tests/synthetic', '.']\n"
        "from test_generate import digest, synthesize\n"
        "print(digest(synthesize(14, 4)))"
    )
    fresh = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert fresh.stdout.strip() == digest(synthesize(14, 4))
    assert fresh.stdout.strip() != digest(synthesize(14, 5))


def test_a_picture_does_not_depend_on_how_many_are_drawn():
    short, long = synthesize(9, 2, n_subjects=3), synthesize(40, 2, n_subjects=3)
    assert digest(short) == digest(drawing for drawing, _ in zip(long, range(9), strict=False))


@pytest.mark.parametrize("n", [7, 20, 75])
def test_class_counts_differ_by_at_most_one(n):
    counts = Counter(drawing.emotion for drawing in synthesize(n, 0, size=24))
    assert sum(counts.values()) == n
    assert max(counts.values()) - min(counts[emotion] for emotion in BASIC) <= 1


def test_every_subject_poses_and_a_subject_keeps_its_looks():
    drawings = list(synthesize(20, 1, difficulty=0, n_subjects=10))
    assert Counter(d.subject for d in drawings) == dict.fromkeys(range(10), 2)
    hair = [drawing.picture[12:18, 40:56].mean((0, 1)) for drawing in drawings]
    chroma = np.array([colour / colour.sum() for colour in hair])
    same = np.linalg.norm(chroma[:10] - chroma[10:], axis=1)
    other = np.linalg.norm(chroma[:10] - np.roll(chroma[10:], 1, axis=0), axis=1)
    assert same.max() < 0.02 < other.mean()


def test_without_difficulty_each_emotion_is_its_pure_prototype():
    for drawing in synthesize(14, 0, difficulty=0):
        assert drawing.action_units == dict.fromkeys(PROTOTYPES[drawing.emotion], 1.0)


def test_background_and_brightness_do_not_tell_the_emotion():
    drawings = list(synthesize(210, 6, size=24))
    for clue in (lambda p: p[:3].mean(), lambda p: p.mean(), lambda p: p[:, :2, 2].mean()):
        values = np.array([clue(drawing.picture) for drawing in drawings])
        names = np.array([drawing.emotion for drawing in drawings])
        means = [values[names == emotion].mean() for emotion in BASIC]
        assert np.std(means) < 3 * values.std() / np.sqrt(30)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"n": 6}, "n is 6; at least 7 pictures are needed"),
        ({"difficulty": 1.2}, "difficulty is 1.2; it must lie in 0-1"),
        ({"size": 20}, "size is 20 pixels; a face needs at least 24"),
        ({"seed": -1}, "seed is -1; it must be 0 or larger"),
        ({"n_subjects": 0}, "n_subjects is 0; at least 1 is needed"),
    ],
)
def test_wrong_arguments_are_named_at_the_call(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        synthesize(**({"n": 7, "seed": 0} | arguments))
