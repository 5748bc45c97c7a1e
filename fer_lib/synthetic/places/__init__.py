"""Fourteen places behind a portrait, drawn in perspective; no two pictures share a layout."""

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from fer_lib.synthetic.places.feasts import fireworks_square, party_room
from fer_lib.synthetic.places.grounds import cemetery, landfill
from fer_lib.synthetic.places.nature import beach, night_forest
from fer_lib.synthetic.places.paint import Scene, blank, mottle, settle
from fer_lib.synthetic.places.public_rooms import library, public_toilet
from fer_lib.synthetic.places.rooms import hospital_room, office
from fer_lib.synthetic.places.stages import boxing_ring, magic_stage
from fer_lib.synthetic.places.streets import dark_alley, street_traffic

__all__ = ["ATTRIBUTES", "PLACES", "Place", "draw_place"]

ATTRIBUTES = (
    "indoor",
    "outdoor",
    "natural light",
    "artificial light",
    "dark",
    "crowded",
    "vegetation",
    "water",
    "open space",
    "enclosed",
    "dirty",
    "festive",
)


@dataclass(frozen=True)
class Place:
    """A kind of place: what is true of every picture of it, its light, and what paints it."""

    name: str
    attributes: tuple[str, ...]  # of ATTRIBUTES; either indoor or outdoor is among them
    light: tuple[float, float, float]  # RGB multipliers around 1 that the light here puts on a person
    brightness: tuple[float, float]  # least and greatest strength of that light, within 0.6-1.15
    paint: Callable[[Scene], None]


_PLACES = (
    Place(
        "street_traffic",
        ("outdoor", "natural light", "crowded", "open space"),
        (0.98, 1.0, 1.02),
        (0.85, 1.1),
        street_traffic,
    ),
    Place("boxing_ring", ("indoor", "artificial light", "crowded"), (1.03, 1.0, 0.96), (0.85, 1.15), boxing_ring),
    Place("landfill", ("outdoor", "natural light", "open space", "dirty"), (1.04, 1.0, 0.93), (0.85, 1.05), landfill),
    Place(
        "public_toilet",
        ("indoor", "artificial light", "enclosed", "dirty"),
        (0.96, 1.03, 0.98),
        (0.8, 1.0),
        public_toilet,
    ),
    Place(
        "dark_alley",
        ("outdoor", "artificial light", "dark", "enclosed", "dirty"),
        (1.06, 0.98, 0.9),
        (0.6, 0.8),
        dark_alley,
    ),
    Place(
        "night_forest",
        ("outdoor", "natural light", "dark", "vegetation"),
        (0.88, 0.98, 1.12),
        (0.6, 0.75),
        night_forest,
    ),
    Place("beach", ("outdoor", "natural light", "water", "open space"), (1.05, 1.01, 0.94), (0.95, 1.15), beach),
    Place(
        "party_room", ("indoor", "artificial light", "crowded", "festive"), (1.08, 0.98, 0.94), (0.85, 1.1), party_room
    ),
    Place("hospital_room", ("indoor", "artificial light", "enclosed"), (0.94, 1.01, 1.05), (0.95, 1.15), hospital_room),
    Place(
        "cemetery", ("outdoor", "natural light", "vegetation", "open space"), (0.97, 1.0, 1.02), (0.8, 1.0), cemetery
    ),
    Place(
        "fireworks_square",
        ("outdoor", "artificial light", "dark", "crowded", "open space", "festive"),
        (1.04, 0.96, 1.04),
        (0.6, 0.85),
        fireworks_square,
    ),
    Place("magic_stage", ("indoor", "artificial light", "festive"), (1.08, 0.97, 0.98), (0.8, 1.1), magic_stage),
    Place("office", ("indoor", "artificial light"), (1.0, 1.0, 0.99), (0.95, 1.1), office),
    Place("library", ("indoor", "artificial light", "enclosed"), (1.07, 1.0, 0.88), (0.8, 1.0), library),
)
PLACES = {place.name: place for place in _PLACES}
SMALLEST = 48


def draw_place(name: str, rng: np.random.Generator, size: int) -> np.ndarray:
    """Draw one picture of a place, slightly out of focus as behind a portrait.

    The layout depends on the state of `rng` alone: the same state gives the same scene at every size, and the same
    bytes at the same size.

    Parameters
    ----------
    name : one of PLACES
    rng : everything that differs between two pictures of a place
    size : side of the picture in pixels, at least 48

    Returns
    -------
    (size, size, 3) uint8, RGB

    Raises
    ------
    ValueError : an unknown place, a `size` below 48
    """
    if name not in PLACES:
        raise ValueError(f"place {name!r} is not drawn; known are {', '.join(PLACES)}.")
    if size < SMALLEST:
        raise ValueError(f"size is {size} pixels; a place needs at least {SMALLEST}.")
    scene = blank(rng, size)
    PLACES[name].paint(scene)
    settle(scene)
    mottle(scene, 0, 1, rng.uniform(2, 5), (56, 56))
    mirrored = rng.random() < 0.5
    image = np.ascontiguousarray(scene.image[:, ::-1]) if mirrored else scene.image
    return cv2.GaussianBlur(image, (0, 0), size * rng.uniform(0.004, 0.016))
