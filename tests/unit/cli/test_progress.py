"""Progress in a pipe: few lines, the first and the last among them."""

from __future__ import annotations

import pytest

from countersign.cli.progress import PlainLines, describe, duration
from countersign.workbench.progress import Progress


def test_describe() -> None:
    assert (
        describe(Progress("images", 120, 400, "2 refused"), 4.0)
        == "images: 120 of 400 (30%), 30/s, 9 s left, 2 refused"
    )


def test_describe__what_was_done_before_says_nothing_about_speed() -> None:
    assert describe(Progress("auto1", 128, 364), 2.0, before=120) == "auto1: 128 of 364 (35%), 4.0/s, 59 s left"


def test_describe__total_unknown() -> None:
    assert describe(Progress("labels", 12), 0.0) == "labels: 12"


def test_plain_lines__rate_limited(capsys: pytest.CaptureFixture[str]) -> None:
    lines = PlainLines(every=3600)
    for done in range(1001):
        lines.show(Progress("images", done, 1000))

    shown = capsys.readouterr()
    assert shown.out == ""
    assert [line.split(" (")[0] for line in shown.err.splitlines()] == ["images: 1,000 of 1,000"]


def test_plain_lines__one_end_per_stage(capsys: pytest.CaptureFixture[str]) -> None:
    lines = PlainLines(every=3600)
    for stage in ("images", "labels"):
        lines.show(Progress(stage, 0, 2))
        lines.show(Progress(stage, 2, 2))
        lines.show(Progress(stage, 2, 2))

    assert len(capsys.readouterr().err.splitlines()) == 2


@pytest.mark.parametrize(("seconds", "text"), [(8, "8 s"), (180, "3 min"), (7500, "2 h 5 min")])
def test_duration(seconds: float, text: str) -> None:
    assert duration(seconds) == text
