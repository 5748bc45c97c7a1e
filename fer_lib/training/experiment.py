"""What one training is: an `Experiment` says everything that decides its result."""

from dataclasses import dataclass

from fer_lib.emotions import BASIC
from fer_lib.errors import StudyError
from fer_lib.files import code_version
from fer_lib.models.networks import get_network
from fer_lib.training.augment import AUGMENTATIONS
from fer_lib.training.balance import ORDERS
from fer_lib.training.losses import LOSSES
from fer_lib.training.mix import MIXES
from fer_lib.training.views import VIEWS

OPTIMIZERS = ("adam", "sgd")
SCHEDULES = ("constant", "exponential", "plateau", "paper004", "cosine")
# What decides every training's result; a name after the colon is a part of its module.
ALWAYS = (
    *("training.loop", "training.optimizers", "training.inputs", "data.table:resize", "data.table:crop"),
    *("training.augment:to_unit", "training.augment:centred", "training.augment:augmentation"),
    *(
        "training.fit:_load",
        "training.fit:scores_frame",
        "training.starts:new_network",
        "training.balance:sample_order",
    ),
    *("training.losses:_cross_entropy", "training.fit:train_splits", "training.fit:_write"),
)
KNOWN = {
    "balance": ORDERS,
    "augmentation": AUGMENTATIONS,
    "mix": MIXES,
    "views": VIEWS,
    "targets": ("labels", "votes"),
    "loss": LOSSES,
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "chosen_by": ("accuracy", "recall"),
}


@dataclass(frozen=True)
class Experiment:
    """Everything that one training needs. The defaults are those of paper 004, section 4.1.

    The paper names no batch size and no patience: those are ours. A stored run is named by the settings that differ
    from these defaults, so a default must never change; add a new value instead.

    Attributes
    ----------
    network : a name of `models.networks`
    start : `random`, `imagenet`, or the folder name of a finished run in the store whose body is taken over
    frozen : train the head alone, on what the body makes of the pictures, computed once
    size : side of the pictures in pixels
    balance : `none`, or `batches` in which all classes are equally frequent (paper 004, section 4.2)
    augmentation, mix, views : names of `training.augment`, `training.mix` and `training.views`
    mix_until : share of the epochs after which pictures are no longer mixed
    targets : `labels`, or `votes` of annotators as soft targets (FER+)
    loss, label_smoothing : see `training.losses`
    optimizer : `adam`, or `sgd` with Nesterov momentum 0.9
    schedule : how the learning rate falls, see `training.optimizers`; `decay`, `plateau_factor` and
        `plateau_patience` are its settings
    averaging : epochs that the moving average of weights (EMA), which is judged and kept, reaches back; 0 for none
    sharpness : how far sharpness-aware minimisation (SAM) climbs before each step; 0 does without
    chosen_by : what of the validation split chooses the epoch: `accuracy`, or mean class `recall`
    max_epochs, patience : training stops after `patience` epochs without a higher value of that
    watch_test : also measure the test split after every epoch, to show what choosing by it would pretend; nothing
        is ever chosen by it
    splits : whose predictions are kept: a setting that is only compared, on `("validation",)`, never reads test
    """

    name: str
    network: str = "six_layer"
    start: str = "random"
    frozen: bool = False
    classes: tuple[str, ...] = BASIC
    size: int = 48
    balance: str = "none"
    augmentation: str = "none"
    mix: str = "none"
    mix_until: float = 0.9
    views: str = "one"
    targets: str = "labels"
    loss: str = "cross_entropy"
    label_smoothing: float = 0.0
    optimizer: str = "adam"
    batch_size: int = 128
    learning_rate: float = 1e-3
    weight_decay: float = 5e-4
    schedule: str = "paper004"
    decay: float = 0.9
    plateau_factor: float = 0.1
    plateau_patience: int = 5
    averaging: float = 0.0
    sharpness: float = 0.0
    chosen_by: str = "accuracy"
    max_epochs: int = 60
    patience: int = 8
    watch_test: bool = False
    seed: int = 0
    precision: str = "bf16-mixed"
    splits: tuple[str, ...] = ("validation", "test")

    def __post_init__(self):
        self.network_program()
        for setting, known in KNOWN.items():
            value = getattr(self, setting)
            if value not in known:
                names = ", ".join(known)
                raise StudyError(f"experiment {self.name}: {setting} {value!r} is unknown; use one of {names}.")
        if self.frozen and (self.augmentation, self.mix, self.views) != ("none", "none", "one"):
            raise StudyError(f"experiment {self.name}: a frozen body sees each picture once; use no augmentation.")
        if self.splits not in (("validation",), ("validation", "test")):
            raise StudyError(f"experiment {self.name}: splits {self.splits}; keep validation, or validation and test.")

    def network_program(self) -> tuple[str, ...]:
        """What decides the network, as `files.code_version` names it; StudyError when there is none of that name."""
        return get_network(self.network).program

    def code(self) -> str:
        """Hash of the program that decides the result: the loop, the network, and the options that are used."""
        used = {
            "training.augment:" + self.augmentation: self.augmentation != "none",
            "training.mix": self.mix != "none",
            "training.views": self.views != "one",
            "training.losses": self.loss != "cross_entropy",
            "training.sharpness": self.sharpness > 0,
            "training.starts": self.frozen or self.start != "random",
            "models.weights": self.start == "imagenet",
        }
        parts = [f"fer_lib.{part}" for part, needed in used.items() if needed]
        return code_version(*(f"fer_lib.{part}" for part in ALWAYS), *self.network_program(), *parts)
