import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from fer_lib.faces.coverage import coverage, coverage_differs, coverage_texts


@pytest.fixture
def shares():
    """Four pictures: of two women both are found, of two men one has a face without a mesh, the other none."""
    table = pd.DataFrame({"label": ["anger", "fear"] * 2, "gender": ["female", "female", "male", "male"]})
    faces = pd.DataFrame({"faces": [1, 3, 1, 0], "face_problem": [None, None, "no mesh", "no face"]})
    return coverage(table.assign(age=None), faces, ("label", "gender", "age"))


def test_coverage_counts_faces_and_meshes_of_each_group(shares):
    assert shares.loc[("all", ""), ["pictures", "face", "mesh"]].tolist() == [4, 0.75, 0.5]
    assert shares.loc[("gender", "female"), ["face", "mesh"]].tolist() == [1, 1]
    assert shares.loc[("gender", "male"), ["face", "mesh"]].tolist() == [0.5, 0]


def test_a_column_without_values_has_no_rows(shares):
    assert "age" not in shares.index.get_level_values("group")


def test_the_interval_is_wilsons(shares):
    interval = binomtest(2, 4).proportion_ci(method="wilson")
    assert shares.loc[("all", ""), ["low", "high"]].tolist() == pytest.approx([interval.low, interval.high])


def test_the_page_tells_percent(shares):
    assert coverage_texts(shares).loc[("label", "anger"), "mesh found, % [95 % interval]"].startswith("50.0 [")


def missing(of_a: int, of_b: int) -> pd.Series:
    """p for two classes of 100 pictures each, of which so many have no mesh."""
    problems = [*["no face"] * of_a, *[None] * (100 - of_a), *["no face"] * of_b, *[None] * (100 - of_b)]
    table = pd.DataFrame({"label": ["anger"] * 100 + ["fear"] * 100, "gender": ["m", "f"] * 100})
    return coverage_differs(
        table.assign(age=None, skin_tone=None, subject=None), pd.DataFrame({"face_problem": problems})
    )


def test_a_class_that_is_missed_more_often_is_noticed_and_an_even_loss_is_not():
    assert missing(30, 5)["label"] < 0.01
    assert missing(15, 15)["label"] > 0.5
    assert missing(30, 5)["gender"] > 0.05


def test_nothing_differs_where_every_mesh_is_found():
    assert missing(0, 0).tolist() == [1, 1]


def test_pictures_of_one_person_do_not_count_as_many_people():
    table = pd.DataFrame({"gender": ["m"] * 40 + ["f"] * 40, "subject": np.repeat([f"p{i}" for i in range(8)], 10)})
    faces = pd.DataFrame({"face_problem": [*["no face"] * 10, *[None] * 70]})
    assert coverage_differs(table, faces, ["gender"])["gender"] > 0.5
    assert coverage_differs(table.assign(subject=None), faces, ["gender"])["gender"] < 0.01


def test_p_is_that_of_every_exchange_of_people():
    """Four of eight people are always missed, all of them men: one of 70 ways to choose who is a man is as uneven, and
    its mirror image."""
    table = pd.DataFrame({"gender": ["m"] * 4 + ["f"] * 4, "subject": list("abcdefgh")})
    faces = pd.DataFrame({"face_problem": ["no face"] * 4 + [None] * 4})
    assert coverage_differs(table, faces, ["gender"])["gender"] == pytest.approx(2 / 70, abs=0.015)
