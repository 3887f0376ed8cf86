"""How a training is shown, and what Ctrl-C does to it."""

from __future__ import annotations

import os
import signal
import time

import pytest

from countersign.cli.learning import TrainingDisplay
from countersign.cli.session import Session
from countersign.learn.events import Finished, Notice, Planned, Progress, Scored


def _interrupt() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.01)  # Python runs the handler between two of its own steps


def test_display__lines_in_a_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    with TrainingDisplay(Session()) as display:
        display.show(Planned(("detection",), ("a", "b"), 20, 4, 416, True, "cpu"))
        display.show(Notice("weights", "Random weights."))
        display.show(Progress(1, 9, 3, 0.1, {"detection": 2.5}, 3.0, 27.0))
        display.show(Progress(2, 9, 4, 0.2, {"detection": 2.0}, 4.0, 20.0))
        display.show(Scored(4, {"held_out_ap50": 0.5}, True, 4))
        display.show(Finished(40, 61.0, False))

    assert capsys.readouterr().err.splitlines() == [
        "Learning detection of a, b from 20 images, 4 held out, 416 pixels, in tiles, on cpu.",
        "Random weights.",
        "training: 10%, epoch 1 of 9, detection 2.500, 27 s left",
        "Step 4: held out ap50 0.500 (the best so far)",
        "Done after 40 steps in 61 s.",
    ]


def test_display__quiet(capsys: pytest.CaptureFixture[str]) -> None:
    with TrainingDisplay(Session(quiet=True)) as display:
        display.show(Notice("plan", "Smaller pictures."))
        display.show(Finished(1, 1.0, True))

    assert capsys.readouterr().err == ""


def test_display__quiet_does_not_hide_what_it_starts_from(capsys: pytest.CaptureFixture[str]) -> None:
    with TrainingDisplay(Session(quiet=True)) as display:
        display.show(Notice("weights", "Random weights."))

    assert capsys.readouterr().err == "Random weights.\n"


def test_display__first_interrupt_asks_the_second_breaks_off(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGINT)
    with TrainingDisplay(Session()) as display:
        assert not display.interrupted()
        _interrupt()
        assert display.interrupted()
        with pytest.raises(KeyboardInterrupt):
            _interrupt()

    assert signal.getsignal(signal.SIGINT) is before
    assert "the best so far is kept" in capsys.readouterr().err
