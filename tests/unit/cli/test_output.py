"""What is printed: JSON of the domain's values, and tables."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from countersign.cli.output import Output, count, to_json
from countersign.domain.geometry import Box, Kind, Mask
from countersign.domain.label import Label, LabelState
from countersign.domain.query import ImageQuery
from countersign.domain.run import RunState


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (LabelState.PROPOSED, "proposed"),
        (RunState.IN_REVIEW, "in_review"),
        (Kind.BOX, "box"),
        (datetime(2026, 1, 2, tzinfo=UTC), "2026-01-02T00:00:00+00:00"),
        (Path("a/b"), "a/b"),
        (float("nan"), None),
        (True, True),
        (None, None),
        (frozenset({"b", "a"}), ["a", "b"]),
        ({LabelState.VERIFIED: 3}, {"verified": 3}),
        (ImageQuery(splits=("train",)), {"splits": ["train"]}),
        (Mask(2, 2, b"13"), {"height": 2, "width": 2, "counts": "13"}),
    ],
)
def test_to_json(value: object, expected: object) -> None:
    assert to_json(value) == expected
    json.dumps(to_json(value))


def test_to_json__record() -> None:
    data = to_json(Label("cell", Box(1, 2, 3, 4), confidence=0.5, id=7))

    assert data["class_name"] == "cell"
    assert data["geometry"] == {"x": 1, "y": 2, "width": 3, "height": 4}
    assert data["state"] == "verified"


def test_table__aligned(capsys: pytest.CaptureFixture[str]) -> None:
    Output().table(["name", "number"], [["a", 5], ["longer", 1000]])

    assert capsys.readouterr().out == "name    number\na            5\nlonger    1000\n"


def test_table__empty(capsys: pytest.CaptureFixture[str]) -> None:
    Output().table(["name"], [], none="There is nothing.")

    assert capsys.readouterr().out == "There is nothing.\n"


def test_notice__goes_to_stderr_and_can_be_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    Output().notice("by the way")
    Output(quiet=True).notice("not said")

    shown = capsys.readouterr()
    assert (shown.out, shown.err) == ("", "by the way\n")


@pytest.mark.parametrize(("number", "expected"), [(0, "0 images"), (1, "1 image"), (2000, "2,000 images")])
def test_count(number: int, expected: str) -> None:
    assert count(number, "image") == expected


def test_count__irregular() -> None:
    assert count(2, "class", "classes") == "2 classes"
