"""The figure below a head: outlines drawn once, in head units, seen from the front, fitted to build and pose."""

from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from fer_lib.synthetic.camera import Pose
from fer_lib.synthetic.person import Person

NECK, SHOULDERS = 0.68, 2.7  # half-widths of the reference figure
BUILDS = {"female": (0.62, 2.85), "male": (0.76, 3.3), "child": (0.52, 2.25)}


def line(points: str) -> np.ndarray:
    """Points (n, 2) from text: pairs of x and y."""
    return np.array(points.replace(",", " ").split(), float).reshape(-1, 2)


def smooth(points: str) -> np.ndarray:
    """A smooth line (24, 2) through points."""
    corners = line(points)
    along = np.r_[0, np.cumsum(np.hypot(*np.diff(corners, axis=0).T))]
    return PchipInterpolator(along, corners)(np.linspace(0, along[-1], 24))


def whole(half: np.ndarray) -> np.ndarray:
    """A line from the figure's right side to its middle, continued on its left side."""
    return np.concatenate([half, half[::-1] * (-1, 1)])


@dataclass(frozen=True)
class Figure:
    """The build of one person in one picture: half-widths of neck and shoulders, in head units."""

    pose: Pose
    neck: float
    shoulders: float

    @classmethod
    def of(cls, person: Person, pose: Pose) -> "Figure":
        """The figure of a person whose head has this pose."""
        neck, shoulders = BUILDS["child" if person.age == "child" else person.gender]
        breadth = 1 + 0.05 * person.shape.face_width
        return cls(pose.body(), neck * breadth, shoulders * breadth)

    def place(self, points: np.ndarray) -> np.ndarray:
        """Points (n, 2) of the reference figure to pixels (n, 2), on the curved surface of this figure."""
        across, down = points.T
        ends = (0, self.neck, self.shoulders, 2 * self.shoulders)
        across = np.sign(across) * np.interp(np.abs(across), (0, NECK, SHOULDERS, 2 * SHOULDERS), ends)
        half_width = np.interp(down, (2.2, 2.6, 3.2), (self.neck, 0.6 * self.shoulders, self.shoulders))
        depth = np.interp(down, (2.2, 2.6, 3.4), (self.neck, 0.75, 1.0))
        near = -1 + depth * np.sqrt(1 - np.minimum(np.abs(across / half_width), 1) ** 2)
        return self.pose.project(np.stack([across, down, near], 1))[:, :2]

    def both(self, outline: np.ndarray) -> list[np.ndarray]:
        """An outline in pixels, and its mirror image on the figure's other side."""
        placed = self.place(np.concatenate([outline, outline * (-1, 1)]))
        return [placed[: len(outline)], placed[len(outline) :]]
