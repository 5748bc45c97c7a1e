"""The report: what the notebooks showed and measured, as Markdown, one self-contained HTML file, and tables."""

import base64
import io
import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

import nbformat
import pandas as pd
from jinja2 import Template
from markdown_it import MarkdownIt
from PIL import Image

from fer_lib.errors import StudyError
from fer_lib.files import REPORT, ROOT, atomic_folder, notebooks
from fer_lib.manifest import build_manifest
from fer_lib.runs import Run

WIDEST = 880  # pixels of a figure inside the HTML file; beside it lie the PNGs
INTERVAL = re.compile(r"[-+]?\d[\d.,]*(?: ± [\d.]+)? \[[^\]]*\]")  # which no line break should tear apart


def publish(folder: Path, target: Path, only: Sequence[str] = ()) -> None:
    """Build the report of the run in `folder` and put it at `target`, replacing what is there as a whole.

    Parameters
    ----------
    folder : `runs/<dataset>-<profile>` with pages, tables, figures and results
    target : folder that then holds report.html, report.md, results.csv, manifest.json, tables/, figures/ and
        predictions/
    only : numbers of the notebooks that the report is about, as in `files.notebooks`

    Raises
    ------
    StudyError
        When a notebook of the study has not run.
    """
    pages = _pages(folder, only)
    with atomic_folder(target) as new:
        shutil.copy(folder / "results.csv", new)
        for item in (item for page in pages.values() for item in page):
            _copy(item, folder, new)
        text = _markdown(folder, pages)
        (new / "report.md").write_text(text, encoding="utf-8")
        (new / "report.html").write_text(_html(text, new), encoding="utf-8")
        build_manifest(folder, new, list(pages))


def _copy(item: dict, folder: Path, report: Path) -> None:
    """Bring what a page shows into the report: its tables, public figures, and predictions on the test split."""
    for part in ("tables", "figures", "predictions"):
        (report / part).mkdir(exist_ok=True)
    if item["kind"] == "table":
        shutil.copy(folder / "tables" / f"{item['name']}.csv", report / "tables")
    if item["kind"] == "figure" and item["public"]:
        shutil.copy(folder / "figures" / f"{item['name']}.png", report / "figures")
    if item["kind"] == "pool":
        pool = pd.read_parquet(folder / "pools" / f"{item['name']}.parquet").query("split == 'test'")
        pool.to_parquet(report / "predictions" / f"{item['name']}.parquet", index=False, compression="zstd")
    if item["kind"] == "run":
        _copy_predictions(Run(folder.parent / "store" / item["name"]), report / "predictions")


def _copy_predictions(run: Run, folder: Path) -> None:
    """The test pictures' scores behind the run's rows: one file a seed, and one more for several views a picture."""
    name = f"{run.experiment['name'].replace('/', '-')}-seed{run.experiment['seed']}"
    frames = {name: run.predictions}
    if run.experiment.get("views", "one") != "one":
        frames[f"{name}-views"] = run.view_predictions
    for stem, frame in frames.items():
        test = frame[frame["split"] == "test"].reset_index(drop=True)
        test.to_parquet(folder / f"{stem}.parquet", index=False, compression="zstd")


def _pages(folder: Path, only: Sequence[str]) -> dict[str, list[dict]]:
    names = [path.stem for path in notebooks(only)]
    pages = {}
    for name in [REPORT, *(name for name in names if name != REPORT)]:  # the answer comes before the way to it
        path = folder / "pages" / f"{name}.json"
        if not path.exists():
            raise StudyError(f"{folder}: notebook {name} has not run; run `make report`.")
        pages[name] = json.loads(path.read_text(encoding="utf-8"))
    return pages


def _title(notebook: str) -> tuple[str, str]:
    """The notebook's own title and question: the head and the first paragraph of its first cell."""
    source = nbformat.read(ROOT / "notebooks" / f"{notebook}.ipynb", as_version=4).cells[0].source
    head, _, rest = source.partition("\n")
    return head.lstrip("# ").strip(), rest.strip().split("\n\n")[0]


def _markdown(folder: Path, pages: dict[str, list[dict]]) -> str:
    study = json.loads((folder / "study.json").read_text(encoding="utf-8"))
    lines = [
        f"# Facial emotion recognition, measured: {study['dataset']}",
        f"Data set **{study['dataset']}**, profile **{study['profile']['name']}**, seed {study['seed']}. Every number "
        "was measured by the notebook named above it; intervals are 95 % bootstrap intervals over test pictures, ± is "
        "the standard deviation over seeds; "
        "`manifest.json` has the hash of every input and output.",
    ]
    if len(pages) < len(notebooks()):
        lines.append(f"A part of the study: notebooks {', '.join(sorted(name[:2] for name in pages))} alone.")
    for notebook, page in pages.items():
        title, question = _title(notebook)
        lines += [f"## {title}", f"*{' '.join(question.split())}*"]
        lines += [line for item in page if (line := _item(item, folder))]
    return "\n\n".join(lines) + "\n"


def _item(item: dict, folder: Path) -> str:
    if item["kind"] == "finding":
        return item["text"]
    if item["kind"] in ("run", "pool"):
        return ""
    if item["kind"] == "figure":
        return f"![{item['text']}](figures/{item['name']}.png)\n\n*{item['text']}*" if item["public"] else ""
    frame = pd.read_csv(folder / "tables" / f"{item['name']}.csv", dtype=str, keep_default_na=False)
    frame = frame.rename(columns={name: "" for name in frame.columns if name.startswith("Unnamed")})
    return f"**{item['text']}**\n\n{frame.to_markdown(index=False, disable_numparse=True)}"


def _inline(figure: Path) -> str:
    """A figure as an address that holds it: WebP, no wider than a page shows it, a fifth of the PNG's size."""
    data, picture = io.BytesIO(), Image.open(figure).convert("RGB")
    picture.thumbnail((WIDEST, picture.height), Image.Resampling.LANCZOS)
    picture.save(data, "WEBP", quality=60, method=6)
    return f"data:image/webp;base64,{base64.b64encode(data.getvalue()).decode()}"


def _html(text: str, folder: Path) -> str:
    markdown = MarkdownIt("commonmark").enable("table")
    tokens = markdown.parse(text)
    headings = []
    for token, inline in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type == "heading_open" and token.tag == "h2":
            token.attrSet("id", f"part-{len(headings)}")
            headings.append(inline.content)
        for child in token.children or []:
            if child.type == "image":
                child.attrSet("src", _inline(folder / child.attrs["src"]))
    body = markdown.renderer.render(tokens, markdown.options, {})
    body = INTERVAL.sub(lambda found: found[0].replace(" ", "\N{NO-BREAK SPACE}"), body)
    template = Template((Path(__file__).parent / "report.html").read_text(encoding="utf-8"))
    return template.render(title=tokens[1].content, headings=headings, body=body)
