"""Would a map change if the network knew nothing? Sanity checks of notebook 09 (Adebayo et al. 2018)."""

import pandas as pd
import torch
from torch import nn
from torch.optim.swa_utils import update_bn

from fer_lib.data.splits import split_rows
from fer_lib.evaluation.compare import mean_interval
from fer_lib.explain.cams import BATCH
from fer_lib.explain.faithfulness import likeness
from fer_lib.explain.methods import fitting, heat, targets_of
from fer_lib.looks import SIX_LAYER, Looks
from fer_lib.models.networks import get_network
from fer_lib.runs import Run
from fer_lib.training.augment import centred, to_unit
from fer_lib.training.catalogue import RANDOM_LABELS
from fer_lib.training.experiment import Experiment
from fer_lib.training.inputs import picture_tensor
from fer_lib.training.judge import whole_network

SETTLING = 512  # train pictures that a network with random weights is settled on


def against_nothing(looks: Looks, name: str) -> pd.DataFrame:
    """How like each method's maps are to those of networks that know nothing.

    Returns
    -------
    index method; columns random weights (the same network before it learnt) and, for the six-layer network, random
    labels (it was taught labels dealt at random, see `random_labels_run`); the mean rank correlation over `Looks.some`,
    with its interval; NaN where no map of the other network has any heat.
    Occlusion is left out, which would ask each network thousands of times more.
    """
    experiment, network = looks.network(name)
    blank = _knowing_nothing(looks, name)
    shown, targets = looks.pictures(name)[looks.some], targets_of(looks.named(name)[looks.some], experiment.classes)
    rows, resamples = {}, looks.study.profile.resamples
    for method in fitting(network):
        if method == "occlusion":
            continue
        own = looks.heat(name, method, looks.some)
        others = {told: heat(method, other, shown, targets) for told, other in blank.items()}
        rows[method] = {told: mean_interval(likeness(own, maps), resamples) for told, maps in others.items()}
    return pd.DataFrame.from_dict(rows, orient="index")


def random_labels_run(looks: Looks) -> Run | None:
    """The run of the six-layer network that was taught labels dealt at random; None where it is not here."""
    return next(iter(looks.trainings.runs(RANDOM_LABELS)), None)


def share_of_largest_class(looks: Looks) -> float:
    """Share of train that has its largest class: what always saying that one reaches there."""
    return float(split_rows(looks.table, "train")["label"].value_counts(normalize=True).iloc[0])


def _knowing_nothing(looks: Looks, name: str) -> dict[str, nn.Module]:
    """Networks that know nothing, on the device of the one whose maps they are compared with."""
    experiment, network = looks.network(name)
    some = picture_tensor(split_rows(looks.table, "train").head(SETTLING), experiment)
    blank = {"random weights": _untaught(experiment, some)}
    run = random_labels_run(looks) if name == SIX_LAYER else None
    if run:
        looks.study.keep_run(run)
        blank["random labels"] = whole_network(run, looks.table, looks.study.store)[1]
    device = next(network.parameters()).device
    return {told: other.to(device) for told, other in blank.items()}


def _untaught(experiment: Experiment, pictures: torch.Tensor) -> nn.Module:
    """The network with random weights, its batch norms settled on pictures: fresh ones would let signals fade."""
    torch.manual_seed(experiment.seed)
    network = get_network(experiment.network).make(len(experiment.classes), experiment.size)
    update_bn([centred(to_unit(part)) for part in pictures.split(BATCH)], network)
    return network.eval()
