"""Reports: counted, bounded, readable."""

from __future__ import annotations

import json

from countersign.domain.label import LabelClass
from countersign.formats import ExportReport, ImportReport, Severity
from countersign.formats.report import EXAMPLES


def test_problems_are_counted_and_only_the_first_kept() -> None:
    report = ImportReport()
    for number in range(1000):
        report.skipped("no area", file="a.json", where=f"annotation {number}", detail="width=0")
    report.changed("clipped", count=3)
    report.note("odd")
    assert report.counts == {
        (Severity.SKIPPED, "no area"): 1000,
        (Severity.CHANGED, "clipped"): 3,
        (Severity.NOTE, "odd"): 1,
    }
    assert len(report.problems) == EXAMPLES + 2
    assert (report.count(), report.count(Severity.SKIPPED), report.count(reason="clipped")) == (1004, 1000, 3)
    assert str(report.problems[0]) == "a.json (annotation 0): skipped: no area: width=0"


def test_reasons_that_never_end_do_not_fill_the_memory() -> None:
    report = ImportReport()
    for number in range(2000):
        report.skipped(f"reason {number}")
    assert report.count() == 2000
    assert len(report.problems) < 600


def test_the_summary_is_one_line_per_reason() -> None:
    report = ImportReport()
    report.format, report.images, report.labels = "coco", 2, 1234
    report.skipped("no area", file="a.json", where="annotation 1")
    report.skipped("no area", file="a.json", where="annotation 2")
    report.note("odd")
    assert list(report.summary()) == [
        "1,234 labels on 2 images (coco)",
        "  2 skipped: no area [e.g. a.json (annotation 1)]",
        "  1 note: odd",
    ]


def test_both_reports_are_json() -> None:
    report = ImportReport()
    report.add_class("cell")
    report.skipped("no area", file="a.json", where=3, detail="x")
    data = json.loads(json.dumps(report.to_data()))
    assert data["classes"] == ["cell"]
    assert data["problems"] == [
        {
            "severity": "skipped",
            "reason": "no area",
            "count": 1,
            "examples": [{"severity": "skipped", "reason": "no area", "file": "a.json", "where": "3", "detail": "x"}],
        }
    ]
    assert json.loads(json.dumps(ExportReport().to_data()))["files"] == 0


def test_a_class_seen_again_adds_only_the_keypoints_that_it_lacked() -> None:
    report = ImportReport()
    report.add_class("cell")
    report.add_class(LabelClass("cell", keypoint_names=("a",)))
    report.add_class(LabelClass("cell", keypoint_names=("b",)))
    assert report.classes == [LabelClass("cell", keypoint_names=("a",))]
