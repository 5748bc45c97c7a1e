import time

import pytest

from fer_lib import progress as bars


@pytest.mark.parametrize("headless", [True, False])
def test_a_bar_shows_once_its_work_has_lasted_and_one_for_a_blink_never(headless, monkeypatch, capsys):
    monkeypatch.delenv(bars.HEADLESS, raising=False)
    if headless:
        monkeypatch.setenv(bars.HEADLESS, "0.01")
    monkeypatch.setattr(bars, "DELAY", 0.2)
    assert list(bars.progress(range(3), "blink")) == [0, 1, 2]
    assert "blink" not in capsys.readouterr().err
    for _ in bars.progress(range(4), "long"):
        time.sleep(0.1)
    assert "long" in capsys.readouterr().err
