"""From head coordinates to pixels: where a head is, how it is turned, and what light falls on it.

Head coordinates: the unit is the distance between the centres of the two eyes, the origin lies midway between
them; x grows to the right of the picture, y downwards, z towards the viewer.
"""

from dataclasses import dataclass, replace

import numpy as np

NECK = np.array([0.0, 1.0, -1.1])  # the point of a head that nodding and turning leave in place
AXIS = np.array([0.0, -0.6])  # from there to where the camera looks, in head units
DISTANCE = 10.0  # from the eyes to the camera, in head units


@dataclass(frozen=True)
class Pose:
    """Where a head is in the picture, seen from `DISTANCE`: what is nearer than the eyes looks larger.

    yaw, pitch, roll : degrees; positive turns the face to the picture's right, down, and clockwise
    scale : pixels per head unit, at the eyes' distance
    x, y : pixels, where `NECK` comes to lie
    """

    yaw: float
    pitch: float
    roll: float
    scale: float
    x: float
    y: float

    @property
    def rotation(self) -> np.ndarray:
        """The rotation (3, 3) that turns head coordinates into the picture's axes."""
        yaw, pitch, roll = np.radians((self.yaw, self.pitch, self.roll))
        turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
        nod = np.array([[1, 0, 0], [0, np.cos(pitch), np.sin(pitch)], [0, -np.sin(pitch), np.cos(pitch)]])
        tilt = np.array([[np.cos(roll), -np.sin(roll), 0], [np.sin(roll), np.cos(roll), 0], [0, 0, 1]])
        return tilt @ turn @ nod

    def project(self, points: np.ndarray) -> np.ndarray:
        """Points (..., 3) in head coordinates to (..., 3): x and y in pixels, depth in head units."""
        turned = (points - NECK) @ self.rotation.T
        nearness = DISTANCE / (DISTANCE - NECK[2] - turned[..., 2:])
        seen = AXIS + (turned[..., :2] - AXIS) * nearness
        return np.concatenate((seen * self.scale + (self.x, self.y), turned[..., 2:]), -1)

    def directions(self, normals: np.ndarray) -> np.ndarray:
        """Directions (..., 3) in head coordinates to the picture's axes."""
        return normals @ self.rotation.T

    def body(self) -> "Pose":
        """The pose of neck and shoulders, which follow the head part of the way."""
        return replace(self, yaw=0.45 * self.yaw, pitch=0.2 * self.pitch, roll=0.3 * self.roll)


@dataclass(frozen=True)
class Light:
    """One soft lamp and what comes from all sides.

    direction : towards the lamp, in the picture's axes, unit length
    strength : 0-1, how much darker the side turned away is
    colour : RGB multipliers around 1, applied to the whole person in the end
    """

    direction: tuple[float, float, float]
    strength: float
    colour: tuple[float, float, float]

    def shade(self, normals: np.ndarray) -> np.ndarray:
        """Brightness (...) around 1 of surfaces with unit normals (..., 3) in the picture's axes."""
        facing = normals @ np.asarray(self.direction, normals.dtype)
        return 1.0 + self.strength * (0.45 * facing - 0.4) - 0.25 * self.strength * np.minimum(facing, 0) ** 2
