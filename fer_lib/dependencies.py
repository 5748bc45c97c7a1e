"""Which modules a notebook needs, for Make: `python -m fer_lib.dependencies runs/<dataset>-<profile>`.

Only the standard library is used, and nothing is imported: the code is read.
"""

import ast
import json
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "fer_lib"


def notebook_modules(notebook: Path) -> set[Path]:
    """Every file of the package that the notebook's code imports, directly or through others."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    found: set[Path] = set()
    waiting = _imported(code)
    while waiting:
        path = waiting.pop()
        if path not in found:
            found.add(path)
            waiting |= _imported(path.read_text(encoding="utf-8"))
    return found


def _imported(code: str) -> set[Path]:
    names = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {path for name in names if name.split(".")[0] == PACKAGE for path in _files(name)}


def _files(module: str) -> set[Path]:
    """The module's own file and the packages around it."""
    parts = module.split(".")
    packages = {ROOT.joinpath(*parts[:depth], "__init__.py") for depth in range(1, len(parts) + 1)}
    return {path for path in {*packages, ROOT.joinpath(*parts).with_suffix(".py")} if path.exists()}


def rules(folder: str) -> str:
    """One Make rule a notebook: its executed copy in `folder` depends on the modules that it imports."""
    lines = []
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        try:
            modules = notebook_modules(notebook)
        except (SyntaxError, ValueError) as error:
            sys.exit(f"error: {notebook.name} cannot be read ({error}); mend it and run again.")
        needs = " ".join(sorted(path.relative_to(ROOT).as_posix() for path in modules))
        lines.append(f"{folder}/{notebook.name}: {needs}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(rules(sys.argv[1]), end="")
