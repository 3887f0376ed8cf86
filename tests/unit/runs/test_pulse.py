from __future__ import annotations

import threading

from countersign.domain.work import Request
from countersign.runs.pulse import Pulse


def test_pulse_tells_what_is_asked() -> None:
    answers = iter([Request.NONE, Request.PAUSE])
    heard = threading.Event()
    with Pulse(lambda: next(answers, Request.NONE), every_s=0.01) as pulse, pulse.stopping(heard.set):
        assert pulse.wait(10)
        assert heard.wait(10)
    assert pulse.asked is Request.PAUSE
    assert not pulse.dropped


def test_pulse__who_listens_late_hears_it_at_once() -> None:
    with Pulse(lambda: Request.CANCEL, every_s=0.01) as pulse:
        assert pulse.wait(10)
        heard = threading.Event()
        with pulse.stopping(heard.set):
            assert heard.is_set()


def test_pulse__a_worker_that_counts_no_more_stops() -> None:
    with Pulse(lambda: None, every_s=0.01) as pulse:
        assert pulse.wait(10)
    assert pulse.dropped


def test_pulse__a_hiccup_of_the_database_is_survived() -> None:
    beats: list[int] = []

    def beat() -> Request:
        beats.append(1)
        if len(beats) < 4:
            raise OSError("restarting")
        return Request.REVIEW

    with Pulse(beat, every_s=0.01) as pulse:
        assert pulse.wait(10)
    assert pulse.asked is Request.REVIEW


def test_pulse__a_database_that_stays_away_ends_it() -> None:
    def beat() -> Request:
        raise OSError("gone")

    with Pulse(beat, every_s=0.01, patience_s=0.05) as pulse:
        assert pulse.wait(10)
    assert pulse.dropped
