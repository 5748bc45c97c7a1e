"""The data sheet of a drawn data set, after Gebru et al., Datasheets for Datasets (2021)."""

from collections.abc import Mapping
from dataclasses import fields

import pandas as pd

from fer_lib.data.table import SPLITS
from fer_lib.emotions import EMOTIONS, in_order
from fer_lib.synthetic.expressions import PROTOTYPES
from fer_lib.synthetic.presets import Bias, Preset

TEXT = """# Data sheet: {name}

{about} {n} drawn pictures of {size}×{size} pixels, seed {seed}.

## Motivation

Made for teaching and for testing methods of facial emotion recognition: everything in a picture is known and can be
turned up or down, which no collection of photographs allows.

## Composition

A picture shows one drawn person in a drawn place, at times with one other person behind; a picture with the problem
`no face` shows the place alone. Some places have a crowd without faces painted into them. There is no photograph in
it and nobody who exists. Subjects are in one split each.

{labels}

{groups}

{places}

{problems}

`truth.csv` has a row a picture: emotion (what is shown) and label (what the data set says); how many of ten simulated
annotators voted for
{emotions};
place, looks, pose in degrees, light; the intensity 0-1 of each facial action unit in `au01` to `au45`; and a square
around the face in pixels. `side` is the half of the mouth that action units 12 and 14 act on: both, or with contempt
left or right, as the person has them. `problem` is what is wrong with the picture, and empty where nothing is: no face,
cut by the picture's left or right edge, dark, blurred, or a duplicate of another picture. `twin_of` is the id of the
picture that this one shows again, with a face mask or as a duplicate, and else empty. Votes, label and action units of
a picture without a face are those of the person who was left out; its face box is empty.

`landmarks.npz` has 468 points a face in the order of mediapipe's Face Mesh. `masks` has 1 where the person is, 2 where
the other person is, and 0 elsewhere.

## How it was made

A plan decides on emotion, subject, expression, place and shot of each picture; a program draws it from a surface
mesh of a face that facial action units (FACS) move. Each emotion starts from its prototype:

{prototypes}

Action units are weakened, blended with those of a second emotion and joined by stray ones, the more so the greater
the difficulty. Annotators and wrong labels follow a fixed matrix of confusions, set by hand.

{knobs}

## Uses and limits

- The people are drawn. How well a method does here says little about how well it does on photographs.
- An expression is not a feeling. Prototypes are a convention; people who feel something often show something else.
- Looks, places and their link to emotions are inventions of a program, and no statement about any group.
- Not for training systems that judge people, such as in hiring, schooling, policing or at borders.

## Distribution

Free under the licence of the repository that it was drawn with (MIT). The same program draws it anew from preset,
number, size and seed.
"""


def datasheet(preset: Preset, truth: pd.DataFrame, seed: int, size: int) -> str:
    """The data sheet as Markdown, with counts from `truth`, the rows of truth.csv."""
    prototypes = [(emotion, " ".join(map(str, PROTOTYPES[emotion])) or "none") for emotion in preset.classes]
    return TEXT.format(
        name=preset.name,
        about=preset.about,
        n=f"{len(truth):,}",
        size=size,
        emotions=", ".join(EMOTIONS),
        seed=seed,
        labels=_counts(truth, "label").reindex(in_order(truth["label"])).to_markdown(),
        groups="\n\n".join(_counts(truth, name).to_markdown() for name in ("gender", "age", "skin_tone")),
        places=_counts(truth, "place").to_markdown(),
        problems=_counts(truth.fillna({"problem": "none"}), "problem").to_markdown(),
        prototypes=pd.DataFrame(prototypes, columns=["emotion", "action units"]).to_markdown(index=False),
        knobs=_knobs(preset).to_markdown(index=False),
    )


def _counts(truth: pd.DataFrame, name: str) -> pd.DataFrame:
    """Pictures with each value of a column in each split, and in all."""
    counts = pd.crosstab(truth[name], truth["split"]).reindex(columns=list(SPLITS), fill_value=0)
    return counts.rename_axis(name.replace("_", " ")).assign(all=counts.sum(axis=1))


def _knobs(preset: Preset) -> pd.DataFrame:
    values = [(field.name.replace("_", " "), getattr(preset, field.name)) for field in fields(preset)[2:]]
    return pd.DataFrame([(name, _told(value)) for name, value in values], columns=["knob", "value"])


def _told(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {share:g}" for key, share in value.items())
    if isinstance(value, Bias):
        return (
            f"{value.share:.0%} of the pictures of {value.emotion} show people of {value.attribute.replace('_', ' ')} "
            f"{value.group}, and their action units are multiplied by {value.strength:g}."
        )
    return "none" if value is None else str(value)
