"""What others report, as rows of the same table as our results (`source` = paper).

Values are fractions. A claim about other data than a row of ours says so in its test condition, its n or its note.
"""

from collections.abc import Iterator

import pandas as pd

from fer_lib.evaluation.results import BARE, BARE_SIX, BARE_THREE, COLUMNS, MASKED

TEST_EPOCH = "test epoch"

_FOUR = ("macro precision", "mean class recall", "macro F1", "accuracy")
_SPLIT_004 = "its split and its choice of epoch are not told"
_PAPER_004 = (
    # experiment, model, section, precision, recall, F1, accuracy
    ("six_layer/base", "six-layer CNN", "4.1", 0.6150, 0.5373, 0.5612, 0.5723),
    ("six_layer/augmented", "six-layer CNN", "4.3", 0.6231, 0.5708, 0.5781, 0.6236),
    ("six_layer/balanced", "six-layer CNN", "4.2", 0.6107, 0.5315, 0.5468, 0.6045),
    ("six_layer/balanced_augmented", "six-layer CNN", "4.4", 0.5846, 0.6087, 0.5902, 0.6101),
    ("transfer/vgg11/imagenet/head", "VGG11, new layers trained", "4.5", 0.4183, 0.4795, 0.4267, 0.4682),
    ("transfer/resnet18/imagenet/head", "ResNet18, new layers trained", "4.5", 0.2697, 0.2545, 0.2441, 0.3221),
)

_SPLITS_001 = {"test": 5945, "validation": 600, "train": 23743}
_PAPER_001 = (
    # experiment, model, accuracy on each of these splits
    ("gimefive/13_bn", "GiMeFive, 13 layers", 0.641, 0.402, 0.866),
    ("gimefive/15_bn", "GiMeFive, 15 layers", 0.656, 0.407, 0.896),
    ("gimefive/17_bn", "GiMeFive, 17 layers", 0.655, 0.416, 0.960),
)
_LATER_001 = ("gimefive/15_bn_dropout", "GiMeFive, 15 layers, dropout", 0.675)

_SVM_003 = (("accuracy", 0.42), ("mean class recall", 0.43), ("macro F1", 0.43))
_MOBILENET_003 = (("mean class recall", 0.55), ("macro F1", 0.54))
_NOTE_MOBILENET = (
    "paper 003, figure 1: trained and tested without masks, on what a mask could be drawn on; its 'accuracy' is the "
    "mean of class recalls; some of the layers were trained"
)

_CLASSES_003 = ("anger", "disgust", "fear", "happiness", "neutral", "sadness", "surprise")
_MASKS_003 = {
    # taught, tested: recall and F1 of each class, then of all, in percent
    ("bare", "bare"): ((45, 31, 26, 88, 68, 50, 76, 55), (44, 46, 31, 78, 58, 45, 78, 54)),
    ("bare", "masked"): ((17, 5, 36, 14, 57, 34, 17, 33), (22, 11, 27, 23, 39, 31, 58, 30)),
    ("masked", "bare"): ((23, 20, 9, 74, 41, 50, 55, 38), (26, 32, 13, 53, 40, 34, 61, 40)),
    ("masked", "masked"): ((32, 27, 16, 83, 60, 29, 77, 45), (34, 41, 22, 63, 51, 30, 70, 47)),
}
_NOTE_MASKS_003 = "paper 003, figure 1; on what a mask could be drawn on, 30 % fewer; what it calls accuracy is recall"
SAFER_MASKED = {("bare", "masked"): 0.3858, ("masked", "masked"): 0.58}  # paper 000, section 6.1, on its own pictures

_PAPER_002 = {"none": 0.7420, "eyes": 0.7201, "nose": 0.7021, "mouth": 0.5210}  # part under the bar: accuracy
_NOTE_002 = "paper 002, Results: GoogLeNet with ImageNet's weights, frozen; 70:30 at random; its validation accuracy"

_SPLIT_000 = "80:10:10, how drawn is not told"
# Paper 000. Table 9: streams, AffectNet, CAER-S
_TABLE_9 = (
    ("safer/F", 0.619, 0.867),
    ("safer/F+B", 0.6201, 0.893),
    ("safer/F+P", 0.6195, 0.901),
    ("safer/F+B+P", 0.621, 0.914),
)
# Table 5: what SAFER reaches on each data set, of which those without a row in table 9 are here
_TABLE_5 = {"ck_plus": 0.985, "fer2013": 0.758, "raf_db": 0.871, "fabo": 0.961}
# Tables 5 to 8, whole: data set, method, year, accuracy; and what this study calls the data sets
SAFER_DATASETS = {"CK+": "ck_plus", "RAF-DB": "raf_db", "FABO": "fabo", "CAER-S": "caer_s", "FER2013": "fer2013"}
SAFER_DATASETS |= {"AffectNet": "affectnet"}
SAFER_TABLES = (
    ("CK+", "SAFER", 2022, 0.985),
    ("RAF-DB", "SAFER", 2022, 0.871),
    ("FABO", "SAFER", 2022, 0.961),
    ("CAER-S", "Lee et al.", 2019, 0.7351),
    ("CAER-S", "Kosti et al.", 2019, 0.7448),
    ("CAER-S", "Li et al.", 2021, 0.8482),
    ("CAER-S", "SAFER", 2022, 0.914),
    ("FER2013", "ECNN", 2017, 0.6698),
    ("FER2013", "Dhankhar", 2019, 0.672),
    ("FER2013", "Renda", 2019, 0.71),
    ("FER2013", "Gan", 2019, 0.7373),
    ("FER2013", "A-C", 2022, 0.7203),
    ("FER2013", "SAFER", 2022, 0.758),
    ("AffectNet", "SL", 2016, 0.5827),
    ("AffectNet", "SCN", 2020, 0.6023),
    ("AffectNet", "DMUE", 2021, 0.6311),
    ("AffectNet", "DAFL", 2020, 0.652),
    ("AffectNet", "F2E", 2022, 0.6423),
    ("AffectNet", "A-C", 2022, 0.6336),
    ("AffectNet", "SAFER, table 8", 2022, 0.637),
    ("AffectNet", "SAFER, table 5", 2022, 0.621),
)

_ON_TEST = "from scratch; epoch picked on the test split"
_PUBLISHED_FER2013 = (
    # model, accuracy, chosen on, note
    (
        "ResNet18, mixup, label smoothing",
        0.7370,
        "test",
        f"LetheSec on GitHub: {_ON_TEST}",
    ),
    ("VGG19", 0.7311, "test", f"WuJie1010 on GitHub: {_ON_TEST}"),
    ("VGG, Khaireddin and Chen", 0.7328, "test", "Khaireddin and Chen 2021: their code selects on PrivateTest"),
    ("Residual Masking Network", 0.7414, "", "Pham et al. 2020: ImageNet start"),
    ("eight networks, Pramerdorfer and Kampel", 0.752, "", "Pramerdorfer and Kampel 2016: from scratch, ensemble"),
    ("SAFER", 0.758, "", "paper 000, table 5, as claimed"),
    ("seven Residual Masking Networks", 0.7682, "", "Pham et al. 2020: ImageNet start, ensemble"),
)
_HUMANS = {"low": 0.60, "high": 0.70, "note": "Goodfellow et al. 2013: 65 ± 5 %"}
_PUBLISHED_FERPLUS = (
    ("VGG13", 0.84986, "", "Barsoum et al. 2016: from scratch; a label drawn from the votes for each epoch"),
    ("VGG and ResNet", 0.874, "", "Huang 2017: from scratch, two networks"),
)


def claims(dataset: str) -> pd.DataFrame:
    """The claims about `dataset`, rows with `COLUMNS`; an empty table where the papers say nothing of it."""
    rows = {"fer2013": _fer2013, "ferplus": lambda: _published(_PUBLISHED_FERPLUS)}.get(dataset, list)()
    return pd.DataFrame([*rows, *_paper_000(dataset)]).reindex(columns=COLUMNS)


def table_9() -> pd.DataFrame:
    """Paper 000's ablation: index experiment; columns AffectNet and CAER-S, accuracies as fractions."""
    return pd.DataFrame(_TABLE_9, columns=["experiment", "AffectNet", "CAER-S"]).set_index("experiment")


def bars_002() -> dict[str, float]:
    """Paper 002's accuracy by the part under the bar, fractions."""
    return dict(_PAPER_002)


def _paper_000(dataset: str) -> Iterator[dict]:
    column = {"affectnet": 1, "caer_s": 2}.get(dataset)
    for row in _TABLE_9 if column else ():
        yield _row("06", row[0], "SAFER", "accuracy", row[column], note=f"paper 000, table 9; {_SPLIT_000}")
    if dataset in _TABLE_5:
        name = "safer/F" if dataset in ("fer2013", "raf_db") else "safer/F+B+P"  # those pictures show faces alone
        yield _row(
            "06", name, "SAFER", "accuracy", _TABLE_5[dataset], note=f"paper 000, table 5: all streams; {_SPLIT_000}"
        )


def _fer2013() -> Iterator[dict]:
    """Every claim on FER2013 that this study has a counterpart of, and the best ones known."""
    yield from _paper_002()
    yield from _paper_003()
    yield from _paper_004()
    yield from _paper_001()
    yield _row("11", "published", "humans", "accuracy", 0.65, selection="", **_HUMANS)
    yield from _published(_PUBLISHED_FER2013)


def _row(notebook: str, experiment: str, model: str, metric: str, value: float, **more) -> dict:
    row = {"notebook": notebook, "experiment": experiment, "model": model, "metric": metric, "value": value}
    same = {"split": "test", "source": "paper", "train_condition": BARE, "test_condition": BARE}
    return {**row, **same, **more}


def _paper_001() -> Iterator[dict]:
    task = {"test_condition": BARE_SIX, "selection": TEST_EPOCH}
    for experiment, model, *values in _PAPER_001:
        for (split, n), value in zip(_SPLITS_001.items(), values, strict=True):
            told = {"split": split, "n": n, "note": "paper 001, tables 1 and 3"}
            yield _row("04", experiment, model, "accuracy", value, **told, **task)
    experiment, model, value = _LATER_001
    later = {"n": _SPLITS_001["test"], "note": "the authors of paper 001, later (GiMeFive)"}
    yield _row("04", experiment, model, "accuracy", value, **later, **task)


def _paper_002() -> Iterator[dict]:
    for part, value in _PAPER_002.items():
        condition = BARE_THREE if part == "none" else f"bar over the {part}, three emotions"
        told = {"n": 6042, "selection": TEST_EPOCH, "train_condition": condition, "test_condition": condition}
        yield _row("08", f"bars/{part}", "GoogLeNet", "accuracy", value, note=_NOTE_002, **told)


def _paper_003() -> Iterator[dict]:
    told = {"n": 4962, "selection": "cross-validation", "test_condition": MASKED, "train_condition": MASKED}
    told["note"] = "paper 003, figure 5: tested on masked pictures; that it learnt from masked ones is our reading"
    for metric, value in _SVM_003:
        yield _row("07", "masked/pca_svm", "PCA-150 + RBF SVC", metric, value, **told)
    yield from _masks_003()
    told = {"n": 4962, "note": _NOTE_MOBILENET}
    for metric, value in _MOBILENET_003:
        yield _row("05", "transfer/mobilenet_v2/imagenet/full", "MobileNetV2", metric, value, **told)


def _masks_003() -> Iterator[dict]:
    for (taught, tested), values in _MASKS_003.items():
        told = {"train_condition": taught, "test_condition": tested, "n": 4962, "note": _NOTE_MASKS_003}
        for (metric, overall), (*classes, whole) in zip(
            (("recall", "mean class recall"), ("F1", "macro F1")), values, strict=True
        ):
            of_classes = {f"{metric}[{name}]": value for name, value in zip(_CLASSES_003, classes, strict=True)}
            for name, value in (of_classes | {overall: whole}).items():
                yield _row("07", "masked/mobilenet_v2", "MobileNetV2", name, value / 100, **told)


def _paper_004() -> Iterator[dict]:
    for experiment, model, section, *values in _PAPER_004:
        notebook = "05" if experiment.startswith("transfer/") else "04"
        note = f"paper 004, table of section {section}; {_SPLIT_004}"
        for metric, value in zip(_FOUR, values, strict=True):
            yield _row(notebook, experiment, model, metric, value, note=note)


def _published(rows: tuple) -> Iterator[dict]:
    for model, value, chosen, note in rows:
        yield _row("11", "published", model, "accuracy", value, selection=chosen, note=note)
