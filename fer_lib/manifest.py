"""manifest.json: what went in, what came out, where and how long it ran."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import nbformat
import pandas as pd

from fer_lib.data.table import load_table, table_hash
from fer_lib.files import ROOT, notebooks, sha256_file, write_json
from fer_lib.machine import environment
from fer_lib.runs import Run


def build_manifest(folder: Path, report: Path, ran: Sequence[str]) -> dict:
    """Write `report/manifest.json` for the run of the study in `folder`.

    Parameters
    ----------
    ran : names of the notebooks that the report is about

    Returns
    -------
    dict with study (settings), inputs and outputs ({path: sha256}), data, runs (each training behind a number),
    wall_seconds (per notebook), environment and time
    """
    table = load_table(folder / "table.parquet")
    executed = [folder / f"{name}.ipynb" for name in sorted(ran)]
    sources = [*notebooks(), *sorted(ROOT.glob("fer_lib/**/*.py")), *sorted(ROOT.glob("fer_lib/**/*.html"))]
    sources += [ROOT / "Makefile", ROOT / "requirements.lock"]
    written = sorted(path for path in report.rglob("*") if path.is_file())
    manifest = {
        "study": json.loads((folder / "study.json").read_text(encoding="utf-8")),
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": {"files": table.attrs["files"], "table": table_hash(table), "rows": len(table)},
        "inputs": {path.relative_to(ROOT).as_posix(): sha256_file(path) for path in sources},
        "outputs": {
            **{path.relative_to(report).as_posix(): sha256_file(path) for path in written},
            **{f"executed/{path.name}": sha256_file(path) for path in executed},
        },
        "runs": _runs(folder, ran),
        "wall_seconds": {path.stem: _seconds(path) for path in executed},
        "environment": environment(),
    }
    write_json(report / "manifest.json", manifest)
    return manifest


def _runs(folder: Path, ran: Sequence[str]) -> dict[str, dict]:
    """The trainings behind the results: how long each took, on what, and how often it read the test split."""
    runs = {}
    for name in sorted(ran):
        page = (folder / "pages" / f"{name}.json").read_text(encoding="utf-8")
        for item in json.loads(page):
            if item["kind"] == "run":
                run = Run(folder.parent / "store" / item["name"])
                readings = pd.read_csv(run.folder / "test_readings.csv").to_dict("records")
                runs[item["name"]] = {
                    "experiment": run.experiment,
                    "test_readings": readings,
                    **run.environment,
                }
    return runs


def _seconds(executed: Path) -> float:
    return round(nbformat.read(executed, as_version=4).metadata.papermill.duration, 1)
