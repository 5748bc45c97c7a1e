"""What notebook 09 asks of networks: where they look, which part of the face that is, and whether it is true."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
import torch
from torch import nn

from fer_lib.data.splits import read_test
from fer_lib.errors import StudyError
from fer_lib.evaluation.compare import mean_interval
from fer_lib.evaluation.metrics import predicted_labels
from fer_lib.explain import faithfulness
from fer_lib.explain.claims import ENOUGH
from fer_lib.explain.methods import CONTROLS, GAUSSIAN, IN_PLACE, fitting, kept_heat, targets_of
from fer_lib.explain.planted import expression_change
from fer_lib.explain.regions import most_changed, place_maps, place_shares, true_places
from fer_lib.faces.covered import PLACES as MEASURED
from fer_lib.faces.patches import SIDE, meshes_in_view
from fer_lib.faces.prepare import load_faces, prepare_faces
from fer_lib.runs import Run
from fer_lib.study import Study
from fer_lib.training.experiment import Experiment
from fer_lib.training.fit import READINGS
from fer_lib.training.inputs import picture_tensor
from fer_lib.training.judge import judge, whole_network
from fer_lib.trainings import Trainings

SIX_LAYER, RESIDUAL = "six-layer CNN", "small residual network"
EXPLAINED = {
    # network: its experiment, or what stands for it where that is not trained here
    SIX_LAYER: ("six_layer/base",),
    RESIDUAL: ("strong/small", "transfer/face_resnet_small/drawn/frozen"),
}
PIXELS = "integrated gradients"  # which tells single pixels; chosen after its scores on the embedded test pictures
TESTED = 20  # one in so many test pictures has its maps put to the test, and the profile's `explained` at least
READ = 6  # times as many test pictures have their maps read as put to the test
SCORES = ("ROAD", "deletion", "insertion")


@dataclass
class Looks:
    """Networks, and where each looks in the test pictures.

    Attributes
    ----------
    runs : {network: its run}, those that are here
    curves : (network, method) → deletion curves of `faithfulness`, (N, steps)
    """

    study: Study
    table: pd.DataFrame
    trainings: Trainings
    runs: dict[str, Run] = field(default_factory=dict)
    _networks: dict[str, tuple[Experiment, nn.Module]] = field(default_factory=dict)
    _pictures: dict[int, torch.Tensor] = field(default_factory=dict)
    _said: dict[str, pd.DataFrame] = field(default_factory=dict)
    curves: dict[tuple[str, str], np.ndarray] = field(default_factory=dict)

    def gather(self) -> None:
        """Find or train the networks that are explained; of each the first of its experiments that is here.

        Raises
        ------
        StudyError
            When none is as it is meant.
        """
        for name, experiments in EXPLAINED.items():
            found = next((runs[0] for one in experiments if (runs := self.trainings.runs(one))), None)
            if found:
                self.study.keep_run(found)
                self.runs[name] = found
        if not self.judged:
            wanted = EXPLAINED[SIX_LAYER][0]
            raise StudyError(f"no network is trained here; train {wanted} with `python -m fer_lib train`.")

    @property
    def judged(self) -> list[str]:
        """The networks whose maps are read and put to the test: those that are here as they are meant."""
        return [name for name, run in self.runs.items() if run.experiment["name"] == EXPLAINED[name][0]]

    def network(self, name: str) -> tuple[Experiment, nn.Module]:
        """A network and its settings."""
        if name not in self._networks:
            self._networks[name] = whole_network(self.runs[name], self.table, self.study.store)
        return self._networks[name]

    @cached_property
    def classes(self) -> list[str]:
        """The emotions that the table shows."""
        return self.study.classes(self.table)

    @cached_property
    def rows(self) -> pd.DataFrame:
        """All usable test rows."""
        return read_test(self.table, f"notebook {self.study.notebook}", self.study.folder / READINGS)

    @cached_property
    def read(self) -> np.ndarray:
        """Places of the test rows whose maps are read, drawn at random: int (M,), `READ` times as many as `some`."""
        order = np.random.default_rng(self.study.seed).permutation(len(self.rows))
        return np.sort(order[: READ * self._n_tested])

    @cached_property
    def some(self) -> np.ndarray:
        """Places of the test rows whose maps are put to the test, drawn at random: int (N,)."""
        order = np.random.default_rng(self.study.seed).permutation(len(self.rows))
        return np.sort(order[: self._n_tested])

    @property
    def _n_tested(self) -> int:
        return max(self.study.profile.explained, len(self.rows) // TESTED)

    def pictures(self, name: str) -> torch.Tensor:
        """The test pictures as a network sees them, uint8 (N, C, S, S)."""
        experiment, _ = self.network(name)
        if experiment.size not in self._pictures:
            self._pictures[experiment.size] = picture_tensor(self.rows, experiment)
        return self._pictures[experiment.size]

    def said(self, name: str) -> pd.DataFrame:
        """What a network says of the test pictures: id, split, label, one probability per class."""
        if name not in self._said:
            self._said[name] = judge(*self.network(name), self.rows, self.pictures(name))
        return self._said[name]

    def named(self, name: str) -> np.ndarray:
        """The emotion that a network names in each test picture, (N,)."""
        return predicted_labels(self.said(name), self.classes)

    def stem(self, name: str, *more: str) -> str:
        """The network's name, and what else is given, as a part of a file's name."""
        return "_".join((name, *more)).lower().replace(" ", "_").replace("-", "_")

    def ways(self, name: str) -> list[str]:
        """The methods by which a network's heat is read: Grad-CAM as papers draw it and in place, and by its pixels."""
        _, network = self.network(name)
        return [method for method in ("Grad-CAM", IN_PLACE, PIXELS) if method in fitting(network)]

    def heat(self, name: str, method: str = "Grad-CAM", some: np.ndarray | None = None) -> np.ndarray:
        """Where a network looks for the emotion that it names, float32 (N, 48, 48); kept for the next time.

        Parameters
        ----------
        some : places of the test rows; those of `read` where None
        """
        chosen = self.read if some is None else some
        experiment, network = self.network(name)
        targets = targets_of(self.named(name)[chosen], experiment.classes)
        key = self.runs[name].folder.name
        return kept_heat(self.study.cache / "heat", key, method, network, self.pictures(name)[chosen], targets)

    @cached_property
    def meshed(self) -> np.ndarray:
        """In which test pictures a mesh was found, bool (N,): of the others no region is known."""
        return self._faces["landmarks"].notna().to_numpy()

    @cached_property
    def places(self) -> np.ndarray:
        """the place of every pixel of the test pictures, int (N, 48, 48); without a mesh, of an average face."""
        return place_maps(meshes_in_view(self.rows, self._faces))

    @cached_property
    def _faces(self) -> pd.DataFrame:
        faces = load_faces(prepare_faces(self.table, self.study.cache), MEASURED).set_index("id")
        return faces.loc[self.rows["id"]]

    def shares(self, name: str, method: str) -> pd.DataFrame:
        """Share of the heat in every place, one row a picture of `read`; NaN without heat and without a mesh."""
        shares = place_shares(self.heat(name, method), self.places[self.read])
        shares[~self.meshed[self.read]] = np.nan
        return shares

    @cached_property
    def expected(self) -> pd.DataFrame:
        """The same of a map that never looked, the centred Gaussian: faces lie in the middle of pictures."""
        return place_shares(CONTROLS[GAUSSIAN](None, self.read, None, SIDE), self.places[self.read])

    def mean_maps(self, name: str) -> tuple[dict[str, np.ndarray], dict[str, dict[str, np.ndarray]]]:
        """By the emotion that a network names: mean pictures of `read` with a mesh (48, 48), mean heat by all `ways`.

        Emotions named in fewer than `ENOUGH` pictures are left out, whose mean would show single people; where that
        leaves none, all pictures are one mean.
        """
        pictures, said = self.pictures(name)[self.read, 0].numpy(), self.named(name)[self.read]
        groups = {emotion: (said == emotion) & self.meshed[self.read] for emotion in self.classes}
        there = {f"{emotion}, N {own.sum()}": own for emotion, own in groups.items() if own.sum() >= ENOUGH}
        there = there or {f"all, N {len(said)}": np.ones(len(said), bool)}
        backs = {emotion: pictures[chosen].mean(0) for emotion, chosen in there.items()}
        heats = {method: self.heat(name, method) for method in self.ways(name)}
        means = {method: {e: found[chosen].mean(0) for e, chosen in there.items()} for method, found in heats.items()}
        return backs, means

    def cases(self, name: str, which: np.ndarray, ways: Sequence[str]) -> tuple[dict, dict]:
        """Some test pictures by what they show, what the network says and how surely, and their heat by some methods.

        Returns
        -------
        {title: uint8 (S, S)} and {method: {title: float (48, 48)}}, for `show.mask_plots.heat_maps`
        """
        sure = self.said(name)[self.classes].max(axis=1).to_numpy()[which]
        told = zip(self.rows["label"].iloc[which], self.named(name)[which], sure, strict=True)
        titles = [f"{k}: {shown},\nsaid {said}, {score:.0%}" for k, (shown, said, score) in enumerate(told, 1)]
        pictures = dict(zip(titles, self.pictures(name)[which, 0].numpy(), strict=True))
        return pictures, {way: dict(zip(titles, self.heat(name, way, which), strict=True)) for way in ways}

    def deletion_curves(self, name: str, methods: Sequence[str]) -> pd.DataFrame:
        """Mean deletion curves of `faithfulness`: name, x (percent grey), value, low, high (probability, 0-1)."""
        parts = []
        for method in dict.fromkeys(methods):
            curves = self.curves[name, method]
            means = [mean_interval(values, self.study.profile.resamples) for values in curves.T]
            frame = pd.DataFrame({"x": np.linspace(0, 100, len(means)), "value": [mean.value for mean in means]})
            ends = {end: [getattr(mean, end) for mean in means] for end in ("low", "high")}
            parts.append(frame.assign(name=method, **ends))
        return pd.concat(parts)

    def faithfulness(self, name: str) -> dict[str, pd.DataFrame]:
        """How true each method's maps are: {score: one row a picture of `some`, one column a method or control}.

        The higher the truer; ROAD is a mean over all shares removed, deletion is 1 less its area.
        """
        experiment, network = self.network(name)
        shown, targets = self.pictures(name)[self.some], targets_of(self.named(name)[self.some], experiment.classes)
        asked = network, shown, targets
        found: dict[str, dict[str, np.ndarray]] = {score: {} for score in SCORES}
        for method in (*fitting(network), *CONTROLS):
            heats = self.heat(name, method, self.some)
            found["ROAD"][method] = faithfulness.road(*asked, heats).mean(1)
            self.curves[name, method] = faithfulness.deletion(*asked, heats)
            found["deletion"][method] = 1 - faithfulness.area(self.curves[name, method])
            found["insertion"][method] = faithfulness.area(faithfulness.insertion(*asked, heats))
        return {score: pd.DataFrame(columns) for score, columns in found.items()}

    @cached_property
    def facs(self) -> np.ndarray:
        """Where each test picture's emotion shows by FACS, bool (N, 48, 48); nowhere in those without a mesh."""
        return true_places(self.places, self.rows["label"]) & self.meshed[:, None, None]

    @cached_property
    def changed(self) -> np.ndarray | None:
        """Where the expression changes the pictures of `drawn`, bool (N, 48, 48); None of photographs."""
        if self.study.dataset != "synthetic":
            return None
        return most_changed(expression_change(self.rows.iloc[self.some], len(self.table), self.study.seed))
