import hashlib
from dataclasses import replace

import cv2
import numpy as np
import pandas as pd
import pytest

from fer_lib.data.sources import folder
from fer_lib.errors import StudyError
from fer_lib.synthetic import export
from fer_lib.synthetic.datasheet import datasheet
from fer_lib.synthetic.export import write_folder
from fer_lib.synthetic.expressions import PROTOTYPES
from fer_lib.synthetic.plan import PRESETS, plan

PRESET = replace(PRESETS["noisy"], problem_share=0.5)
N, SEED, SIZE = 16, 1, 48


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    target = tmp_path_factory.mktemp("export") / "set"
    write_folder(PRESET, N, SEED, target, SIZE, processes=1)
    return target


@pytest.fixture(scope="module")
def truth(target):
    return pd.read_csv(target / "truth.csv")


def digest(root):
    files = sorted(path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_seed_gives_the_same_files_in_another_number_of_processes(target, tmp_path):
    write_folder(PRESET, N, SEED, tmp_path / "again", SIZE, processes=2)
    assert digest(tmp_path / "again") == digest(target)


def test_the_folder_reader_reads_pictures_labels_and_splits_as_truth_has_them(target, truth):
    table = folder.read(target).set_index("id").loc[truth["file"]]
    assert len(table) == N
    assert table["label"].tolist() == truth["label"].tolist()
    assert table["split"].tolist() == truth["split"].tolist()
    assert table["problem"].isna().all()


def test_truth_tells_of_every_card_what_the_plan_says(truth):
    cards = plan(PRESET, N, np.random.default_rng(SEED))
    for card, row in zip(cards, truth.itertuples(), strict=True):
        assert (row.emotion, row.label, row.place) == (card.emotion, card.label, card.shot.place)
        assert row.votes == " ".join(map(str, card.votes))
        assert row.gender == card.person.gender
        assert all(getattr(row, f"au{unit:02d}") > 0 for unit in PROTOTYPES[card.emotion])
    assert (truth.groupby("subject")["split"].nunique() == 1).all()
    assert set(truth["problem"].dropna()) == {card.problem for card in cards if card.problem}


def test_masks_and_landmarks_are_there_for_faces_and_empty_without_one(target, truth):
    stored = np.load(target / "landmarks.npz")
    assert stored["id"].tolist() == truth["id"].tolist()
    assert stored["landmarks"].shape == (N, 468, 2)
    faceless = (truth["problem"] == "no face").to_numpy()
    assert (np.isnan(stored["landmarks"]).all(axis=(1, 2)) == faceless).all()
    assert (truth["face_side"].isna() == faceless).all()
    masks = np.stack([cv2.imread(str(target / "masks" / f"{name}.png"), cv2.IMREAD_UNCHANGED) for name in truth["id"]])
    assert masks.shape == (N, SIZE, SIZE)
    assert set(np.unique(masks)) <= {0, 1, 2}
    assert ((masks == 1).any(axis=(1, 2)) == ~faceless).all()


def test_duplicates_name_the_original_whose_file_they_repeat(target, truth):
    files = truth.set_index("id")["file"]
    copies = truth[truth["problem"] == "duplicate"]
    assert len(copies)
    for row in copies.itertuples():
        assert (target / row.file).read_bytes() == (target / files[row.twin_of]).read_bytes()


def test_the_data_sheet_counts_what_is_in_the_folder(target, truth):
    text = (target / "DATASHEET.md").read_text(encoding="utf-8")
    assert f"{N} drawn pictures of 48×48 pixels, seed 1" in text
    rows = {
        cells[1].strip(): cells[2:-1] for cells in (line.split("|") for line in text.splitlines()) if len(cells) > 4
    }
    for column in ("label", "gender", "place"):
        for value, count in truth[column].value_counts().items():
            assert int(rows[value][-1]) == count
    for heading in ("Motivation", "Composition", "How it was made", "Uses and limits", "Distribution"):
        assert f"## {heading}" in text
    assert "{" not in text


def test_the_data_sheet_tells_a_bias_in_a_sentence(truth):
    text = datasheet(PRESETS["biased"], truth, SEED, SIZE)
    assert "20% of the pictures of anger show people of gender female, and their action units are" in text
    assert "Bias(" not in text


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(StudyError, match="exists and is not empty; name a new folder"):
        write_folder(PRESET, N, SEED, tmp_path, SIZE)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.fixture
def drawn_at_once(monkeypatch):
    """One file instead of drawn pictures."""
    monkeypatch.setattr(export, "_fill", lambda folder, *_: (folder / "truth.csv").write_text("id"))


@pytest.mark.usefixtures("drawn_at_once")
def test_a_link_to_an_empty_folder_fills_what_it_leads_to(tmp_path):
    (tmp_path / "set").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "set")
    write_folder(PRESET, N, SEED, tmp_path / "link", SIZE)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "set" / "truth.csv").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link", "set"]


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        (".", "is the current directory, which cannot be replaced; name a new folder in it"),
        ("/", "/ is a mount point, which cannot be replaced"),
        ("thesis.txt/set", "lies below .*thesis.txt, which is a file"),
        ("thesis.txt/more/set", "lies below .*thesis.txt, which is a file"),
        ("x" * 300 + "/set", r"cannot be made \(File name too long\)"),
    ],
)
def test_a_target_that_cannot_be_is_refused_before_anything_is_drawn(target, sentence, tmp_path, monkeypatch):
    monkeypatch.setattr(export, "_fill", lambda *_: pytest.fail("drawn"))
    (tmp_path / "here").mkdir()
    if "thesis.txt" in target:
        (tmp_path / "here" / "thesis.txt").write_text("mine")
    monkeypatch.chdir(tmp_path / "here")
    with pytest.raises(StudyError, match=sentence):
        write_folder(PRESET, N, SEED, target, SIZE)
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_an_interrupted_drawing_leaves_nothing_to_be_believed(tmp_path, monkeypatch):
    monkeypatch.setattr(export, "in_processes", lambda *_: iter([]))
    with pytest.raises(ValueError, match="not enough values"):
        write_folder(PRESET, N, SEED, tmp_path / "set", SIZE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("n", "size", "sentence"), [(6, 64, "n is 6; noisy needs 7"), (16, 40, "size is 40 pixels")])
def test_too_few_and_too_small_pictures_are_refused(n, size, sentence, tmp_path):
    with pytest.raises(StudyError, match=sentence):
        write_folder(PRESET, n, SEED, tmp_path / "set", size)
    assert not (tmp_path / "set").exists()
