"""`python -m fer_lib`: what a cluster, a shell or Make needs without opening a notebook."""

import argparse
import os
import sys
from importlib.util import find_spec
from pathlib import Path

from fer_lib.data.table import SPLITS
from fer_lib.errors import StudyError
from fer_lib.files import ROOT


def main(words: list[str] | None = None) -> int:
    """Run one command; 0 when it succeeded, 1 after printing the sentence of a StudyError."""
    arguments = _parser().parse_args(words)
    try:
        arguments.command(arguments)
    except StudyError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; run again to go on from here.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fer_lib", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, command, about in (
        ("prepare", prepare, "check the settings, read and check a data set"),
        ("train", train, "train experiments into the run store"),
        ("search", search, "search settings of an experiment on the validation split"),
        ("scores", scores, "write what a network makes of every picture of a folder to a CSV file"),
        ("notebook", notebook, "execute one notebook"),
        ("publish", publish, "build the report of a finished run"),
        ("synthesize", synthesize, "draw a data set of people in places into a folder"),
    ):
        sub = commands.add_parser(name, help=about, description=about)
        sub.set_defaults(command=command)
        if name == "train":
            sub.add_argument("experiments", nargs="+", help="such as six_layer/base, or 'six_layer/*'")
            sub.add_argument("--seeds", default="1", help="how many seeds")
            sub.add_argument("--first-seed", help="of those; --seed, which also decides the data, unless given")
        if name == "search":
            sub.add_argument("experiment", help="such as six_layer/base")
            sub.add_argument("--trials", default="20", help="how many settings to try")
            sub.add_argument("--grid", action="store_true", help="the whole grid of paper 001 instead")
        if name == "scores":
            sub.add_argument("folder", type=Path, help="with pictures in it or below")
            sub.add_argument("--out", type=Path, required=True, help="CSV file to write")
            sub.add_argument("--experiment", default="six_layer/base", help="whose network judges; trained if need be")
        if name == "notebook":
            sub.add_argument("notebook", type=Path, help="such as notebooks/03_svm_pca_baseline.ipynb")
        if name in ("notebook", "publish"):
            sub.add_argument("--only", default="", help="numbers of the notebooks that a report is about; '' for all")
        if name == "publish":
            sub.add_argument("target", type=Path, help="folder of the report")
        if name == "synthesize":
            sub.add_argument("--preset", default="balanced", help="kind of data set")
            sub.add_argument("--n", required=True, help="how many pictures")
            sub.add_argument("--out", type=Path, required=True, help="folder to make")
            sub.add_argument("--size", default="224", help="side of the pictures in pixels")
        else:
            sub.add_argument("--dataset", default="synthetic", help="such as fer2013; drawn people unless given")
            sub.add_argument("--profile", default="quick", help="smoke, quick or full; quick unless given")
            sub.add_argument("--data-root", default="", help="folder below which the data set lies")
            sub.add_argument("--runs", default="runs", help="where runs are kept, from the top of the repository")
        sub.add_argument("--seed", default="0")
    return parser


def prepare(arguments: argparse.Namespace) -> None:
    """Read, check and cache the data set, before anything is computed from it; print how large its splits are."""
    from fer_lib.data.sources import load_dataset
    from fer_lib.profiles import get_profile, parse_seed

    drawn, seed = get_profile(arguments.profile).synthetic_pictures, parse_seed(arguments.seed)
    cache = ROOT / arguments.runs / "cache"
    table = load_dataset(arguments.dataset, arguments.data_root, cache, seed, drawn)
    counts = table["split"].value_counts()
    print(f"{arguments.dataset}: {', '.join(f'{counts[split]:,} {split}' for split in SPLITS)} pictures.")


def train(arguments: argparse.Namespace) -> None:
    """Train each named experiment, or find it finished in the run store."""
    from fer_lib.profiles import parse_seed
    from fer_lib.training.catalogue import matching

    gatherer, table = _gatherer_and_table(arguments)
    first, seeds = parse_seed(arguments.first_seed or gatherer.seed), _whole("--seeds", arguments.seeds)
    for name in matching(arguments.experiments):
        for number in range(first, first + seeds):
            _train_one(gatherer, name, table, number, named=name in arguments.experiments)


def _train_one(gatherer, name: str, table, seed: int, named: bool) -> None:
    """Train, and print what came of it; of a pattern, what cannot be trained is told and passed over."""
    try:
        run = gatherer.train(name, table, seed)
    except StudyError as error:
        if named:
            raise
        outcome = f"left out: {error}"
    else:
        outcome = f"{run.history['validation_accuracy'].max():.4f} on validation, {run.folder}"
    if os.environ.get("RANK", "0") == "0":  # of several processes that train together, one tells
        print(f"{name}, seed {seed}: {outcome}")


def search(arguments: argparse.Namespace) -> None:
    """Search an experiment's settings, or go on with a search; print the best."""
    from fer_lib.training import search

    searcher, table = _gatherer_and_table(arguments)
    name, trials = arguments.experiment, _whole("--trials", arguments.trials)
    if arguments.grid and name != search.GRID_BASE:
        raise StudyError(f"--grid is paper 001's, for {search.GRID_BASE}, not for {name}.")
    base, where = searcher.search_base(name, table), searcher.search_where(name, table)
    grid, space = search.GRID_001, search.RATES
    frame = search.grid_search(base, grid, *where) if arguments.grid else search.search(base, space, trials, *where)
    print(f"{name}: {frame['value'].max():.4f} on validation with {search.best_settings(frame)}")


def scores(arguments: argparse.Namespace) -> None:
    """Judge every picture of a folder by the network of an experiment (paper 001, section 5.2)."""
    if find_spec("mediapipe") is None:
        raise StudyError("scores needs mediapipe, which finds faces; install it.")
    from fer_lib.scores import check_experiment, pictures_below, write_scores
    from fer_lib.training.judge import whole_network

    name, out = arguments.experiment, arguments.out
    check_experiment(name)
    pictures_below(arguments.folder)  # which tells what is wrong with it before a long training
    gatherer, table = _gatherer_and_table(arguments)
    run = gatherer.train(name, table, gatherer.seed)
    judging = whole_network(run, gatherer.task(name, table)[0], gatherer.store)
    problems = write_scores(arguments.folder, out, *judging)
    print(f"{out} is ready: {problems.sum():,} pictures, {problems.drop('', errors='ignore').sum():,} with a problem.")
    reached = run.history["validation_accuracy"].max()
    print(
        f"Judged by {name}, taught on {arguments.dataset} ({arguments.profile}): {reached:.4f} on its validation split."
    )


def _gatherer_and_table(arguments: argparse.Namespace):
    """What trains experiments or finds their runs, and the study table that they learn from."""
    from fer_lib.data.sources import load_dataset
    from fer_lib.profiles import get_profile, parse_seed
    from fer_lib.runs import RunStore
    from fer_lib.training.gather import Gatherer

    profile, seed, runs = get_profile(arguments.profile), parse_seed(arguments.seed), ROOT / arguments.runs
    table = load_dataset(arguments.dataset, arguments.data_root, runs / "cache", seed, profile.synthetic_pictures)
    return Gatherer(profile, seed, RunStore(runs / "store"), runs / "cache"), table


def notebook(arguments: argparse.Namespace) -> None:
    """Execute a notebook into the folder of its run."""
    from fer_lib.execute import execute
    from fer_lib.files import REPORT
    from fer_lib.profiles import get_profile, parse_seed

    parameters = {
        "DATASET": arguments.dataset,
        "PROFILE": get_profile(arguments.profile).name,
        "DATA_ROOT": arguments.data_root,
        "SEED": parse_seed(arguments.seed),
        "RUNS": arguments.runs,
    }
    if arguments.notebook.stem == REPORT:
        parameters["ONLY"] = arguments.only
    execute(arguments.notebook, _folder(arguments) / arguments.notebook.name, parameters)


def publish(arguments: argparse.Namespace) -> None:
    """Build the report from what the notebooks left."""
    from fer_lib.show.report import publish as build

    build(_folder(arguments), arguments.target, arguments.only.split())
    print(f"{arguments.target / 'report.html'} is ready.")


def synthesize(arguments: argparse.Namespace) -> None:
    """Draw a data set into a new folder."""
    from fer_lib.profiles import parse_seed
    from fer_lib.synthetic.export import write_folder
    from fer_lib.synthetic.presets import PRESETS

    if arguments.preset not in PRESETS:
        raise StudyError(f"--preset {arguments.preset!r} is unknown; use one of {', '.join(PRESETS)}.")
    n, size = _whole("--n", arguments.n), _whole("--size", arguments.size)
    write_folder(PRESETS[arguments.preset], n, parse_seed(arguments.seed), arguments.out, size)
    print(f"{arguments.out} is ready: {n:,} pictures; its DATASHEET.md says what they are.")


def _whole(option: str, text: str) -> int:
    if not text.isdecimal() or int(text) == 0:
        raise StudyError(f"{option} {text!r} is no whole number from 1; use one, such as {option} 500.")
    return int(text)


def _folder(arguments: argparse.Namespace) -> Path:
    return ROOT / arguments.runs / f"{arguments.dataset}-{arguments.profile}"


if __name__ == "__main__":
    sys.exit(main())
