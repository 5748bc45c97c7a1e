"""Runs one notebook by papermill: parameters in, the executed copy out, an error as one sentence."""

import os
import sys
from pathlib import Path

import nbformat
import papermill
from nbclient.exceptions import DeadKernelError

from fer_lib.errors import StudyError
from fer_lib.files import ROOT, atomic_write
from fer_lib.progress import HEADLESS


def execute(notebook: Path, output: Path, parameters: dict) -> None:
    """Execute `notebook` with `parameters` and write it to `output`, whole or not at all.

    Progress bars of the notebook are shown in the terminal and left out of the executed copy.

    Raises
    ------
    StudyError
        When there is no such notebook. The notebook's own, as it was raised; for any other error, one that names the
        notebook, the error and the half-executed copy `<output>.failed.ipynb`.
    """
    if not notebook.exists():
        raise StudyError(f"{notebook}: there is no such notebook; they lie in {ROOT / 'notebooks'}.")
    failed = output.with_suffix(".failed.ipynb")
    failed.unlink(missing_ok=True)
    os.environ[HEADLESS] = "0.5" if sys.stderr.isatty() else "20"
    with atomic_write(output) as temporary:
        try:
            papermill.execute_notebook(
                notebook,
                temporary,
                parameters,
                cwd=ROOT,
                kernel_name="python3",
                extra_arguments=["--log-level=40"],
                stderr_file=sys.stderr,
                progress_bar={"desc": notebook.stem, "mininterval": float(os.environ[HEADLESS])},
            )
        except DeadKernelError as error:
            raise StudyError(
                f"{notebook.name}: its kernel was killed, most likely for lack of memory; close other programs or "
                "use a smaller PROFILE, and run again."
            ) from error
        except papermill.PapermillExecutionError as error:
            if error.ename == StudyError.__name__:
                raise StudyError(error.evalue) from error
            temporary.replace(failed)
            raise StudyError(
                f"{notebook.name} stopped in cell {error.cell_index}: {error.ename}: {error.evalue}; see {failed}."
            ) from error
        _without_stderr(temporary)


def _without_stderr(path: Path) -> None:
    book = nbformat.read(path, as_version=4)
    for cell in book.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    nbformat.write(book, path)
