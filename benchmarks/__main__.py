"""`make bench`: each line sets two ways of doing the same thing against each other, in turns, on drawn people."""

import platform
import statistics
import time
from collections.abc import Callable
from tempfile import TemporaryDirectory

import torch
from lightning.fabric import Fabric
from torch.nn.functional import cross_entropy

from fer_lib.data.sources import synthetic
from fer_lib.data.splits import split_rows
from fer_lib.data.table import load_pictures, load_table, save_table
from fer_lib.models.features import pixels
from fer_lib.models.scratch import SixLayerCNN
from fer_lib.models.svm import Classical, FastSVC, PlainSVC, pipeline, svc
from fer_lib.training.augment import centred, to_unit
from fer_lib.training.fit import Experiment, _Split, _Training

ROUNDS = 5
FEW = 140  # pictures that are drawn again in every round


def compare(what: str, ours: Callable[[], None], other: Callable[[], None]) -> None:
    """Time both in turns, after one run of each that does not count, and print the ratio of medians."""
    ours(), other()
    times = {ours: [], other: []}
    for _ in range(ROUNDS):
        for work in (ours, other):
            start = time.perf_counter()
            work()
            times[work].append(time.perf_counter() - start)
    a, b = (statistics.median(times[work]) for work in (ours, other))
    print(f"{what:62}  {a:7.3f} s  {b:7.3f} s  ratio {b / a:6.2f}", flush=True)


def training_loop(table) -> tuple[Callable, Callable]:
    """One epoch of the study's loop, and a bare forward-backward loop of the same network on the same batches."""
    fabric = Fabric(accelerator="auto", devices=1, precision="bf16-mixed")
    experiment = Experiment("bench")
    training = _Training(experiment, fabric, checkpoint=None)
    train = _Split.load(split_rows(table, "train"), experiment, fabric.device)
    network, optimizer = fabric.setup(
        bare := SixLayerCNN().to(memory_format=torch.channels_last), torch.optim.Adam(bare.parameters())
    )
    ready = [centred(to_unit(part)) for part in train.pictures.split(experiment.batch_size)]
    targets = train.targets.split(experiment.batch_size)

    def bare_loop() -> None:
        for batch, target in zip(ready, targets, strict=True):
            optimizer.zero_grad()
            fabric.backward(cross_entropy(network(batch).float(), target))
            optimizer.step()

    return lambda: training._train_batches(train, 0), bare_loop


def machines(table) -> tuple[Callable, Callable]:
    """The fast support vector machine and the plain one on the same components."""
    train = split_rows(table, "train")
    experiment = Classical("bench", components=100)
    x, y = pipeline(experiment)[:-1].fit_transform(pixels(load_pictures(train))), train["label"]
    return lambda: svc(experiment, FastSVC).fit(x, y), lambda: svc(experiment, PlainSVC).fit(x, y)


def main() -> None:
    """Print a line per comparison: ours, the other, and how many times faster ours is."""
    print(f"{platform.processor() or platform.machine()}, {torch.get_num_threads()} threads, {ROUNDS} rounds\n")
    table = synthetic.read(2100, seed=0)
    compare("training epoch / bare forward-backward loop", *training_loop(table))
    compare("SVC of models.svm / scikit-learn's", *machines(table))
    with TemporaryDirectory() as folder:
        save_table(synthetic.read(FEW, seed=0), path := f"{folder}/table.parquet")
        compare("table from its cache / drawn anew", lambda: load_table(path), lambda: synthetic.read(FEW, seed=0))


if __name__ == "__main__":
    main()
