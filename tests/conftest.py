"""What tests share: small data made on the spot, and where the real data lie, if they do."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from fer_lib.data.table import encode_picture, make_table, picture_hash
from fer_lib.emotions import BASIC
from fer_lib.files import ROOT

TINY_COUNTS = {"train": (3,) * 7, "validation": (1,) * 7, "test": (2,) * 7}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def fer_rows(counts=TINY_COUNTS) -> pd.DataFrame:
    """Rows of fer2013.csv with the given number of pictures per split and class, every picture different."""
    rng = np.random.default_rng(1)
    usages = {"train": "Training", "validation": "PublicTest", "test": "PrivateTest"}
    rows = [
        {
            "emotion": label,
            "pixels": " ".join(map(str, rng.integers(0, 256, 48 * 48))),
            "Usage": usages[split],
        }
        for split, numbers in counts.items()
        for label, number in enumerate(numbers)
        for _ in range(number)
    ]
    return pd.DataFrame(rows)


@pytest.fixture
def fer_csv(tmp_path) -> Path:
    path = tmp_path / "fer2013.csv"
    fer_rows().to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def toy_table() -> pd.DataFrame:
    """420 pictures of 48×48 in which a bright bar's row tells the class: easy, but not without learning."""
    rng = np.random.default_rng(2)
    rows = []
    for number in range(420):
        label, split = number % 7, "train" if number < 280 else "validation" if number < 350 else "test"
        picture = rng.integers(0, 120, (48, 48)).astype(np.uint8)
        picture[3 + 6 * label : 8 + 6 * label, 8:40] += 100
        row = {
            "id": f"toy-{number}",
            "source": "toy",
            "picture": encode_picture(picture),
            "label": BASIC[label],
        }
        rows.append({**row, "split": split, "picture_hash": picture_hash(picture)})
    return make_table(rows, "toy")


@pytest.fixture(scope="session")
def drawn_people() -> pd.DataFrame:
    """56 drawn people in places, as the embedded data has them."""
    from fer_lib.data.sources import synthetic

    return synthetic.read(56, 0)


@pytest.fixture(scope="module")
def one_thread():
    """Small steps of a training take ten times as long where two threads wait for a busy core."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def data_root() -> Path:
    """DATA_ROOT, or the folder beside the checkout that holds the shared data; skips where there is neither."""
    root = Path(os.environ.get("DATA_ROOT") or ROOT.parent / "shared" / "data")
    if not (root / "fer2013").is_dir():
        pytest.skip("FER2013 is not below DATA_ROOT")
    return root
