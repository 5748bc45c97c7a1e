"""Tables of models that were taught on one kind of faces and tested on another (paper 003, figure 1)."""

from collections.abc import Sequence

import pandas as pd

from fer_lib.evaluation.results import BARE, MASKED, interval_text, pick

CELLS = tuple((taught, tested) for taught in (BARE, MASKED) for tested in (BARE, MASKED))
METRICS = ("accuracy", "mean class recall", "macro F1")
ARROW = "\N{RIGHTWARDS ARROW}"


def crossed_table(results: pd.DataFrame, models: Sequence[str], papers: pd.DataFrame) -> pd.DataFrame:
    """One row for each model, what it was taught on and what it was tested on: index model; percent with intervals.

    The column of paper 003 is there where it claims something for these data.

    Parameters
    ----------
    results : tidy rows with the experiments `masked/<model>`
    """
    rows = []
    for model in models:
        own = results[(results["experiment"] == f"masked/{model}") & (results["split"] == "test")]
        for taught, tested in own[["train_condition", "test_condition"]].drop_duplicates().itertuples(index=False):
            if "," in tested:  # the same without twins
                continue
            cell = {
                metric: pick(results, f"masked/{model}", metric, condition=tested, taught=taught) for metric in METRICS
            }
            claimed = {name: _claim(papers, row) for name, row in cell.items()}
            told = "; ".join(f"{name} {value:.1f}" for name, value in claimed.items() if value is not None)
            first = cell["accuracy"]
            rows.append(
                {
                    "model": first["model"],
                    "taught on": taught,
                    "tested on": tested,
                    "N": f"{first['n']:,.0f}",
                    **{f"{name}, %": interval_text(row) for name, row in cell.items()},
                    "paper 003, %": told or "–",
                }
            )
    frame = pd.DataFrame(rows, columns=list(rows[0]) if rows else ["model"]).set_index("model")
    return frame.drop(columns="paper 003, %") if rows and (frame["paper 003, %"] == "–").all() else frame


def crossed_classes(
    results: pd.DataFrame, model: str, classes: Sequence[str], papers: pd.DataFrame, metric: str
) -> pd.DataFrame:
    """A metric of each class, taught → tested: index class; percent with intervals, the paper's in brackets.

    Parameters
    ----------
    metric : of `evaluation.metrics.CLASS_METRICS`
    """
    columns = {}
    for taught, tested in CELLS:
        texts = []
        for emotion in classes:
            row = pick(results, f"masked/{model}", f"{metric}[{emotion}]", condition=tested, taught=taught)
            claim = _claim(papers, row)
            texts.append(interval_text(row) + ("" if claim is None else f" (paper {claim:.0f})"))
        columns[f"{taught} {ARROW} {tested}"] = texts
    return pd.DataFrame(columns, index=pd.Index(classes, name="class"))


def _claim(papers: pd.DataFrame, ours: pd.Series) -> float | None:
    """What a paper claims for the same model, teaching and test, in percent."""
    same = ["experiment", "metric", "split", "train_condition", "test_condition"]
    found = papers[(papers[same] == ours[same]).all(axis=1)]
    return None if found.empty else 100 * float(found["value"].iloc[0])
