"""Files that are either whole or absent, and their hashes."""

import ast
import contextlib
import errno
import hashlib
import importlib.util
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

from fer_lib.errors import StudyError

ROOT = Path(__file__).resolve().parents[1]
REPORT = "11_report"  # the notebook that gathers what the others measured
ALWAYS = ("00", "01", REPORT[:2])  # words and rules, data, and the report: part of a report of any notebooks


@contextlib.contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turn a full or read-only disk below `path` into one sentence, whatever error a library makes of it."""
    try:
        yield
    except StudyError:
        raise
    except Exception as error:
        number = getattr(error, "errno", None)
        if number in (errno.ENOSPC, errno.EDQUOT) or _is_full(path):
            raise StudyError(f"{path}: the disk is full; free some space and run again.") from error
        if number in (errno.EACCES, errno.EROFS):
            raise StudyError(f"{path}: this place cannot be written; make it writable.") from error
        raise


def _is_full(path: Path) -> bool:
    place = next(folder for folder in (path, *path.parents) if folder.is_dir())
    return shutil.disk_usage(place).free < 1_000_000


@contextlib.contextmanager
def atomic_write(path: Path | str) -> Iterator[Path]:
    """Yield a temporary path beside `path`; it takes the name `path` only if the block succeeds.

    Raises
    ------
    StudyError
        When the disk is full or cannot be written; nothing is left behind.
    """
    path = Path(path)
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=path.suffix)
        os.close(handle)
    try:
        with disk_errors(path):
            yield Path(name)
            os.chmod(name, 0o644)
            os.replace(name, path)
    finally:
        Path(name).unlink(missing_ok=True)


@contextlib.contextmanager
def atomic_folder(path: Path | str) -> Iterator[Path]:
    """Yield a temporary folder that replaces the folder `path` only if the block succeeds."""
    path = Path(path)
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    try:
        with disk_errors(path):
            yield new
            os.chmod(new, 0o755)
            old = new.with_name(new.name + ".old")
            if path.exists():
                os.replace(path, old)
            os.replace(new, path)
            shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(new, ignore_errors=True)


@contextlib.contextmanager
def one_at_a_time(path: Path) -> Iterator[None]:
    """Only one process at a time is in the block for this `path`, so that none makes what another is making."""
    from filelock import FileLock

    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(path.name + ".lock")):
            yield


def write_json(path: Path | str, value: object) -> None:
    """Write `value` as indented JSON, atomically."""
    with atomic_write(path) as temporary:
        temporary.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def notebooks(only: Sequence[str] = ()) -> list[Path]:
    """The study's notebooks, in order.

    Parameters
    ----------
    only : numbers of some, such as 07, which are then meant together with `ALWAYS`; nothing stands for all
    """
    found = sorted((ROOT / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    return [path for path in found if not only or path.name[:2] in (*ALWAYS, *only)]


def sha256_file(path: Path | str) -> str:
    """SHA-256 of a file's bytes, as 64 hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def content_hash(value: object) -> str:
    """Hash of a JSON-like value that does not depend on the order of keys; 16 hexadecimal digits."""
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def code_version(*modules: str) -> str:
    """Hash of what the named modules do: comments, docstrings and layout do not count.

    `package.module:name` counts only the definition, or the entry of a dictionary, that has this name.
    """
    return content_hash([_program(module) for module in sorted(modules)])


def _program(module: str) -> str:
    module, _, name = module.partition(":")
    return _without_words(Path(importlib.util.find_spec(module).origin).read_text(encoding="utf-8"), name)


@cache
def _without_words(source: str, name: str) -> str:
    tree = ast.parse(source)
    if name:
        tree = _part(tree, name)
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and _is_docstring(body[0]):
            node.body = body[1:] or [ast.Pass()]
    return ast.dump(tree).replace(", type_params=[]", "")  # which Python 3.12 adds to every function


def _part(tree: ast.Module, name: str) -> ast.AST:
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name:
            return node
        if isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                if isinstance(key, ast.Constant) and key.value == name:
                    return value
    raise KeyError(name)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
