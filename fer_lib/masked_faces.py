"""What notebook 07 does with masks: the same pictures with and without one, and models taught on either or on both."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import pandas as pd
import torch
from torch import nn

from fer_lib.data.splits import read_test, split_rows
from fer_lib.errors import StudyError
from fer_lib.evaluation.compare import Difference
from fer_lib.evaluation.novelty import Novelty, auroc
from fer_lib.evaluation.results import BARE, MASKED, compare_predictions, frame_results, interval_text, pick
from fer_lib.explain.cams import map_means
from fer_lib.faces.covered import PLACES, covered_table
from fer_lib.faces.prepare import load_faces, prepare_faces
from fer_lib.models.baseline import baseline_search
from fer_lib.models.svm import fit_classical
from fer_lib.runs import Run
from fer_lib.study import Study
from fer_lib.training.catalogue import TAUGHT
from fer_lib.training.covers import WITH_MASK, mask_conditions
from fer_lib.training.experiment import Experiment
from fer_lib.training.fit import READINGS
from fer_lib.training.inputs import picture_tensor
from fer_lib.training.judge import asked_rows, judge, whole_network
from fer_lib.trainings import SELECTION, Trainings

BASELINE = "pca_svm"
BOTH = "both"  # what is learnt from: every face bare, and with its mask
TESTED = (BARE, MASKED)
EITHER = "bare or masked"  # two networks, of which each picture is shown to one
UPPER = ("sunglasses", "headset")
NOTICED = 0.95  # of bare validation pictures are not taken for masked
Cell = tuple[str, str, str]  # model, taught on, tested on


@dataclass
class MaskedFaces:
    """Models and what they say of bare and masked faces.

    Attributes
    ----------
    runs : (model, taught on) → the run
    predictions : (model, taught on, tested on) → id, split, label and scores; the same ids in every one
    """

    study: Study
    table: pd.DataFrame
    trainings: Trainings
    runs: dict[tuple[str, str], Run] = field(default_factory=dict)
    predictions: dict[Cell, pd.DataFrame] = field(default_factory=dict)
    _pictures: dict[tuple[str, int], torch.Tensor] = field(default_factory=dict)

    @cached_property
    def classes(self) -> list[str]:
        """The emotions that the table shows."""
        return self.study.classes(self.table)

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The study table `bare`, `masked`, and `both` below each other."""
        return mask_conditions(self.table, self.study.seed, self.study.cache)

    def measure_networks(self, model: str, experiments: Mapping[str, str], told: str) -> None:
        """Get one network for each kind of teaching, ask it about bare and masked faces, and record what it says.

        Parameters
        ----------
        model : in results, as `masked/<model>`
        experiments : {taught on: name of the experiment}; those that are left out here are told by the trainings
        told : the model's name in tables
        """
        for taught, name in experiments.items():
            for run in self.trainings.runs(name):
                self.study.keep_run(run)
                self.runs[model, taught] = run
                experiment, network = self.network(model, taught)
                for tested in TESTED:
                    rows = self._asked(tested, f"masked/{model}, taught on {taught} faces, tested on {tested} ones")
                    said = judge(experiment, network, rows, self._shown(tested, rows, experiment))
                    self._record((model, taught, tested), said, told, SELECTION)

    def measure_baseline(self) -> None:
        """Paper 003's support vector machine, with the settings of notebook 03 for all kinds of teaching.

        It keeps no weights, so each is asked about both kinds of faces when it is fitted.
        """
        profile, both = self.study.profile, self.tables[BOTH]
        fitting = profile.for_pictures((self.table["split"] == "train").sum())
        settings, _ = baseline_search(self.classes, fitting, self.table, self.study.store)
        masked = both["id"].str.endswith(WITH_MASK)
        train = both["split"] == "train"
        learnt = {BARE: train & ~masked, MASKED: train & masked, BOTH: train}
        for taught in TAUGHT:
            named = replace(settings, name=f"masked/{BASELINE}/{taught}")
            table = both[learnt[taught] | ~train].reset_index(drop=True)
            table.attrs = dict(both.attrs)
            run = fit_classical(named, table, self.study.store)
            self.study.keep_run(run)
            self.runs[BASELINE, taught] = run
            of_mask = run.predictions["id"].str.endswith(WITH_MASK)
            for tested, chosen in ((BARE, ~of_mask), (MASKED, of_mask)):
                frame = run.predictions[chosen].reset_index(drop=True)
                frame["id"] = frame["id"].str.removesuffix(WITH_MASK)
                told = f"PCA-{settings.components} + RBF SVC"
                self._record((BASELINE, taught, tested), frame, told, "cross-validation on bare train")

    def network(self, model: str, taught: str) -> tuple[Experiment, nn.Module]:
        """A network that was measured, with what it learnt, and its settings."""
        return whole_network(self.runs[model, taught], self.tables[taught], self.study.store)

    def rows(self, tested: str, split: str) -> pd.DataFrame:
        """The usable rows of a split, bare or masked; a reading of test is written down."""
        asked = self._asked(tested, f"notebook {self.study.notebook}, {tested} faces")
        return asked[asked["split"] == split].reset_index(drop=True)

    def change(self, before: Cell, after: Cell) -> Difference:
        """How accuracy on test changes from one cell to another, picture by picture."""
        pair = self.predictions[before], self.predictions[after]
        return compare_predictions(*pair, self.classes, self.study.profile.resamples)[0]

    @property
    def models(self) -> list[str]:
        """Everything that was measured, in that order."""
        return list(dict.fromkeys(model for model, _, _ in self.predictions))

    @property
    def whole_models(self) -> list[str]:
        """The models that were taught in every way."""
        return [model for model in self.models if all((model, taught) in self.runs for taught in TAUGHT)]

    @property
    def strongest(self) -> str:
        """The network that is best on validation of bare faces, of those taught in every way."""
        networks = [model for model in self.whole_models if model != BASELINE]
        if not networks:
            names = ", ".join(f"masked/six_layer/{taught}" for taught in TAUGHT[1:])
            raise StudyError(f"no network is taught in every way here; train {names} with `python -m fer_lib train`.")
        return max(networks, key=lambda model: self.validation((model, BARE, BARE)))

    def name_of(self, model: str) -> str:
        """The model's name in tables."""
        rows = self.study.rows()
        return rows["model"][rows["experiment"] == f"masked/{model}"].iloc[0]

    def text(self, model: str, taught: str, tested: str) -> str:
        """Accuracy on test with its interval, in percent."""
        return interval_text(pick(self.study.rows(), f"masked/{model}", condition=tested, taught=taught))

    def validation(self, cell: Cell) -> float:
        """Accuracy on validation."""
        frame = self.predictions[cell].query("split == 'validation'")
        return float((frame[self.classes].idxmax(axis=1) == frame["label"]).mean())

    def cells(self) -> pd.DataFrame:
        """Accuracy on test of everything that was measured: model, taught, tested, value, low, high (fractions)."""
        rows, found = self.study.rows(), []
        for model, taught, tested in self.predictions:
            row = pick(rows, f"masked/{model}", condition=tested, taught=taught)
            found.append({"model": row["model"], "taught": taught, "tested": tested, **row[["value", "low", "high"]]})
        return pd.DataFrame(found).astype({"value": float, "low": float, "high": float})

    def choose(self, model: str) -> tuple[float, float, float]:
        """Notice masks by the last maps of the network taught on bare faces, and ask the one taught on that kind.

        A picture is taken for masked when it lies farther from the known ones than 95 % of bare validation pictures
        do; no masked picture is needed for that. Predictions are kept as model `chosen`, taught on `bare or masked`.

        Returns
        -------
        area under the ROC curve of noticing masks on test, with its interval
        """
        experiment, network = self.network(model, BARE)
        known = split_rows(self.table, "train")
        learnt = map_means(network, picture_tensor(known, experiment))
        novelty = Novelty(learnt, known["label"].to_numpy())
        asked = {tested: self._asked(tested, f"masked/chosen, {tested} faces") for tested in TESTED}
        shown = {tested: self._shown(tested, rows, experiment) for tested, rows in asked.items()}
        scores = {tested: novelty.scores(map_means(network, pictures)) for tested, pictures in shown.items()}
        on_test = (asked[BARE]["split"] == "test").to_numpy()
        limit = np.quantile(scores[BARE][~on_test], NOTICED)
        for tested in TESTED:
            bare, masked = (self.predictions[model, taught, tested].copy() for taught in TESTED)
            noticed = scores[tested] > limit
            bare.loc[noticed, self.classes] = masked.loc[noticed, self.classes]
            told = f"two networks ({self.name_of(model)}), chosen by what the face looks like"
            self._record(("chosen", EITHER, tested), bare, told, "novelty on bare validation")
        return auroc(scores[BARE][on_test], scores[MASKED][on_test])

    def upper_covers(self, model: str) -> dict[tuple[str, str], Difference]:
        """How covers of the eyes change accuracy on test of a network: (taught on, kind) → change from bare faces."""
        table = self.table[self.table["split"] == "test"].reset_index(drop=True)
        table.attrs = dict(self.table.attrs)
        faces = load_faces(prepare_faces(self.table, self.study.cache), PLACES).set_index("id")
        found = {}
        for kind in UPPER:
            covered = covered_table(table, faces.loc[table["id"]], self.study.seed, self.study.cache, (kind,))
            rows = read_test(covered, f"masked/{model}, {kind}", self.study.folder / READINGS)
            for taught in TAUGHT:
                said = judge(*self.network(model, taught), rows)
                self._record((model, taught, kind), said, self.name_of(model), SELECTION)
                found[taught, kind] = self.change((model, taught, BARE), (model, taught, kind))
        return found

    def _shown(self, tested: str, rows: pd.DataFrame, experiment: Experiment) -> torch.Tensor:
        """What a network is shown of the asked rows, read once for every size."""
        key = tested, experiment.size
        if key not in self._pictures:
            self._pictures[key] = picture_tensor(rows, experiment)
        return self._pictures[key]

    def _asked(self, tested: str, reader: str) -> pd.DataFrame:
        return asked_rows(self.tables[tested], reader, self.study.folder / READINGS)

    def _record(self, cell: Cell, predictions: pd.DataFrame, told: str, selection: str) -> None:
        self.predictions[cell] = predictions
        model, taught, tested = cell
        run = self.runs.get((model, taught))
        columns = {"notebook": self.study.notebook[:2], "experiment": f"masked/{model}", "model": told}
        columns |= {"train_condition": taught, "condition": tested, "selection": selection}
        columns |= {"seed": run.experiment["seed"]} if run else {}
        self.study.record(frame_results(predictions, self.table, self.classes, self.study.profile.resamples, **columns))
