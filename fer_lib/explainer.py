"""Everything that SAFER's explanation of a picture rests on, measured picture by picture (paper 000, section 5.2)."""

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file

from fer_lib.data.splits import read_test
from fer_lib.data.table import load_pictures, usable
from fer_lib.errors import StudyError
from fer_lib.evaluation.calibration import fit_temperature, with_temperature
from fer_lib.evaluation.metrics import predicted_labels
from fer_lib.explain.action_units import UnitReader
from fer_lib.explain.sentences import Evidence
from fer_lib.explain.streams import contributions, stream_heat
from fer_lib.faces.covered import PLACES as MEASURED
from fer_lib.faces.covered import covered_table
from fer_lib.faces.crops import face_table
from fer_lib.faces.prepare import load_faces, prepare_faces
from fer_lib.models.mask_notice import MaskNotice
from fer_lib.models.places365 import has_attributes, has_places365, load_places365
from fer_lib.models.safer import Safer
from fer_lib.multistream import FUSIONS, Multistream
from fer_lib.runs import Run
from fer_lib.synthetic.places import PLACES
from fer_lib.training.experiment import Experiment
from fer_lib.training.fit import READINGS, launch
from fer_lib.training.fusion import FACE, Fusion, experiment_of
from fer_lib.training.inputs import picture_tensor
from fer_lib.training.streams import SEEN, trained_network

SURE_OF_PLACE = 0.5  # probability from which a place is told
UNMASKED = 0.99  # of bare validation faces are not taken for masked ones
RELIABLE = 0.8  # least share of validation faces with a mask that must be noticed for the sentence to tell of masks
TRIED_MASKS = 100  # faces of a split that are tried with a mask laid on
LEARNT_MASKS = 320  # train faces that are shown with a mask, to learn what one looks like
ATTRIBUTES = 4  # of a place that are told


@dataclass
class Explainer:
    """SAFER, and what it and the data know of each picture of a split.

    Attributes
    ----------
    safer : its streams and features
    split : test or validation
    run : the fusion that is explained: all streams, first seed
    """

    safer: Multistream
    split: str = "test"
    run: Run = field(init=False)

    def __post_init__(self):
        self.run = self.safer.layers("safer/F+B+P" if self.safer.has_scenes else "safer/F", self.safer.features)[0]

    @cached_property
    def classes(self) -> list[str]:
        """The emotions, in the order of the logits."""
        return list(self.run.experiment["classes"])

    @cached_property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """The streams as they are told: face, background and place, or, where there is no scene, the face's parts."""
        if self.safer.has_scenes:
            return {"face": FACE, "background": ("background",), "place": ("place",)}
        return {"action units": ("au",), "visible features": ("visible",), "deep features": ("deep",)}

    @cached_property
    def temperature(self) -> float:
        """Which calibrates the fusion, from validation."""
        return fit_temperature(self.run.of_split("validation"), self.classes)

    @cached_property
    def said(self) -> pd.DataFrame:
        """What the fusion says of its pictures, calibrated: id, split, label, one probability per class."""
        told = with_temperature(self.run.of_split(self.split), self.classes, self.temperature)
        return told.reset_index(drop=True)

    @cached_property
    def at(self) -> np.ndarray:
        """Where its pictures lie among the usable rows, int (N,), in the order of `said`."""
        places = pd.Series(np.arange(len(self.safer.rows)), self.safer.rows["id"])
        return places[self.said["id"]].to_numpy()

    @cached_property
    def rows(self) -> pd.DataFrame:
        """Their rows of the study table; a reading of test is written down."""
        if self.split == "test":
            study = self.safer.study
            read_test(self.safer.table, f"notebook {study.notebook}, explanations", study.folder / READINGS)
        return self.safer.rows.iloc[self.at].reset_index(drop=True)

    @cached_property
    def network(self) -> Safer:
        """The fusion's layers."""
        settings = experiment_of(self.run, Fusion)
        sizes = self.safer.features.sizes(settings.streams)
        network = Safer(sizes, len(settings.classes), settings.normalised, settings.stream_dropout)
        network.load_state_dict(load_file(self.run.folder / "weights.safetensors"))
        return network.eval()

    @cached_property
    def features(self) -> torch.Tensor:
        """What all streams make of its pictures, beside each other, float (N, D)."""
        streams = [self.safer.features.streams[name][self.at] for name in FUSIONS[self.run.experiment["name"]]]
        return torch.from_numpy(np.concatenate(streams, 1).astype(np.float32))

    @cached_property
    def targets(self) -> np.ndarray:
        """The class that the fusion names in each picture, int (N,)."""
        return np.array([self.classes.index(name) for name in predicted_labels(self.said, self.classes)])

    @cached_property
    def streams(self) -> pd.DataFrame:
        """What each group of streams adds to the probability of the class named, and at_rest; one row a picture."""
        return contributions(self.network, self.features, self.targets, self.groups, self.temperature)

    def heat(self, stream: str, some: np.ndarray, method: str = "Grad-CAM") -> tuple[np.ndarray, np.ndarray]:
        """What a stream (deep, background or place) is shown of some pictures, and where it looks.

        Returns
        -------
        uint8 (M, S, S) or (M, S, S, 3), and float32 (M, 48, 48), for the class that all streams together name

        Raises
        ------
        StudyError
            For a stream that sees no picture, or that this study did not train.
        """
        known = stream in ("deep", "background", "place") and not (stream == "place" and has_places365())
        runs = self.safer.trainings.runs(f"safer/{stream}") if known else []
        if not runs:
            raise StudyError(f"stream {stream!r} is no network of this study; ask for deep or background.")
        experiment, network = trained_network(runs[0])
        places = self.at[some]
        shown = self._faces.iloc[places] if stream == "deep" else self.safer.scenes().iloc[places]
        asked = picture_tensor(shown, experiment), self.features[some], self.targets[some]
        heats = stream_heat(self.network, stream, network.to(launch(experiment.precision).device), *asked, method)
        return load_pictures(shown, experiment.size, grey=stream == "deep"), heats

    @cached_property
    def reader(self) -> UnitReader | None:
        """Of action units; None for data that know none, or too few, by which nobody could check what it names."""
        try:
            return UnitReader.fit(self.safer.rows, self._landmarks)
        except StudyError:
            return None

    @cached_property
    def units(self) -> pd.DataFrame:
        """`units` and `against` of every picture, as the reader gives them."""
        if self.reader is None:
            return pd.DataFrame({"units": None, "against": None}, index=range(len(self.at)), dtype=object)
        return self.reader.read(self.safer.rows, self._landmarks).iloc[self.at].reset_index(drop=True)

    @cached_property
    def places(self) -> pd.DataFrame:
        """`place`, its `probability` and `attributes` for every picture whose scene surely shows one."""
        if not self.safer.has_scenes:
            return pd.DataFrame({"place": None, "probability": np.nan, "attributes": None}, index=range(len(self.at)))
        if has_places365():
            return self._known_places()
        told = self.safer.trainings.runs("safer/place")[0]
        names = told.experiment["classes"]
        scores = told.predictions.set_index("id").reindex(self.rows["id"])[list(names)]
        place, sure = scores.fillna(0).idxmax(axis=1).to_numpy(object), scores.max(axis=1).to_numpy()
        attributes = [PLACES[name].attributes[:ATTRIBUTES] if name in PLACES else None for name in place]
        found = pd.DataFrame({"place": place, "probability": sure, "attributes": attributes}).astype(object)
        found.loc[~(sure >= SURE_OF_PLACE)] = None
        return found

    def _known_places(self) -> pd.DataFrame:
        places = load_places365()
        pictures = load_pictures(self.safer.scenes().iloc[self.at], 224, grey=False)
        best = [found[0] for found in places.categories(pictures, 1)]
        attributes = places.attributes(pictures, ATTRIBUTES) if has_attributes() else [None] * len(best)
        rows = [
            {"place": name, "probability": sure, "attributes": told} if sure >= SURE_OF_PLACE else {}
            for (name, sure), told in zip(best, attributes, strict=True)
        ]
        return pd.DataFrame(rows, columns=["place", "probability", "attributes"]).astype(object)

    @cached_property
    def covered(self) -> np.ndarray | None:
        """In which pictures a mask is noticed, bool (N,); None where masks are noticed too seldom to tell of them."""
        if self.noticed("validation").mean() < RELIABLE:
            return None
        return self._notice.noticed(self._seen(self._faces.iloc[self.at]))

    def noticed(self, split: str) -> np.ndarray:
        """In which of up to `TRIED_MASKS` pictures of a split a mask is noticed when one is laid on the face, bool."""
        rows = self.safer.rows[self.safer.rows["split"] == split]
        masked = self._masked(rows.sample(min(TRIED_MASKS, len(rows)), random_state=self.safer.study.seed))
        found = prepare_faces(masked, self.safer.study.cache)  # as if nobody knew the bare faces
        return self._notice.noticed(self._seen(usable(face_table(masked, load_faces(found, SEEN)))))

    @cached_property
    def _notice(self) -> MaskNotice:
        train, chosen = (self._faces[self._faces["split"] == name] for name in ("train", "validation"))
        some = train.sample(min(LEARNT_MASKS, len(train)), random_state=self.safer.study.seed)
        asked = self._seen(some), self._seen(self._masked(some)), self._seen(chosen)
        return MaskNotice.fit(*asked, UNMASKED)

    def _masked(self, rows: pd.DataFrame) -> pd.DataFrame:
        study, rows = self.safer.study, rows.reset_index(drop=True)
        rows.attrs = dict(self.safer.table.attrs)
        measured = load_faces(self.safer.folder, MEASURED).set_index("id").loc[rows["id"]]
        return covered_table(rows, measured, study.seed, study.cache)

    def _seen(self, shown: pd.DataFrame) -> torch.Tensor:
        return picture_tensor(shown, self._deep)

    @cached_property
    def _deep(self) -> Experiment:
        return experiment_of(self.safer.trainings.runs("safer/deep")[0])

    @cached_property
    def _faces(self) -> pd.DataFrame:
        """The usable rows as the deep stream is shown them."""
        return face_table(self.safer.rows, self.safer.faces)

    def evidence(self, number: int) -> Evidence:
        """All that was measured of a picture, by its number in `rows`."""
        row, units, place = self.rows.iloc[number], self.units.iloc[number], self.places.iloc[number]
        streams = self.streams[list(self.groups)].iloc[number].to_dict() if self.safer.has_scenes else None
        known = pd.notna(place["place"])
        told = {} if units["against"] is None else {"against": units["against"]}
        return Evidence(
            scores=self.said[self.classes].iloc[number].astype(float),
            mesh=bool(self._landmarks["landmarks"].notna().iloc[self.at[number]]),
            units=units["units"],
            place=place["place"] if known else None,
            place_probability=place["probability"] if known else None,
            place_attributes=place["attributes"] if known else None,
            age=row["age"],
            gender=row["gender"],
            streams=streams,
            mask=None if self.covered is None else bool(self.covered[number]),
            **told,
        )

    @cached_property
    def _landmarks(self) -> pd.DataFrame:
        there = self.safer.table["problem"].isna().to_numpy()
        return load_faces(self.safer.folder, ["landmarks"])[there].reset_index(drop=True)
