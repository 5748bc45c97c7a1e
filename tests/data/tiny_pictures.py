"""Small files for tests of readers: each picture differs from all others."""

import zlib
from pathlib import Path

import numpy as np
from PIL import Image

CUT = b"\x89PNG cut short"


def write_picture(path: Path) -> Path:
    """A picture of 16×12 pixels, decided by the name of its file and folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(zlib.crc32("/".join(path.parts[-3:]).encode()))
    Image.fromarray(rng.integers(0, 256, (12, 16, 3)).astype(np.uint8)).save(path)
    return path


def write_text(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path
