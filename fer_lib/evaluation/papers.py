"""What others report, as rows of the same table as our results (`source` = paper).

Values are fractions. A claim about other data than a row of ours says so in its note.
"""

import pandas as pd

from fer_lib.evaluation.results import COLUMNS

_SIX_LAYER = "paper 004, tables of section 4; its split and its choice of epoch are not told"
_PUBLISHED = (
    # model, accuracy, low, high, chosen on, note
    ("humans", 0.65, 0.60, 0.70, "", "Goodfellow et al. 2013: 65 ± 5 %"),
    (
        "ResNet18, mixup, label smoothing",
        0.7370,
        None,
        None,
        "test",
        "from scratch; best epoch picked on the test split",
    ),
    ("VGG19", 0.7311, None, None, "test", "from scratch; best epoch picked on the test split"),
    ("VGG, Khaireddin and Chen", 0.7328, None, None, "test", "their code selects on PrivateTest"),
    ("Residual Masking Network", 0.7414, None, None, "", "ImageNet start"),
    ("eight networks, Pramerdorfer and Kampel", 0.752, None, None, "", "from scratch, ensemble"),
    ("SAFER", 0.758, None, None, "", "paper 000, as claimed"),
    ("seven Residual Masking Networks", 0.7682, None, None, "", "ImageNet start, ensemble"),
)


def _row(notebook: str, experiment: str, model: str, metric: str, value: float, **more) -> dict:
    row = {"notebook": notebook, "experiment": experiment, "model": model, "metric": metric, "value": value}
    return {**row, "split": "test", "source": "paper", **more}


def fer2013_claims() -> pd.DataFrame:
    """Published numbers on FER2013 that this study has a counterpart of, and the best ones known."""
    masked = {
        "n": 4962,
        "train_condition": "bare",
        "test_condition": "masked",
        "selection": "cross-validation",
    }
    masked["note"] = "paper 003, figure 5: tested on masked pictures of both test splits"
    rows = [
        _row("03", "pca_svm", "PCA-150 + RBF SVC", metric, value, **masked)
        for metric, value in (("accuracy", 0.42), ("mean class recall", 0.43), ("macro F1", 0.43))
    ]
    bare = {"train_condition": "bare", "test_condition": "bare"}
    names = ("macro precision", "mean class recall", "macro F1", "accuracy")
    table = {"base": (0.6150, 0.5373, 0.5612, 0.5723), "augmented": (0.6231, 0.5708, 0.5781, 0.6236)}
    rows += [
        _row("04", f"six_layer/{variant}", "six-layer CNN", metric, value, note=_SIX_LAYER, **bare)
        for variant, values in table.items()
        for metric, value in zip(names, values, strict=True)
    ]
    rows += [
        _row(
            "11",
            "published",
            model,
            "accuracy",
            value,
            low=low,
            high=high,
            selection=chosen,
            note=note,
            **bare,
        )
        for model, value, low, high, chosen, note in _PUBLISHED
    ]
    return pd.DataFrame(rows).reindex(columns=COLUMNS)


def claims(dataset: str) -> pd.DataFrame:
    """The claims about `dataset`; an empty table where the papers say nothing of it."""
    return fer2013_claims() if dataset == "fer2013" else pd.DataFrame(columns=list(COLUMNS))
