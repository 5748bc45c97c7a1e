import nbformat
import pytest

from fer_lib.errors import StudyError
from fer_lib.execute import execute


def write(path, *cells: str):
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    book.cells[0].metadata["tags"] = ["parameters"]
    book.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(book, path)
    return path


def test_parameters_go_in_and_progress_stays_out_of_the_executed_copy(tmp_path, capsys):
    code = "import sys; print('bar', file=sys.stderr); print(N * 2)"
    execute(write(tmp_path / "in.ipynb", "N = 1", code), tmp_path / "out.ipynb", {"N": 21})
    outputs = [output for cell in nbformat.read(tmp_path / "out.ipynb", 4).cells for output in cell.get("outputs", [])]
    assert [output.text.strip() for output in outputs] == ["42"]
    assert "bar" in capsys.readouterr().err


def test_a_study_error_comes_out_as_its_sentence_and_no_copy_is_left(tmp_path):
    code = "from fer_lib.errors import StudyError; raise StudyError('DATA_ROOT x is no folder; set it.')"
    with pytest.raises(StudyError, match=r"^DATA_ROOT x is no folder; set it\.$"):
        execute(write(tmp_path / "in.ipynb", "N = 1", code), tmp_path / "out.ipynb", {})
    assert [path.name for path in tmp_path.iterdir()] == ["in.ipynb"]


def test_a_notebook_that_is_not_there_is_named_with_where_notebooks_lie(tmp_path):
    with pytest.raises(StudyError, match=r"7_masks\.ipynb: there is no such notebook; they lie in .*notebooks\.$"):
        execute(tmp_path / "7_masks.ipynb", tmp_path / "out.ipynb", {})
    assert list(tmp_path.iterdir()) == []


def test_a_killed_kernel_is_told_with_what_to_do(tmp_path):
    code = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    with pytest.raises(StudyError, match=r"in\.ipynb: its kernel was killed, most likely for lack of memory"):
        execute(write(tmp_path / "in.ipynb", "N = 1", code), tmp_path / "out.ipynb", {})
    assert [path.name for path in tmp_path.iterdir()] == ["in.ipynb"]


def test_any_other_error_names_notebook_cell_and_the_copy_to_look_at(tmp_path):
    with pytest.raises(StudyError, match=r"in\.ipynb stopped in cell .*ZeroDivisionError.*out\.failed\.ipynb"):
        execute(write(tmp_path / "in.ipynb", "N = 1", "1 / 0"), tmp_path / "out.ipynb", {})
    assert not (tmp_path / "out.ipynb").exists()
    assert (tmp_path / "out.failed.ipynb").exists()
