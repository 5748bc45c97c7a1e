"""Networks trained from nothing."""

import torch
from torch import nn


class SixLayerCNN(nn.Module):
    """The six-layer network of paper 004, section 4.1.

    Valid 3×3 convolutions with 16-32-64-128-256-256 filters, each followed by batch normalisation and ReLU;
    2×2 max-pooling and 20 % dropout after every second one; then 1024-512 (50 % dropout)-classes.

    Input: float (N, 1, 48, 48). Output: logits (N, n_classes).
    """

    def __init__(self, n_classes: int = 7):
        super().__init__()
        widths = (1, 16, 32, 64, 128, 256, 256)
        layers: list[nn.Module] = []
        for depth in range(1, len(widths)):
            layers += [
                nn.Conv2d(widths[depth - 1], widths[depth], 3),
                nn.BatchNorm2d(widths[depth]),
                nn.ReLU(),
            ]
            if depth % 2 == 0:
                layers += [nn.MaxPool2d(2), nn.Dropout(0.2)]
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Linear(1024, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, n_classes)
        )

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        return self.classifier(self.features(pictures))
