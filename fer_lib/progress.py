"""Progress bars: a widget in an open notebook, plain text in a terminal and in headless runs."""

import os
from collections.abc import Iterable

HEADLESS = "FER_HEADLESS"  # seconds between two updates; set by whatever runs notebooks without a browser


def progress(iterable: Iterable | None = None, description: str = "", **options):
    """A tqdm bar over `iterable`; `options` are tqdm's own (`total`, `unit`, `initial`)."""
    interval = os.environ.get(HEADLESS)
    if interval is None:
        from tqdm.auto import tqdm

        return tqdm(iterable, desc=description, leave=False, **options)
    from tqdm import tqdm

    return tqdm(iterable, desc=description, mininterval=float(interval), leave=False, ncols=90, **options)
