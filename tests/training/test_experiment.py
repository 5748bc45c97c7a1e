import dataclasses
import importlib.util
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from fer_lib import files
from fer_lib.emotions import BASIC
from fer_lib.errors import StudyError
from fer_lib.models.networks import NETWORKS
from fer_lib.runs import RunStore
from fer_lib.training.experiment import KNOWN, Experiment
from fer_lib.training.fusion import Fusion

DEFAULTS = {
    "network": "six_layer",
    "start": "random",
    "frozen": False,
    "classes": ("anger", "disgust", "fear", "happiness", "sadness", "surprise", "neutral"),
    "size": 48,
    "balance": "none",
    "augmentation": "none",
    "mix": "none",
    "mix_until": 0.9,
    "views": "one",
    "targets": "labels",
    "loss": "cross_entropy",
    "label_smoothing": 0.0,
    "optimizer": "adam",
    "batch_size": 128,
    "learning_rate": 1e-3,
    "weight_decay": 5e-4,
    "schedule": "paper004",
    "decay": 0.9,
    "plateau_factor": 0.1,
    "plateau_patience": 5,
    "averaging": 0.0,
    "sharpness": 0.0,
    "chosen_by": "accuracy",
    "max_epochs": 60,
    "patience": 8,
    "watch_test": False,
    "seed": 0,
    "precision": "bf16-mixed",
    "splits": ("validation", "test"),
}
BASE = Experiment("six_layer/base")
MEAN = """
def _mean(n_classes, side):
    return nn.Linear(1, n_classes)
"""


def test_no_default_has_changed():
    """A stored run is named by the settings that differ from their defaults, and by those alone.

    If the default learning rate became 0.01, a run that was trained with 0.001 would be found under a name that now
    says 0.01. So a new setting gets a new line here, at the value that leaves trainings as they were; no line
    changes.
    """
    now = {field.name: field.default for field in fields(Experiment) if field.default is not MISSING}
    assert now == DEFAULTS


def test_a_setting_that_is_added_later_leaves_runs_where_they_are():
    @dataclass(frozen=True)
    class Later(Experiment):
        stochastic_depth: float = 0.0

    store, settings = RunStore("runs"), {"seed": 3, "size": 64}
    before = store.folder(Experiment("a/b", **settings), "data", "code")
    assert store.folder(Later("a/b", **settings), "data", "code") == before
    assert store.folder(Later("a/b", **settings, stochastic_depth=0.1), "data", "code") != before


def test_a_setting_written_out_at_its_default_names_the_same_run():
    store = RunStore("runs")
    assert store.folder(Experiment("a", **DEFAULTS), "d", "c") == store.folder(Experiment("a"), "d", "c")


@pytest.mark.parametrize("field", [field for field in fields(Experiment) if field.name not in ("name", "network")])
def test_every_setting_names_another_run(field):
    other = {"splits": ("validation",), "classes": BASIC[::-1]}.get(field.name)
    other = list(KNOWN[field.name])[1] if field.name in KNOWN else other
    default = field.default
    value = other or (not default if isinstance(default, bool) else f"{default}x" if field.type is str else default + 1)
    changed = replace(BASE, **{field.name: value})
    assert RunStore("r").folder(changed, "d", "c") != RunStore("r").folder(BASE, "d", "c")
    assert dataclasses.asdict(changed)[field.name] == value


@pytest.mark.parametrize(
    ("module", "used"),
    [
        ("fer_lib.training.loop", {}),
        ("fer_lib.training.optimizers", {}),
        ("fer_lib.models.scratch", {}),
        ("fer_lib.data.table:resize", {}),
        ("fer_lib.data.table:crop", {}),
        ("fer_lib.models.gimefive", {"network": "gimefive_13_bn"}),
        ("fer_lib.models.published", {"network": "resnet18_linear"}),
        ("fer_lib.training.augment:paper004", {"augmentation": "paper004"}),
        ("fer_lib.training.augment:strong", {"augmentation": "strong"}),
        ("fer_lib.training.mix", {"mix": "mixup"}),
        ("fer_lib.training.views", {"views": "flip"}),
        ("fer_lib.training.losses", {"loss": "focal"}),
        ("fer_lib.training.losses:_cross_entropy", {}),
        ("fer_lib.training.balance:sample_order", {}),
        ("fer_lib.training.fit:train_splits", {}),
        ("fer_lib.training.fit:_load", {}),
        ("fer_lib.training.fit:scores_frame", {}),
        ("fer_lib.models.regular", {"network": "regular_stream"}),
        ("fer_lib.models.networks:_six_layer", {}),
        ("fer_lib.models.networks:_published", {"network": "resnet18_linear"}),
        ("fer_lib.models.networks:_in_colour", {"network": "regular_stream_colour"}),
        ("fer_lib.training.augment:paper000", {"augmentation": "paper000"}),
        ("fer_lib.training.starts:new_network", {}),
        ("fer_lib.training.sharpness", {"sharpness": 0.05}),
        ("fer_lib.training.starts", {"start": "imagenet"}),
        ("fer_lib.training.starts", {"network": "resnet18_linear", "frozen": True}),
    ],
)
def test_only_the_programs_of_what_is_used_name_a_run(module, used, monkeypatch):
    program = files._program
    experiments = [BASE, replace(BASE, **used)]
    before = [experiment.code() for experiment in experiments]
    monkeypatch.setattr(files, "_program", lambda name: program(name) + " changed" * (name == module))
    after = [experiment.code() for experiment in experiments]
    assert before[1] != after[1]
    assert (before[0] == after[0]) == bool(used)


def with_source(monkeypatch, tmp_path, module, change):
    """Let `files` read another source of a module, which is not imported anew."""
    spec, path = importlib.util.find_spec, tmp_path / "source.py"
    path.write_text(change(Path(spec(module).origin).read_text()))
    other = SimpleNamespace(origin=path)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: other if name == module else spec(name))


def test_a_network_that_is_added_leaves_every_run_where_it_is(monkeypatch, tmp_path):
    def add(source):
        entry = '"six_layer": Network(_six_layer, scratch.__name__),\n'
        assert source.count(entry) == 1
        return source.replace(entry, entry + '        "mean": Network(_mean, scratch.__name__),\n') + MEAN

    experiments = [Experiment("a", network) for network in NETWORKS]
    experiments += [replace(experiments[0], start="imagenet"), Fusion("f")]
    before = [experiment.code() for experiment in experiments]
    with_source(monkeypatch, tmp_path, "fer_lib.models.networks", add)
    assert [experiment.code() for experiment in experiments] == before


def test_how_a_network_is_made_names_its_runs_and_no_others(monkeypatch, tmp_path):
    experiments = {name: Experiment("a", name) for name in NETWORKS}
    before = {name: experiment.code() for name, experiment in experiments.items()}
    with_source(
        monkeypatch, tmp_path, "fer_lib.models.networks", lambda source: source.replace("channels=3)", "channels=4)")
    )
    after = {name: experiment.code() for name, experiment in experiments.items()}
    assert [name for name in NETWORKS if before[name] != after[name]] == ["regular_stream_colour"]


@pytest.mark.parametrize(
    ("setting", "sentence"),
    [
        ({"network": "vgg99"}, "network 'vgg99' is unknown; use one of six_layer, regular, "),
        ({"optimizer": "lion"}, "experiment a: optimizer 'lion' is unknown; use one of adam, sgd"),
        ({"schedule": "step"}, "schedule 'step' is unknown; use one of constant, exponential, plateau"),
        ({"augmentation": "x"}, "augmentation 'x' is unknown; use one of none, flip, paper004"),
        ({"views": "x"}, "views 'x' is unknown; use one of one, flip, flip_shift"),
        ({"frozen": True, "mix": "mixup"}, "a frozen body sees each picture once; use no augmentation"),
        ({"targets": "wishes"}, "experiment a: targets 'wishes' is unknown; use one of labels, votes"),
        ({"splits": ("test",)}, "keep validation, or validation and test"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_sentence(setting, sentence):
    with pytest.raises(StudyError, match=sentence):
        Experiment("a", **setting)
