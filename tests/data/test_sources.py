import importlib.util
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest
from conftest import TINY_COUNTS

from fer_lib.data import sources
from fer_lib.data.sources import ferplus, folder, load_dataset, synthetic
from fer_lib.data.table import (
    encode_picture,
    load_pictures,
    load_table,
    make_table,
    resize,
    save_table,
    table_hash,
)
from fer_lib.emotions import BASIC, EMOTIONS
from fer_lib.errors import StudyError
from fer_lib.files import ROOT
from fer_lib.synthetic.places import PLACES
from fer_lib.synthetic.plan import plan
from fer_lib.synthetic.render import draw_card


@pytest.fixture
def tree(tmp_path, rng):
    """A folder data set of two classes with 24 pictures each in train and 3 in test."""
    root = tmp_path / "set"
    for split in ("Train", "test"):
        for name in ("Happy", "afraid"):
            (root / split / name).mkdir(parents=True)
            for number in range(24 if split == "Train" else 3):
                cv2.imwrite(str(root / split / name / f"{number}.png"), rng.integers(0, 256, (20, 30, 3)))
    return root


def test_folder_names_are_matched_to_emotions_and_splits(tree):
    table = folder.read(tree)
    assert set(table["label"]) == {"happiness", "fear"}
    assert table["split"].value_counts()["test"] == 6
    assert load_pictures(table).shape == (54, 48, 48)


def test_an_unknown_class_is_refused_by_name(tree):
    (tree / "test" / "hungry").mkdir()
    with pytest.raises(StudyError, match="'hungry' is no known emotion; rename it to one of anger"):
        folder.read(tree)


def test_an_empty_class_is_refused_by_name(tree):
    (tree / "test" / "angry").mkdir()
    with pytest.raises(StudyError, match="angry: the class is empty; add pictures"):
        folder.read(tree)


def test_an_unreadable_picture_keeps_its_row_with_the_problem(tree):
    (tree / "test" / "Happy" / "0.png").write_bytes(b"\x89PNG cut short")
    table = folder.read(tree)
    assert len(table) == 54
    assert table.set_index("id")["problem"]["test/Happy/0.png"].startswith("unreadable picture")


def test_a_tree_without_test_is_refused(tree):
    (tree / "test").rename(tree / "other")
    with pytest.raises(StudyError, match="no folder 'test'; the form is split/class/picture"):
        folder.read(tree)


def test_a_missing_data_root_names_the_setting(tmp_path):
    with pytest.raises(StudyError, match="DATASET=fer2013 needs DATA_ROOT"):
        load_dataset("fer2013", "", tmp_path)


def test_a_data_root_that_is_no_folder_is_named(tmp_path):
    with pytest.raises(StudyError, match="nowhere is no folder; set it"):
        load_dataset("fer2013", tmp_path / "nowhere", tmp_path)


def test_an_unknown_data_set_is_refused_with_the_known_ones(tmp_path):
    with pytest.raises(StudyError, match="DATASET 'mnist' is unknown; use one of synthetic, fer2013, ferplus, folder"):
        load_dataset("mnist", None, tmp_path)


def test_a_refused_data_set_leaves_nothing_in_the_cache(tree, tmp_path):
    (tree / "test" / "hungry").mkdir()
    with pytest.raises(StudyError):
        load_dataset("folder", tree, tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("*.parquet"))


def test_the_cache_is_used_until_a_picture_changes(tree, tmp_path, monkeypatch):
    first = load_dataset("folder", tree, tmp_path / "cache")
    monkeypatch.setattr(folder, "read", lambda *a, **k: pytest.fail("read again"))
    assert load_dataset("folder", tree, tmp_path / "cache").equals(first)
    monkeypatch.undo()
    cv2.imwrite(str(tree / "test" / "Happy" / "0.png"), np.zeros((9, 9)))
    assert not load_dataset("folder", tree, tmp_path / "cache").equals(first)


def test_a_link_to_nowhere_stops_no_reader(tree, tmp_path):
    (tree / "test" / "Happy" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    table = load_dataset("folder", tree, tmp_path / "cache")
    assert "gone" not in "".join(table["id"][table["problem"].isna()])


@pytest.mark.parametrize("dataset", sources.READERS)
def test_the_cache_knows_every_module_that_a_reader_is_built_from(dataset, monkeypatch):
    asked = []
    monkeypatch.setattr(sources, "code_version", lambda *modules: asked.extend(modules) or "0")
    sources._reader_code(dataset)
    code = "\n".join(Path(importlib.util.find_spec(name).origin).read_text() for name in asked)
    used = re.findall(r"^from (fer_lib\.data\.sources\S*) import (.*)", code, re.MULTILINE)
    used = {f"{package}.{name}" if package.endswith("sources") else package
            for package, names in used for name in names.split(", ")}  # fmt: skip
    assert {sources.READERS[dataset].__name__, *used} <= set(asked)


@pytest.fixture
def small(monkeypatch):
    """Drawn people in 64×64 pixels."""
    monkeypatch.setattr(synthetic, "SIZE", 64)


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    """20 drawn people in 64×64 pixels, too few for every class in every split, and the cache that they lie in."""
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(synthetic, "SIZE", 64)
        patch.setattr(sources, "check_splits", lambda table: None)
        return load_dataset("synthetic", None, cache, seed=3, synthetic_pictures=20), cache


def test_drawn_people_come_with_disjoint_subjects_in_every_split(drawn):
    table, _ = drawn
    assert (table.groupby("subject")["split"].nunique() == 1).all()
    assert table["split"].value_counts().to_dict() == {"train": 14, "validation": 4, "test": 2}
    assert set(table["label"]) == set(BASIC)


def test_drawn_people_come_with_what_the_plan_knows_of_them(drawn):
    table, _ = drawn
    for card, row in zip(plan(synthetic.PRESET, 20, np.random.default_rng(3)), table.itertuples(), strict=True):
        assert (row.label, row.place, row.age, row.gender) == (
            card.label, card.shot.place, card.person.age, card.person.gender,
        )  # fmt: skip
        assert row.skin_tone == card.person.skin_tone
        assert list(row.place_attributes) == list(PLACES[card.shot.place].attributes)
        assert row.votes * 10 == pytest.approx(card.votes)
        units = {int(unit): intensity for unit, intensity in json.loads(row.action_units).items()}
        assert units == pytest.approx(card.expression.units, abs=1e-4)


def test_the_box_of_a_drawn_person_is_where_the_face_is(drawn):
    table, _ = drawn
    card = plan(synthetic.PRESET, 20, np.random.default_rng(3))[0]
    x, y, side = table["box"][0]
    landmarks = draw_card(card, 64).landmarks
    assert (landmarks > (x, y)).all()
    assert (landmarks < (x + side, y + side)).all()
    assert np.ptp(landmarks, axis=0).max() > 0.85 * side
    assert load_pictures(table[:5], 48).shape == (5, 48, 48)


def test_a_finished_drawing_leaves_one_file_in_the_cache_and_is_read_from_it(drawn, monkeypatch):
    table, cache = drawn
    assert [path.suffix for path in cache.iterdir() if path.suffix != ".lock"] == [".parquet"]
    monkeypatch.setattr(synthetic, "read", lambda *_: pytest.fail("drawn again"))
    assert table_hash(load_dataset("synthetic", None, cache, seed=3, synthetic_pictures=20)) == table_hash(table)


def test_an_interrupted_drawing_goes_on_from_its_last_finished_part(small, tmp_path, monkeypatch):
    monkeypatch.setattr(synthetic, "SHARD", 4)
    whole = synthetic.read(14, 0)
    drawn_numbers = []

    def draw_until_stopped(work, cards):
        for card in cards:
            if card.number == 10 and len(drawn_numbers) == 10:
                raise KeyboardInterrupt
            drawn_numbers.append(card.number)
            yield work(card)

    monkeypatch.setattr(synthetic, "in_processes", draw_until_stopped)
    with pytest.raises(KeyboardInterrupt):
        synthetic.read(14, 0, tmp_path / "parts")
    assert table_hash(synthetic.read(14, 0, tmp_path / "parts")) == table_hash(whole)
    assert drawn_numbers == [*range(10), *range(8, 14)]


@pytest.mark.parametrize("kept", [0, 10, 0.5])
def test_a_damaged_part_of_a_drawing_is_drawn_again(small, tmp_path, kept):
    whole = synthetic.read(7, 0, tmp_path)
    (part,) = tmp_path.iterdir()
    written = part.read_bytes()
    part.write_bytes(written[: kept if isinstance(kept, int) else int(kept * len(written))])
    assert table_hash(synthetic.read(7, 0, tmp_path)) == table_hash(whole)
    assert part.read_bytes() == written


def test_too_few_drawn_people_are_refused(tmp_path):
    with pytest.raises(StudyError, match="cannot be drawn: n is 5; context needs 7 or more"):
        load_dataset("synthetic", None, tmp_path, synthetic_pictures=5)


def test_the_cache_knows_every_module_that_draws(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(sources, "code_version", lambda *modules: asked.extend(modules) or "0")
    monkeypatch.setattr(synthetic, "read", lambda *_: pytest.fail("drawn"))
    with pytest.raises(pytest.fail.Exception):
        load_dataset("synthetic", None, tmp_path)
    package = ROOT / "fer_lib" / "synthetic"
    files = {path.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".") for path in package.rglob("*.py")}
    assert {name.removesuffix(".__init__") for name in files} <= set(asked)


def test_tables_without_boxes_keep_the_hash_that_trained_runs_are_stored_under(toy_table):
    """The hashes are those of the program before there were boxes of faces, then of bodies."""
    assert table_hash(toy_table) == "62367e1711c23f42"
    boxed = toy_table.copy()
    boxed["box"] = [[1.0, 2.0, 30.0]] * len(boxed)
    assert table_hash(boxed) == "fef674965d8c89d6"
    rows = [
        {"id": "a", "label": "fear", "split": "train", "picture_hash": "00"},
        {"id": "b", "label": None, "split": "test", "picture_hash": "01", "problem": "dark"},
    ]
    assert table_hash(make_table(rows, "x")) == "ab6bd5402e2a85cb"


@pytest.mark.parametrize("column", ["box", "subject_box"])
def test_the_hash_sees_a_box_and_where_it_lies_and_survives_the_disk(toy_table, tmp_path, column):
    boxed, moved = toy_table.copy(), toy_table.copy()
    boxed[column] = [[1.0, 2.0, 30.0, 40.0]] * (len(boxed) - 1) + [None]
    moved[column] = [[1.0, 3.0, 30.0, 40.0]] * (len(boxed) - 1) + [None]
    assert len({table_hash(table) for table in (toy_table, boxed, moved)}) == 3
    save_table(boxed, tmp_path / "table.parquet")
    assert table_hash(load_table(tmp_path / "table.parquet")) == table_hash(boxed)


def test_the_hash_tells_the_box_of_a_face_from_that_of_a_body(toy_table):
    face = toy_table.assign(box=[[1.0, 2.0, 30.0]] * len(toy_table))
    body = [[1.0, 2.0, 30.0, 30.0]] * len(toy_table)
    tables = (face, toy_table.assign(subject_box=body), face.assign(subject_box=body))
    assert len({table_hash(table) for table in tables}) == 3


def test_boxes_are_cut_out_with_the_picture_s_edge_repeated_beyond_it(rng):
    picture = rng.integers(0, 256, (60, 60)).astype(np.uint8)
    boxes = [None, [6, 4, 48], [-10.2, 30.4, 48]]
    rows = [{"id": str(i), "split": "train", "picture": encode_picture(picture)} for i in range(3)]
    loaded = load_pictures(make_table(pd.DataFrame(rows).assign(box=boxes), "toy"), size=48)
    assert (loaded[0] == resize(picture, 48)).all()
    assert (loaded[1] == picture[4:52, 6:54]).all()
    padded = np.pad(picture, 48, mode="edge")
    assert (loaded[2] == padded[78:126, 38:86]).all()


VOTES = "Usage,Image name,neutral,happiness,surprise,sadness,anger,disgust,fear,contempt,unknown,NF\n"


def write_votes(path, ballots):
    usages = ["Training"] * 21 + ["PublicTest"] * 7 + ["PrivateTest"] * 14
    rows = [f"{usage},x.png,{ballot}" for usage, ballot in zip(usages, ballots, strict=True)]
    path.write_text(VOTES + "\n".join(rows))
    return path


def test_votes_give_majority_shares_and_the_reason_where_there_is_no_winner(fer_csv, tmp_path):
    ballots = ["2,6,0,0,0,0,0,2,0,0", "5,5,0,0,0,0,0,0,0,0", "3,0,0,0,0,0,0,0,7,0", "0,0,0,0,0,0,0,0,0,10"]
    votes = write_votes(tmp_path / ferplus.FILE_NAME, ballots + ["10,0,0,0,0,0,0,0,0,0"] * 38)
    table = ferplus.read(fer_csv, votes, TINY_COUNTS)
    assert table["label"][:5].tolist() == ["happiness", None, None, None, "neutral"]
    expected = dict.fromkeys(EMOTIONS, 0.0) | {"neutral": 0.2, "happiness": 0.6, "contempt": 0.2}
    assert dict(zip(EMOTIONS, table["votes"][0], strict=True)) == pytest.approx(expected)
    assert table["problem"][:4].tolist() == [
        None, "annotators disagree: no unique winner", "annotators chose unknown", "annotators chose no face",
    ]  # fmt: skip


def test_votes_that_do_not_match_the_pictures_are_refused(fer_csv, tmp_path):
    path = tmp_path / ferplus.FILE_NAME
    path.write_text(VOTES + "Training,x.png,10,0,0,0,0,0,0,0,0,0\n")
    with pytest.raises(StudyError, match="1 rows that do not match FER2013's 42"):
        ferplus.read(fer_csv, path, TINY_COUNTS)


def test_a_vote_that_is_no_number_is_named_with_its_row(tmp_path):
    path = write_votes(tmp_path / ferplus.FILE_NAME, ["1,2,3,x,0,0,0,0,0,0"] + ["1,0,0,0,0,0,0,0,0,0"] * 41)
    with pytest.raises(StudyError, match="row 1 has a vote that is no number"):
        ferplus.read_votes(path)


@pytest.mark.data
def test_ferplus_has_the_known_number_of_unique_winners_on_test(data_root):
    ballots = ferplus.read_votes(data_root / "ferplus" / ferplus.FILE_NAME)
    _, labels, _ = ferplus.plurality(ballots[ballots["Usage"] == "PrivateTest"])
    assert sum(label is not None for label in labels) == 3376
