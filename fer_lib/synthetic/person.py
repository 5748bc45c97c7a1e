"""Who is drawn: looks that no emotion changes."""

from dataclasses import dataclass

import numpy as np

from fer_lib.synthetic.canvas import Colour, mix

SKINS = ((252, 222, 196), (241, 200, 166), (224, 176, 138), (198, 144, 104), (158, 107, 76), (116, 76, 54))
HAIRS = (
    (34, 28, 28),
    (62, 42, 32),
    (104, 68, 42),
    (168, 120, 68),
    (214, 178, 112),
    (150, 70, 40),
    (168, 168, 170),
)
IRISES = ((74, 46, 30), (104, 72, 40), (70, 104, 140), (86, 124, 92), (110, 116, 124))
HAIRCUTS = ("short", "long", "curly", "bald")


@dataclass(frozen=True)
class Person:
    """A drawn identity: lengths in face units, colours as RGB 0-255, ratios relative to an average face."""

    width: float
    jaw_taper: float
    skin: Colour
    hair: Colour
    haircut: str
    hair_volume: float
    hairline: float
    parting: float
    iris: Colour
    eye_width: float
    eye_opening: float
    eye_distance: float
    brow_thickness: float
    brow_height: float
    brow_tilt: float
    nose_width: float
    nose_length: float
    mouth_width: float
    mouth_height: float
    mouth_curve: float
    lip_thickness: float
    lips: Colour
    beard: float
    glasses: bool
    clothes: Colour


def draw_person(rng: np.random.Generator) -> Person:
    """Draw the looks of one identity; nothing in them depends on an emotion."""
    tone = rng.uniform(0, len(SKINS) - 1.001)
    skin = mix(SKINS[int(tone)], SKINS[int(tone) + 1], tone % 1)
    hair = HAIRS[rng.integers(len(HAIRS) if tone < 3 else 3)]
    haircut = HAIRCUTS[rng.choice(4, p=(0.4, 0.34, 0.16, 0.1))]
    return Person(
        width=rng.uniform(0.7, 0.82),
        jaw_taper=rng.uniform(-0.1, 0.3),
        skin=skin,
        hair=mix(hair, (128, 110, 100), rng.uniform(0, 0.15)),
        haircut=haircut,
        hair_volume=rng.uniform(1.06, 1.16) + 0.08 * (haircut == "curly"),
        hairline=rng.uniform(-0.78, -0.6),
        parting=rng.uniform(-0.3, 0.3),
        iris=IRISES[rng.integers(len(IRISES) if tone < 3 else 2)],
        eye_width=rng.uniform(0.155, 0.195),
        eye_opening=rng.uniform(0.8, 1.15),
        eye_distance=rng.uniform(0.32, 0.37),
        brow_thickness=rng.uniform(0.035, 0.075),
        brow_height=rng.uniform(-0.36, -0.3),
        brow_tilt=rng.uniform(-0.025, 0.025),
        nose_width=rng.uniform(0.1, 0.15),
        nose_length=rng.uniform(0.24, 0.32),
        mouth_width=rng.uniform(0.24, 0.31),
        mouth_height=rng.uniform(0.55, 0.61),
        mouth_curve=rng.uniform(-0.03, 0.03),
        lip_thickness=rng.uniform(0.7, 1.25),
        lips=mix(mix(skin, (186, 70, 74), rng.uniform(0.4, 0.7)), (120, 40, 50), 0.1),
        beard=rng.uniform(0.25, 0.8) if haircut != "long" and rng.random() < 0.35 else 0.0,
        glasses=bool(rng.random() < 0.15),
        clothes=tuple(int(c) for c in rng.integers(40, 220, 3)),
    )
