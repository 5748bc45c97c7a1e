"""Progress bars: a widget in an open notebook, plain text in a terminal and in headless runs."""

import contextlib
import os
import threading
from collections.abc import Iterable, Iterator

HEADLESS = "FER_HEADLESS"  # seconds between two updates; set by whatever runs notebooks without a browser
DELAY = 0.5  # seconds; hundreds of bars for a blink would slow the work and fill a page


def progress(iterable: Iterable | None = None, description: str = "", **options):
    """A tqdm bar over `iterable`, shown once it has lasted `DELAY`; `options` are tqdm's own (`total`, `unit`, …)."""
    interval, options = os.environ.get(HEADLESS), {"delay": DELAY, "leave": False} | options
    if interval is None:
        from tqdm.auto import tqdm

        return tqdm(iterable, desc=description, **options)
    from tqdm import tqdm

    return tqdm(iterable, desc=description, mininterval=float(interval), ncols=90, **options)


@contextlib.contextmanager
def ticking(description: str) -> Iterator[None]:
    """Show the time that a block takes while it runs, for work whose end nobody can foretell."""
    done = threading.Event()
    every = max(1.0, float(os.environ.get(HEADLESS, 1)))

    def tick() -> None:
        with progress(description=description, bar_format="{desc}: {elapsed}") as bar:
            while not done.wait(every):
                bar.refresh()

    clock = threading.Thread(target=tick, daemon=True)
    clock.start()
    try:
        yield
    finally:
        done.set()
        clock.join()
