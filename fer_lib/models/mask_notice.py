"""Is there a mask on a face? Learnt from bare faces and from the same ones with a mask laid on."""

from dataclasses import dataclass

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler


@dataclass(frozen=True)
class MaskNotice:
    """Logistic regression on pixels, and the score above which a mask is noticed."""

    linear: Pipeline
    limit: float

    @classmethod
    def fit(cls, bare: torch.Tensor, masked: torch.Tensor, validation: torch.Tensor, kept: float) -> "MaskNotice":
        """Learn the difference, and set the limit so that a share (0-1) of bare validation faces pass as bare.

        Parameters
        ----------
        bare, masked, validation : uint8 pictures (N, C, S, S), the last of bare faces
        """
        pixels = np.concatenate([_pixels(bare), _pixels(masked)])
        covered = np.repeat([False, True], [len(bare), len(masked)])
        linear = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=500)).fit(pixels, covered)
        return cls(linear, float(np.quantile(linear.decision_function(_pixels(validation)), kept)))

    def noticed(self, pictures: torch.Tensor) -> np.ndarray:
        """On which faces a mask is noticed, bool (N,); `pictures` as in `fit`."""
        return self.linear.decision_function(_pixels(pictures)) > self.limit


def _pixels(pictures: torch.Tensor) -> np.ndarray:
    return pictures.reshape(len(pictures), -1).numpy() / 255
