"""Settings searched with Optuna, as paper 004 did, or on a grid, as paper 001 did; validation alone decides.

A search is kept in a journal file. Killed, it goes on where it stopped; started several times, by several processes
or on several machines that see one disk, it shares its trials. What a trial trained lies in the run store.
"""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np
import optuna
import pandas as pd
from filelock import FileLock, Timeout
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState

from fer_lib.data.table import table_hash
from fer_lib.errors import StudyError
from fer_lib.files import content_hash, disk_errors
from fer_lib.progress import progress
from fer_lib.runs import RunStore
from fer_lib.training.experiment import Experiment
from fer_lib.training.fit import fit

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
FIXED = ("name", "classes", "seed", "splits", "watch_test")  # what a search leaves as it is
MEASURED = ["number", "value", "best_so_far", "seconds"]
WAIT = 1.0  # seconds between two looks at trials that other processes are still at


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included: whole where both are; on a logarithmic scale if `log`."""

    low: float
    high: float
    log: bool = False

    def __post_init__(self):
        if not self.low < self.high or (self.log and self.low <= 0):
            raise StudyError(f"{self} holds no numbers; use low < high, and low > 0 with log.")


Space = Mapping[str, tuple | Range]  # a setting of `Experiment` → its choices, or their range

RATES: Space = {
    "learning_rate": Range(1e-4, 1e-1, log=True),
    "weight_decay": Range(1e-5, 1e-2, log=True),
    "batch_size": (32, 64, 128, 256),
}
# Table 4 of paper 001. Its dropout is taken as the one after blocks 1 to 4; it also tries to train without early
# stopping, where ours always stops, with its patience of 5.
GRID_BASE = "gimefive/15_bn_dropout"  # what the grid is around
GRID_001: Space = {
    "network": ("gimefive_15_bn_dropout", "gimefive_15_bn_dropout_50"),
    "learning_rate": (1e-2, 1e-3, 1e-4),
    "batch_size": (8, 16, 32, 64),
    "max_epochs": (20, 30, 40),
    "patience": (5,),
}


def search(
    base: Experiment, space: Space, trials: int, table: pd.DataFrame, store: RunStore, storage: Path
) -> pd.DataFrame:
    """The first `trials` finished trials of a search by Optuna's TPE sampler, which learns from earlier ones.

    Parameters
    ----------
    base : the experiment whose other settings stay; its seed also decides what is proposed
    storage : the journal; it may hold other searches, and never mixes them

    Returns
    -------
    one row per finished trial: number, the settings, value (highest validation accuracy, nothing where the loss
    stopped being a number), best_so_far, seconds (of training). Numbers of interrupted trials, whose settings are
    trained again under a later number, are missing. One process gives the same trials each time; several together
    give others, since what is proposed depends on what is finished.

    Raises
    ------
    StudyError
        When the space is no space of `Experiment`, or a training fails.
    """
    return _Search(base, space, [], table, store, storage).run(trials)


def finished(
    base: Experiment, space: Space, table: pd.DataFrame, store: RunStore, storage: Path, grid: bool = False
) -> pd.DataFrame:
    """The trials that `search`, or `grid_search`, has finished so far, here or elsewhere, in the form they return."""
    return _Search(base, space, _combinations(space) if grid else [], table, store, storage).frame()


def grid_search(base: Experiment, space: Space, table: pd.DataFrame, store: RunStore, storage: Path) -> pd.DataFrame:
    """Every combination of a space of choices alone, each trained once; parameters and returns as of `search`."""
    grid = _combinations(space)
    return _Search(base, space, grid, table, store, storage).run(len(grid))


def best_settings(frame: pd.DataFrame) -> dict:
    """The settings of the first trial with the highest value, ready for `dataclasses.replace`."""
    if frame["value"].isna().all():
        raise StudyError("no trial of the search has an accuracy; search lower learning rates.")
    best = frame["value"].argmax()
    return {name: column.tolist()[best] for name, column in frame.drop(columns=MEASURED).items()}


class _Search:
    """One search and its study; `grid` holds what is trained before anything is proposed."""

    def __init__(
        self, base: Experiment, space: Space, grid: list[dict], table: pd.DataFrame, store: RunStore, storage: Path
    ):
        if int(os.environ.get("WORLD_SIZE", 1)) > 1:
            raise StudyError("torchrun cannot search; start the same search several times instead.")
        optuna.logging.set_verbosity(optuna.logging.WARNING)
        fixed = grid[0] if grid else {}  # a grid is the same whatever the base says of what it varies
        self.base = replace(base, splits=("validation",), watch_test=False, **fixed)
        self.grid, self.storage = grid, storage
        self.distributions = {name: _distribution(name, choices) for name, choices in space.items()}
        self.fit = partial(fit, table=table, store=store)
        key = content_hash([list(space.items()), bool(grid), _codes(self.base, space)])
        self.name = store.folder(self.base, table_hash(table), key).name
        self.study: optuna.Study | None = None
        if storage.exists():
            journal = JournalStorage(JournalFileBackend(str(storage)))
            if self.name in optuna.get_all_study_names(journal):
                self.study = optuna.load_study(study_name=self.name, storage=journal)

    def run(self, trials: int) -> pd.DataFrame:
        """Take trials until so many are finished, here or elsewhere."""
        with disk_errors(self.storage):
            self.begin()
        with progress(total=trials, description=f"searching {self.base.name}", unit="trial") as bar:
            while (finished := len(self.trials(*FINISHED))) < trials:
                bar.update(finished - bar.n)
                if not self.take(trials):
                    time.sleep(WAIT)
            bar.update(trials - bar.n)
        return self.frame().head(trials)

    def begin(self) -> None:
        """Make the study, unless it was begun before."""
        self.storage.parent.mkdir(parents=True, exist_ok=True)
        self.lock = FileLock(f"{self.storage}.queue")
        with self.lock:
            journal = JournalStorage(JournalFileBackend(str(self.storage)))
            self.study = optuna.create_study(
                storage=journal, study_name=self.name, direction="maximize", load_if_exists=True
            )

    def take(self, trials: int) -> bool:
        """Begin and finish one trial, unless the last ones are under way elsewhere; whether there was one."""
        with self.lock:
            self.queue()
            if len(self.trials(*FINISHED, TrialState.RUNNING)) >= trials:
                return False
            # A new seed for each trial, whoever takes it: one for all would repeat itself when a search goes on.
            count = len(self.trials()) - len(self.trials(TrialState.FAIL))
            seed = int(np.random.SeedSequence([self.base.seed, count]).generate_state(1)[0])
            self.study.sampler = optuna.samplers.TPESampler(seed=seed)
            trial = self.study.ask(self.distributions)
            mark = self.mark(trial.number)
            mark.acquire()
        try:
            self.train(trial)
        finally:
            self.remove(mark)
        return True

    def train(self, trial: optuna.Trial) -> None:
        name = f"{self.base.name}/trial-{content_hash(trial.params)[:8]}"
        try:
            run = self.fit(replace(self.base, name=name, **trial.params))
        except StudyError as error:
            if "the loss is no number" not in str(error):
                raise
            told = {"state": TrialState.PRUNED}  # which the sampler takes for the worst
        else:
            trial.set_user_attr("seconds", float(run.environment["seconds"]))
            told = {"values": float(run.history["validation_accuracy"].max())}
        with self.lock:
            self.study.tell(trial, **told)

    def queue(self) -> None:
        """Line up again what a killed process left, and what of the grid was never lined up."""
        for trial in self.trials(TrialState.RUNNING):
            mark = self.mark(trial.number)
            try:
                mark.acquire(blocking=False)
            except Timeout:
                continue
            self.study.tell(trial.number, state=TrialState.FAIL)
            self.remove(mark)
        known = [_settings(trial) for trial in self.trials() if trial.state != TrialState.FAIL]
        for settings in (*map(_settings, self.trials(TrialState.FAIL)), *self.grid):
            if len(settings) == len(self.distributions) and settings not in known:
                self.study.enqueue_trial(settings)
                known.append(settings)

    def trials(self, *states: TrialState) -> list[FrozenTrial]:
        return self.study.get_trials(deepcopy=False, states=states or None) if self.study else []

    def mark(self, number: int) -> FileLock:
        """The lock that a process holds while it is at a trial; the system frees it when the process dies."""
        return FileLock(self.storage.with_name(f".{self.name}.{number}.running"))

    def remove(self, mark: FileLock) -> None:
        mark.release()
        Path(mark.lock_file).unlink(missing_ok=True)

    def frame(self) -> pd.DataFrame:
        rows = [
            {"number": trial.number, **trial.params, "value": trial.value, "seconds": trial.user_attrs.get("seconds")}
            for trial in self.trials(*FINISHED)
        ]
        frame = pd.DataFrame(rows, columns=["number", *self.distributions, "value", "seconds"])
        frame = frame.astype({"value": float, "seconds": float})
        frame.insert(len(frame.columns) - 1, "best_so_far", frame["value"].cummax().ffill())
        return frame


def _combinations(space: Space) -> list[dict]:
    for name, choices in space.items():
        if isinstance(choices, Range):
            raise StudyError(f"a grid needs choices, but {name} has a range; use search.")
    return [dict(zip(space, combination, strict=True)) for combination in product(*space.values())]


def _settings(trial: FrozenTrial) -> dict:
    """What a trial was told to train, even if it died before it took that up."""
    return trial.system_attrs.get("fixed_params", trial.params)


def _distribution(name: str, choices: tuple | Range) -> BaseDistribution:
    if name in FIXED or name not in Experiment.__dataclass_fields__:
        raise StudyError(f"a search cannot vary {name!r}; use a setting of Experiment that is not {', '.join(FIXED)}.")
    if not isinstance(choices, Range):
        if not choices:
            raise StudyError(f"the search gives {name} no choice; give it one or more.")
        return CategoricalDistribution(choices)
    whole = isinstance(choices.low, int) and isinstance(choices.high, int)
    return (IntDistribution if whole else FloatDistribution)(choices.low, choices.high, log=choices.log)


def _codes(base: Experiment, space: Space) -> list[str]:
    """Versions of all programs that some trial uses."""
    ends = {name: (choices.high,) if isinstance(choices, Range) else choices for name, choices in space.items()}
    used = [replace(base, **{name: choice}).code() for name, choices in ends.items() for choice in choices]
    return sorted({base.code(), *used})
