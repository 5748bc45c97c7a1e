"""What lies in the holes of the face surface, and the lids around it: eyes and the inside of the mouth."""

import numpy as np

from fer_lib.synthetic.camera import Light, Pose
from fer_lib.synthetic.canvas import Canvas, Colour, mix, scaled
from fer_lib.synthetic.mesh import INNER_LIPS, LEFT_EYE, RIGHT_EYE
from fer_lib.synthetic.person import Person

IRIS_RADIUS = 0.108
TEETH = (236, 230, 216)


def paint_eyes(
    canvas: Canvas, person: Person, face: np.ndarray, gaze: tuple[float, float], pose: Pose, light: Light
) -> None:
    """Eyeballs, painted before the face surface (468, 3) whose holes show them; `gaze` is -1 to 1 across and down."""
    for ring in (RIGHT_EYE, LEFT_EYE):
        edge = pose.project(face[list(ring)])[:, :2]
        middle = edge.mean(0)
        upper = edge[:9]
        white = scaled((238, 232, 226), 0.94)
        canvas.fill(middle + 1.12 * (edge - middle), white)
        for width, level in ((0.16, 0.93), (0.11, 0.84), (0.06, 0.68)):
            canvas.line(upper, scaled(white, level), width * pose.scale)
        _paint_iris(canvas, person, face, ring, gaze, pose, light)


def _paint_iris(
    canvas: Canvas,
    person: Person,
    face: np.ndarray,
    ring: tuple[int, ...],
    gaze: tuple[float, float],
    pose: Pose,
    light: Light,
) -> None:
    centre = face[list(ring)].mean(0)
    corner = face[[ring[0], ring[8]]].mean(0)
    centre = np.array((centre[0], 0.5 * centre[1] + 0.5 * corner[1] - 0.02, centre[2]))
    centre = centre + np.array((0.07 * gaze[0], 0.05 * gaze[1], 0.02))
    for radius, colour in (
        (1.0, scaled(person.iris, 0.55)),
        (0.86, person.iris),
        (0.46, (14, 11, 12)),
    ):
        canvas.fill(_disc(centre, IRIS_RADIUS * radius, pose), colour)
    lower = centre + np.array((0.0, 0.4 * IRIS_RADIUS, 0.0))
    canvas.line(
        pose.project(lower + IRIS_RADIUS * 0.3 * np.array([(-1, -0.2, 0), (0, 0.3, 0), (1, -0.2, 0)]))[:, :2],
        mix(person.iris, (255, 240, 220), 0.35),
        0.02 * pose.scale,
    )
    spark = centre + IRIS_RADIUS * np.array((0.35 * np.sign(light.direction[0]), -0.42, 0))
    canvas.fill(_disc(spark, 0.026, pose), (250, 250, 250))


def _disc(centre: np.ndarray, radius: float, pose: Pose) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, 20, endpoint=False)
    circle = np.stack((np.cos(angle), np.sin(angle), 0 * angle), 1)
    return pose.project(centre + radius * circle)[:, :2]


def paint_lids(canvas: Canvas, person: Person, face: np.ndarray, pose: Pose) -> None:
    """Lashes and the rims of the lids, painted over the face surface."""
    lash = mix(scaled(person.hair, 0.5), (24, 18, 18), 0.7)
    rim = mix(scaled(person.skin, 0.55), (150, 70, 66), 0.3)
    width = 0.042 if person.gender == "female" else 0.028
    for ring in (RIGHT_EYE, LEFT_EYE):
        edge = pose.project(face[list(ring)])[:, :2]
        away = edge - edge.mean(0)
        away *= 0.5 * width * pose.scale / np.linalg.norm(away, axis=1, keepdims=True)
        edge = edge + away
        canvas.line(np.vstack((edge[8:], edge[:1])), rim, 0.018 * pose.scale)
        canvas.line(edge[:9], lash, width * pose.scale)
        if person.gender == "female":
            outer = edge[0] + (edge[0] - edge[2]) * 0.35 + (0, -0.02 * pose.scale)
            canvas.line(np.stack((outer, edge[1], edge[2])), lash, 0.022 * pose.scale)


def paint_mouth(canvas: Canvas, person: Person, rest: np.ndarray, face: np.ndarray, pose: Pose) -> None:
    """Cavity, tongue and teeth, painted before the face surface whose hole shows them."""
    ring = pose.project(face[list(INNER_LIPS)])[:, :2]
    middle = ring.mean(0)
    opening = np.clip((face[14, 1] - face[13, 1] - 0.09) / 0.1, 0, 1)  # below that, only the line between lips
    line = scaled(person.lips, 0.45)
    teeth = mix(line, TEETH, np.clip(2 * opening - 0.7, 0, 1))
    canvas.fill(middle + 1.08 * (ring - middle), mix(line, (58, 18, 22), opening))
    if not opening:
        return
    drop = max(float(face[17, 1] - rest[17, 1]), 0.0)
    back = np.array((0.0, 0.0, -0.12))
    lower_y = rest[14, 1] + 0.9 * drop
    tongue = np.array((0.0, lower_y + 0.02, rest[13, 2] - 0.1))
    canvas.fill(_oval(tongue, 0.24, 0.11 + 0.1 * drop, pose), mix(line, (172, 74, 78), opening))
    if drop > 0.1:
        _paint_teeth(canvas, np.array((0.0, lower_y - 0.02, rest[13, 2])) + back, 0.22, 0.07, pose, teeth)
    _paint_teeth(canvas, np.array((0.0, rest[13, 1] - 0.06, rest[13, 2])) + back, 0.38, 0.135, pose, teeth)


def _paint_teeth(canvas: Canvas, top: np.ndarray, half: float, height: float, pose: Pose, colour: Colour) -> None:
    t = np.linspace(-1, 1, 13)
    upper = np.stack((half * t, 0 * t, -0.18 * t**2), 1)
    lower = np.stack((half * t, height * (1 - 0.25 * t**4), -0.18 * t**2), 1)
    points = pose.project(top + np.vstack((upper, lower[::-1])))[:, :2]
    canvas.fill(points, colour)
    for x in (-0.33, 0.0, 0.33):
        gap = np.array([(half * x, 0, 0), (half * x, height, 0)])
        canvas.line(pose.project(top + gap)[:, :2], scaled(colour, 0.9), 1)


def _oval(centre: np.ndarray, rx: float, ry: float, pose: Pose) -> np.ndarray:
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return pose.project(centre + np.stack((rx * np.cos(angle), ry * np.sin(angle), 0 * angle), 1))[:, :2]
