import errno
from types import SimpleNamespace

import pytest

from fer_lib.errors import StudyError
from fer_lib.files import atomic_folder, atomic_write, code_version, content_hash, sha256_file


def test_a_failed_write_leaves_the_old_file_and_no_other(tmp_path):
    target = tmp_path / "table.csv"
    target.write_text("old")
    with pytest.raises(RuntimeError), atomic_write(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_full_disk_is_one_sentence_that_names_the_file_and_leaves_nothing(tmp_path):
    sentence = r"table\.parquet: the disk is full; free some space"
    with pytest.raises(StudyError, match=sentence), atomic_write(tmp_path / "table.parquet"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_noticed_where_the_library_does_not_say_so(tmp_path, monkeypatch):
    """PyTorch and safetensors raise errors of their own; space is short only while the half-written file is there."""
    free = lambda place: SimpleNamespace(free=0 if list(tmp_path.iterdir()) else 1e9)  # noqa: E731
    monkeypatch.setattr("shutil.disk_usage", free)
    with pytest.raises(StudyError, match="the disk is full"), atomic_write(tmp_path / "checkpoint.pt"):
        raise RuntimeError("unexpected pos 64 vs 0")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_folder_leaves_the_old_one(tmp_path):
    target = tmp_path / "report"
    with atomic_folder(target) as new:
        (new / "a").write_text("old")
    with pytest.raises(RuntimeError), atomic_folder(target) as new:
        (new / "a").write_text("half")
        raise RuntimeError
    assert (target / "a").read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_a_new_folder_replaces_the_old_one_as_a_whole(tmp_path):
    for name in ("first", "second"):
        with atomic_folder(tmp_path / "report") as new:
            (new / name).write_text("x")
    assert [path.name for path in (tmp_path / "report").iterdir()] == ["second"]


def test_sha256_is_that_of_the_standard(tmp_path):
    path = tmp_path / "abc"
    path.write_text("abc")
    assert sha256_file(path) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_content_hash_ignores_the_order_of_keys_but_not_values():
    assert content_hash({"a": 1, "b": 2}) == content_hash({"b": 2, "a": 1}) != content_hash({"a": 1, "b": 3})


def test_code_version_changes_with_the_program_and_not_with_its_comments(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    versions = []
    for name, code in (
        ("plain", "def f(x):\n    return x + 1\n"),
        ("told", '"""Words."""\n\n\ndef f(x):\n    """More words."""\n    return x + 1  # why\n'),
        ("changed", "def f(x):\n    return x + 2\n"),
    ):
        (tmp_path / f"{name}.py").write_text(code)
        versions.append(code_version(name))
    assert versions[0] == versions[1] != versions[2]


def version_of(place, code, *parts):
    """code_version of parts of a module whose program is `code`."""
    name = f"module_{abs(hash(code))}"
    (place / f"{name}.py").write_text(code)
    return code_version(*(f"{name}:{part}" for part in parts))


PARTS = """
def f(x):
    'Words.'
    return x + 1

def g(x):
    return 2 * x

SETS = {"f_too": [1, 2], "g": [3]}
"""


def test_the_version_of_a_definition_changes_with_it_alone(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    version = version_of(tmp_path, PARTS, "f")
    assert version_of(tmp_path, PARTS.replace("2 * x", "3 * x").replace("[1, 2]", "[9]"), "f") == version
    assert version_of(tmp_path, PARTS.replace("Words", "Other words"), "f") == version
    assert version_of(tmp_path, PARTS.replace("x + 1", "x + 9"), "f") != version


def test_the_version_of_a_dictionarys_entry_changes_with_it_alone(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    version = version_of(tmp_path, PARTS, "f_too")
    assert version_of(tmp_path, PARTS.replace("x + 1", "x + 9").replace("[3]", "[4]"), "f_too") == version
    assert version_of(tmp_path, PARTS.replace("[1, 2]", "[1, 3]"), "f_too") != version


def test_the_order_in_which_parts_are_named_does_not_matter(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    assert version_of(tmp_path, PARTS, "f", "g") == version_of(tmp_path, PARTS, "g", "f")


def test_a_part_that_is_not_there_is_no_version(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(KeyError, match="h"):
        version_of(tmp_path, PARTS, "h")
