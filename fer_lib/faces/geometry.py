"""A face in numbers: 12 action-unit centres and their distances, widths, heights, distances and angles (paper 000).

Every length is divided by the distance between the centres of both eyes, so that the size of the picture does not
matter. "Right" is the person's own right, at the picture's left.
"""

from itertools import combinations

import numpy as np
import pandas as pd

# Table 3 of paper 000: for each action unit its name, its rule, and the landmark of Face Mesh nearest to it. There are
# twelve centres in all, so paired units have one, on the right; but of the two lip corners one lies on each side, so
# that their distance is the mouth's width.
AU_CENTRES: dict[int, tuple[str, str, int]] = {
    1: ("inner brow raiser", "above the inner brow", 107),
    2: ("outer brow raiser", "above the outer brow", 70),
    4: ("brow lowerer", "brow centre", 52),
    6: ("cheek raiser", "cheek centre", 50),
    7: ("lid tightener", "top eyelid centre", 159),
    10: ("upper lip raiser", "upper lip centre", 0),
    12: ("lip corner puller", "lip corner", 61),
    14: ("dimpler", "below the lip corner", 43),
    15: ("lip corner depressor", "lip corner", 291),
    17: ("chin raiser", "chin centre", 199),
    23: ("lip tightener", "bottom lip centre", 17),
    24: ("lip pressor", "bottom lip centre, where the lips meet", 14),
}
AU_DISTANCES = tuple(combinations(AU_CENTRES, 2))  # 66 pairs of action units

# Table 4 of paper 000. It names one height and one angle twice; they stand once here.
WIDTHS_AND_HEIGHTS = {
    "left eye width": (263, 362),
    "right eye width": (33, 133),
    "mouth width": (61, 291),
    "left eye height": (386, 374),
    "right eye height": (159, 145),
    "mouth height": (13, 14),
}
EYES = ((362, 263), (133, 33))  # inner and outer corner, left and right
NOSE = 1
MOUTH = (61, 291)
OUTER_BROWS = ((276, 283, 293, 300), (46, 53, 63, 70))
DISTANCES = ("between the eyes", "left eye to brow", "right eye to brow", "eyes to outer brows", "eyes to mouth")
DISTANCES += ("eyes to nose", "nose to mouth")
ANGLES = ("angle at the left eye", "angle at the right eye", "angle at the mouth")
VISIBLE = (*WIDTHS_AND_HEIGHTS, *DISTANCES, *ANGLES)


def eye_distance(landmarks: np.ndarray) -> np.ndarray:
    """Distance between the centres of both eyes, (...,), of landmarks (..., 478, 2 or more), in their unit."""
    left, right = (landmarks[..., list(corners), :2].mean(-2) for corners in EYES)
    return np.linalg.norm(left - right, axis=-1)


def au_centres(landmarks: np.ndarray) -> np.ndarray:
    """The 12 action-unit centres, (..., 12, 2), in the unit of the landmarks (..., 478, 2 or more)."""
    return landmarks[..., [index for _, _, index in AU_CENTRES.values()], :2]


def au_distances(landmarks: np.ndarray) -> np.ndarray:
    """Distances between all pairs of action-unit centres, (..., 66), in eye distances (paper 000, section 4.3.1).

    Parameters
    ----------
    landmarks : (..., 478, 2 or more) in any unit; NaN where there is no face, as the result then is
    """
    centres = au_centres(landmarks)
    first, second = np.array(list(combinations(range(len(AU_CENTRES)), 2))).T
    return _scaled(_length(centres[..., first, :], centres[..., second, :]), landmarks)


def visible_features(landmarks: np.ndarray) -> np.ndarray:
    """Widths, heights and distances in eye distances, angles in radians, (..., 16), as `VISIBLE` names them.

    Paper 000, section 4.3.2. "Eye to brow" is from the inner corner of the eye to the inner end of the brow. Outer
    brows are measured upwards from the line through the inner corners of both eyes, mean of both sides: lids and outer
    corners rise with them.
    """
    at = landmarks[..., :2]
    left, right = (at[..., list(corners), :].mean(-2) for corners in EYES)
    mouth, nose = at[..., list(MOUTH), :].mean(-2), at[..., NOSE, :]
    between = (left + right) / 2
    lengths = [_length(at[..., a, :], at[..., b, :]) for a, b in WIDTHS_AND_HEIGHTS.values()]
    lengths += [_length(at[..., a, :], at[..., b, :]) for a, b in ((362, 133), (362, 336), (133, 107))]
    lengths += [_outer_brows(at)]
    lengths += [_length(between, mouth), _length(between, nose), _length(nose, mouth)]
    angles = [_angle(left, right, mouth), _angle(right, left, mouth), _angle(mouth, left, right)]
    return np.concatenate([_scaled(np.stack(lengths, -1), landmarks), np.stack(angles, -1)], -1)


def from_neutral(features: np.ndarray, subjects: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Features less those of the subject's own neutral picture, (N, D); NaN for subjects without one, or unknown.

    Identity hides expression: a face at rest with high brows looks like a surprised one with low brows.

    Parameters
    ----------
    features : (N, D)
    subjects : (N,), who is shown; None where that is not known
    reference : bool (N,), pictures at rest that serve as reference; those of one subject that have a mesh are averaged
    """
    rest = pd.DataFrame(features[reference]).groupby(subjects[reference], sort=False).mean()
    return features - rest.reindex(subjects).to_numpy(features.dtype)


def _outer_brows(at: np.ndarray) -> np.ndarray:
    inner = [at[..., corner, :] for corner, _ in EYES]
    return np.mean([_height(at[..., list(brow), :].mean(-2), *inner) for brow in OUTER_BROWS], 0)


def _height(point: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """How far the point lies from the line through a and b."""
    along, towards = b - a, point - a
    return np.abs(along[..., 0] * towards[..., 1] - along[..., 1] * towards[..., 0]) / _length(a, b)


def _length(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.linalg.norm(a - b, axis=-1)


def _scaled(lengths: np.ndarray, landmarks: np.ndarray) -> np.ndarray:
    return lengths / eye_distance(landmarks)[..., None]


def _angle(corner: np.ndarray, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The angle at `corner` between the directions to a and b, in radians."""
    first, second = a - corner, b - corner
    cross = first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]
    return np.abs(np.arctan2(cross, (first * second).sum(-1)))
