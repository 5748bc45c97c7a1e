"""`make bench`: each line sets two ways of doing the same thing against each other, in turns, on drawn people."""

import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import torch
from torch.nn.functional import cross_entropy

from benchmarks.faces import covering, preparation
from benchmarks.heat import filling, heating
from fer_lib.data.sources import synthetic
from fer_lib.data.splits import split_rows
from fer_lib.data.table import load_pictures, load_table, save_table
from fer_lib.models.features import pixels
from fer_lib.models.networks import get_network
from fer_lib.models.svm import Classical, FastSVC, PlainSVC, pipeline, svc
from fer_lib.training.augment import centred, to_unit
from fer_lib.training.experiment import Experiment
from fer_lib.training.fit import launch
from fer_lib.training.inputs import Split
from fer_lib.training.loop import Training

ROUNDS = 5
FEW = 140  # pictures that are drawn again in every round
LEARNT = {"six_layer": 1470, "face_resnet_small": 256}  # pictures of an epoch, so that both take seconds


def compare(what: str, ours: Callable[[], None], other: Callable[[], None]) -> float:
    """Time both in turns, after one run of each that does not count, and print the ratio of medians.

    Returns
    -------
    seconds that ours takes, median
    """
    ours(), other()
    times = {ours: [], other: []}
    for _ in range(ROUNDS):
        for work in (ours, other):
            start = time.perf_counter()
            work()
            times[work].append(time.perf_counter() - start)
    a, b = (statistics.median(times[work]) for work in (ours, other))
    print(f"{what:62}  {a:7.3f} s  {b:7.3f} s  ratio {b / a:6.2f}", flush=True)
    return a


def training_loop(rows: pd.DataFrame, network: str) -> tuple[Callable, Callable]:
    """One epoch of the study's loop, and a bare forward-backward loop of the same network on the same batches."""
    experiment = Experiment("bench", network, precision="bf16-mixed")
    fabric = launch(experiment.precision)
    ours, bare = (
        get_network(network).make(len(experiment.classes), experiment.size).to(memory_format=torch.channels_last)
        for _ in range(2)
    )
    training = Training(experiment, fabric, ours, Split.load(rows, experiment).to(fabric.device))
    module, optimizer = fabric.setup(bare, torch.optim.Adam(bare.parameters()))
    batches = training._batches(torch.arange(len(rows), device=fabric.device))
    ready = [(centred(to_unit(training.train.inputs[part])), training.train.targets[part]) for part in batches]
    module.train()

    def bare_loop() -> None:
        for pictures, targets in ready:
            optimizer.zero_grad()
            fabric.backward(cross_entropy(module(pictures).float(), targets))
            optimizer.step()
        _finish()

    def our_loop() -> None:
        training._learn(0)
        _finish()

    return our_loop, bare_loop


def _finish() -> None:
    """Wait for a GPU, which works on after Python has told it what to do."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def machines(table: pd.DataFrame) -> tuple[Callable, Callable]:
    """The fast support vector machine and the plain one on the same components."""
    train = split_rows(table, "train")
    experiment = Classical("bench", components=100)
    x, y = pipeline(experiment)[:-1].fit_transform(pixels(load_pictures(train))), train["label"]
    return lambda: svc(experiment, FastSVC).fit(x, y), lambda: svc(experiment, PlainSVC).fit(x, y)


def main() -> None:
    """Print a line per comparison: ours, the other, and how many times faster ours is."""
    print(f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads, {ROUNDS} rounds\n")
    table = synthetic.read(2100, seed=0)
    train = split_rows(table, "train")
    for network, pictures in LEARNT.items():
        compare(f"{network}: training epoch / bare loop", *training_loop(train.head(pictures), network))
    compare("SVC of models.svm / scikit-learn's", *machines(table))
    with TemporaryDirectory() as folder:
        save_table(synthetic.read(FEW, seed=0), path := f"{folder}/table.parquet")
        compare("table from its cache / drawn anew", lambda: load_table(path), lambda: synthetic.read(FEW, seed=0))
    with TemporaryDirectory() as folder:
        pictures, prepare, networks_alone = preparation(Path(folder))
        seconds = compare("faces prepared / the three networks alone", prepare, networks_alone)
        print(f"{pictures / seconds:.0f} pictures of 224 x 224 prepared per second")
    pictures, cover_all, find_all = covering()
    seconds = compare("masks put on faces / the faces found", cover_all, find_all)
    print(f"{pictures / seconds:.0f} faces of 48 x 48 masked per second")
    pictures, heat, there_and_back = heating()
    seconds = compare("Grad-CAM of six_layer / logits and gradients alone", heat, there_and_back)
    print(f"{pictures / seconds:.0f} Grad-CAM maps of 48 x 48 per second")
    compare("holes of ROAD filled / by the package grad-cam", *filling())


if __name__ == "__main__":
    main()
