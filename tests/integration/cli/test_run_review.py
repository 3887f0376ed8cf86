"""The main job on the command line: run, look, promote, reject, undo, edit, approve."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import shapes
from countersign.runs import executors
from shapes import Call


@pytest.fixture(autouse=True)
def _runs_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    # The model that finds bright shapes is known to this process alone.
    monkeypatch.setitem(executors._executors, "processes", executors.Inline)


@pytest.fixture
def run(call: Call) -> Call:
    """A project of six images, two of them labelled, and the finished run ``auto``."""
    shapes.write_yolo(Path("yolo"), 6, labelled=2)
    call("import", "shapes", "yolo")
    call("run", "shapes", "--model", "bright:shapes", "--field", "auto", "--quiet")
    return call


def states(call: Call) -> dict[str, int]:
    """Count the labels of the run by state."""
    found = {item["field"]["name"]: item for item in call("fields", "shapes", "--json").data}
    return found["auto"]["by_state"]


def test_run__ends_in_review(call: Call) -> None:
    shapes.write_yolo(Path("yolo"), 6, labelled=2)
    call("import", "shapes", "yolo")

    done = call("run", "shapes", "--model", "bright:shapes", "--field", "auto", "--images", "-has=ground_truth")

    assert "auto is in review: 4 labels on 4 images." in done.out
    assert "Next: countersign stats auto" in done.out
    assert "auto: 4 of 4 (100%)" in done.err


def test_run__field_exists(run: Call) -> None:
    done = run("run", "shapes", "--model", "bright:shapes", "--field", "auto", code=4)

    assert "There is already a field named 'auto'" in done.err
    truth = run("run", "shapes", "--model", "bright:shapes", "--field", "ground_truth", code=2)
    assert "Labels of a model never go to ground_truth" in truth.err


def test_run__unknown_model(run: Call) -> None:
    assert "There is no model 'cells'" in run("run", "shapes", "--model", "cells", "--field", "b", code=3).err


def test_run__unknown_class(run: Call) -> None:
    done = run("run", "shapes", "--model", "bright:shapes", "--field", "b", "--classes", "moon", code=6)

    assert "does not know moon" in done.err
    assert len(run("runs", "shapes", "--json").data) == 1


def test_run__no_image_fits(run: Call) -> None:
    done = run("run", "shapes", "--model", "bright:shapes", "--field", "b", "--images", "split=none", code=2)

    assert "No image of shapes fits" in done.err


def test_runs__table_and_one(run: Call) -> None:
    row = run("runs", "shapes").out.splitlines()[1]
    assert row.split() == ["shapes", "1", "auto", "in_review", "bright:shapes", "auto", "6", "0", "6", "6"]

    call = ("run", "shapes", "--model", "bright:shapes", "--classes", "bar", "--map", "bar=line")
    run(*call, "--field", "told", "--task", "detection")
    told = run("show", "told").out.splitlines()
    for name, value in (("task", "detection"), ("classes", "bar"), ("label map", "bar = line")):
        assert f"{name.ljust(16)}  {value}" in told
    shown = run("show", "auto").out
    assert "6 done, 0 failed, 0 to do, of 6" in shown
    assert run("show", "1", "--json").data["progress"]["done"] == 6


def test_ask__the_code_says_whether_anything_was_answered(run: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = ("ask", "shapes", "How bright?", "--model", "bright:shapes")
    assert run(*asked).out.count("\n") == 6

    def silent(*_: object, **__: object) -> list[str]:
        raise ValueError("not a word")

    monkeypatch.setattr(shapes.BrightModel, "ask", silent)
    assert "6 images of 6 got no answer." in run(*asked, code=6).err


def test_show__failures(call: Call) -> None:
    for path in shapes.draw(Path("pictures"), 3):
        last = path
    call("import", "shapes", "pictures")
    last.unlink()

    done = call("run", "shapes", "--model", "bright:shapes", "--field", "auto")

    assert "1 image failed" in done.out
    assert "2.png: " in call("show", "auto").out


def test_run__is_found_by_project_where_two_have_it(run: Call) -> None:
    run("import", "other", "yolo")
    run("run", "other", "--model", "bright:shapes", "--field", "auto", "--quiet")

    assert "Several projects have a run 'auto'" in run("show", "auto", code=2).err
    assert "of other" in run("show", "auto", "--project", "other").out


def test_run__unknown(run: Call) -> None:
    assert "There is no run 'manual'. There are: auto." in run("stats", "manual", code=3).err


def test_rename(run: Call) -> None:
    run("rename", "auto", "first try")

    assert "first try (id 1)" in run("show", "first try").out


def test_pause__nothing_to_pause(run: Call) -> None:
    assert "not at work" in run("pause", "auto", code=4).err


def test_stats(run: Call) -> None:
    lines = [line.split() for line in run("stats", "auto").out.splitlines()]

    assert lines[1:] == [["bar", "3", "3", "0.600"], ["square", "3", "3", "0.900"], ["all", "6", "6", "0.750"]]


def test_stats__range_class_and_images(run: Call) -> None:
    found = run("stats", "auto", "--min-confidence", "0.7", "--images", "has=ground_truth", "--json").data

    assert {item["class_name"]: (item["current"], item["total"]) for item in found["classes"]} == {
        "bar": (0, 1),
        "square": (1, 1),
    }
    assert [item["class_name"] for item in run("stats", "auto", "--class", "bar", "--json").data["classes"]] == ["bar"]


def test_stats__of_any_field(run: Call) -> None:
    assert "square" in run("stats", "ground_truth", "--project", "shapes").out


def test_stats__histogram(run: Call) -> None:
    bins = run("stats", "auto", "--histogram", "--json").data["histogram"]

    assert (len(bins), sum(bins)) == (50, 6)
    assert "########" in run("stats", "auto", "--histogram").out


def test_stats__range_upside_down(run: Call) -> None:
    done = run("stats", "auto", "--min-confidence", "0.8", "--max-confidence", "0.2", code=2)

    assert "is above the highest" in done.err


def test_labels__by_confidence(run: Call) -> None:
    found = run("labels", "auto", "--order", "-confidence", "--limit", "2", "--json").data["labels"]

    assert [item["confidence"] for item in found] == [0.9, 0.9]
    assert len(run("labels", "auto").out.splitlines()) == 7


def test_promote_undo_approve(run: Call) -> None:
    assert run("promote", "auto", "--min-confidence", "0.7").out == "Promoted 3 labels of auto.\n"
    assert run("promote", "auto", "--class", "bar").out == "Promoted 3 labels of auto.\n"
    assert run("undo", "auto", "--class", "bar").out == "Took back the promotion of 3 labels of auto.\n"
    assert states(run) == {"promoted": 3, "proposed": 3}

    assert run("approve", "auto").out == "Approved 3 labels of auto into ground_truth.\n"

    assert states(run) == {"promoted": 3, "rejected": 3}
    assert run("fields", "shapes", "--json").data[0]["labels"] == 5


def test_approve__nothing_promoted(run: Call) -> None:
    assert "--empty" in run("approve", "auto", code=4).err
    assert states(run) == {"proposed": 6}

    run("approve", "auto", "--empty")

    assert states(run) == {"rejected": 6}


def test_approve__twice(run: Call) -> None:
    run("promote", "auto")
    run("approve", "auto")

    assert "auto" in run("approve", "auto", code=4).err
    assert "auto" in run("promote", "auto", code=4).err


def test_approve__into_another_field(run: Call) -> None:
    run("promote", "auto")
    run("approve", "auto", "--into", "checked")

    run("export", "shapes", "--field", "checked", "--out", "checked.json")
    assert len(json.loads(Path("checked.json").read_text())["annotations"]) == 6


def test_reject__single_and_back(run: Call) -> None:
    label = run("labels", "auto", "--json").data["labels"][0]["id"]

    assert run("reject", "auto", "--label", str(label)).out == "Rejected 1 label of auto.\n"
    assert run("undo", "auto", "--rejected").out == "Took back the rejection of 1 label of auto.\n"


def test_reject__needs_to_be_told_what(run: Call) -> None:
    assert "Say which labels" in run("reject", "auto", code=2).err
    assert "not both" in run("reject", "auto", "--label", "1", "--class", "bar", code=2).err
    assert "no label's id" in run("reject", "auto", "--label", "one", code=2).err


def test_edit(run: Call) -> None:
    label = run("labels", "auto", "--json").data["labels"][0]["id"]

    done = run("edit", "auto", str(label), "--class", "disc", "--box", "1,2,3,4")

    assert done.out == f"Label {label} is now disc 1 2 3 4.\n"
    assert states(run) == {"promoted": 1, "proposed": 5}
    assert "not X,Y,WIDTH,HEIGHT" in run("edit", "auto", str(label), "--box", "1,2", code=2).err
    assert "Say what to correct" in run("edit", "auto", str(label), code=2).err


def test_review__of_imported_results(run: Call) -> None:
    results = [{"image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4], "score": 0.4}]
    Path("results.json").write_text(json.dumps(results))
    Path("truth.json").write_text(json.dumps(shapes.coco_of([0])))
    run("import", "shapes", "results.json", "--field", "theirs", "--set", "images_json=truth.json")

    done = run("review", "shapes", "theirs")

    assert "is in review as the run" in done.out


def test_evaluate(run: Call) -> None:
    done = run("evaluate", "shapes", "--field", "auto")

    assert done.out.startswith("auto against ground_truth on 2 images\n")
    assert done.out.splitlines()[-1].split() == ["all", "1.000", "1.000", "1.000", "1.000", "2", "2"]
    assert run("evaluate", "shapes", "--field", "auto", "--json").data["boxes"]["ap50"] == pytest.approx(1.0)


def test_evaluate__with_itself(run: Call) -> None:
    assert "compared with itself" in run("evaluate", "shapes", "--field", "ground_truth", code=2).err


def test_evaluate__no_image(run: Call) -> None:
    assert "no image to measure" in run("evaluate", "shapes", "--field", "auto", "--images", "split=x", code=2).err


def test_compare(run: Call) -> None:
    everywhere = ("--images", "has=auto")
    done = run("compare", "shapes", "--field", "auto", *everywhere, "--limit", "1")

    assert done.out.splitlines()[-1] == "4 extra, 0 missing, 0 moved, 0 relabelled"
    assert "3 more" in done.err
    found = run("compare", "shapes", "--field", "ground_truth", "--against", "auto", *everywhere, "--json").data
    assert found["totals"]["missing"] == len(found["differences"]) == 4
    assert run("compare", "shapes", "--field", "auto").out == "There are no differences.\n"


def test_run__interrupted_is_paused(run: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("countersign.runs.control.wait", interrupted)

    done = run("run", "shapes", "--model", "bright:shapes", "--field", "second", code=130)

    assert "countersign resume second" in done.err


def test_evaluate__run_that_saw_only_some(run: Call) -> None:
    run("run", "shapes", "--model", "bright:shapes", "--field", "one", "--images", "name=0", "--quiet")

    assert "what it never saw counts as missing" in run("evaluate", "shapes", "--field", "one").err
    assert run("evaluate", "shapes", "--field", "one", "--images", "name=0", "--quiet").err == ""
