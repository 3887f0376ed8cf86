"""``countersign import`` and ``export`` as a user sees them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

import shapes
from shapes import Call


def test_import__folder_with_labels(call: Call) -> None:
    shapes.write_yolo(Path("yolo"), 4, labelled=3)

    done = call("import", "shapes", "yolo")

    assert "Images: 4 added." in done.out
    assert "Labels (yolo): 3 added to ground_truth on 4 images." in done.out
    assert "images: 4 of 4 (100%)" in done.err


def test_import__again(call: Call) -> None:
    shapes.write_yolo(Path("yolo"), 4)
    call("import", "shapes", "yolo")

    done = call("import", "shapes", "yolo")

    assert "Images: 0 added, 4 known before." in done.out
    assert "0 added to ground_truth on 4 images, 4 were there before." in done.out


def test_import__json_and_quiet(call: Call) -> None:
    shapes.draw(Path("pictures"), 2)
    Path("pictures/broken.png").write_bytes(b"no picture")

    done = call("import", "shapes", "pictures", "--json", "--quiet")

    assert done.err == ""
    assert done.data["images"]["added"] == 2
    assert done.data["images"]["refused"][0]["path"].endswith("broken.png")
    assert done.data["labels"] is None


def test_import__report_file(call: Call) -> None:
    shapes.draw(Path("pictures"), 1)
    Path("truth.json").write_text(json.dumps(shapes.coco_of([0, 7])))
    call("import", "shapes", "pictures")

    done = call("import", "shapes", "truth.json", "--report", "out/report.json")

    report = json.loads(Path("out/report.json").read_text())
    assert report["labels"]["missing"] == 1
    assert "1 skipped: the image is not in the project" in done.out
    assert "out/report.json" in done.out


def test_import__field_split_and_tag(call: Call) -> None:
    shapes.write_yolo(Path("yolo"), 2)

    call("import", "shapes", "yolo", "--field", "other", "--split", "test", "--tag", "a,b", "--tag", "c")

    assert [item["field"]["name"] for item in call("fields", "shapes", "--json").data] == ["other"]
    assert call("images", "shapes", "--images", "split=test tag=a tag=c", "--count").out == "2\n"


def test_import__nothing_there(call: Call) -> None:
    done = call("import", "shapes", "nowhere", code=2)

    assert done.err == "countersign: There is no file or folder nowhere. Check the path.\n"


def test_import__unknown_format(call: Call) -> None:
    shapes.draw(Path("pictures"), 1)

    done = call("import", "shapes", "pictures", "--format", "cocoa", code=3)

    assert "There is no format 'cocoa'" in done.err


def test_export__coco(call: Call) -> None:
    shapes.write_yolo(Path("yolo"), 4)
    call("import", "shapes", "yolo")

    done = call("export", "shapes", "--format", "coco", "--out", "out.json", "--class", "bar")

    written = json.loads(Path("out.json").read_text())
    assert len(written["annotations"]) == 2
    assert "Wrote 2 labels" in done.out


def test_export__does_not_overwrite_unless_told(call: Call) -> None:
    shapes.write_yolo(Path("yolo"), 1)
    call("import", "shapes", "yolo")
    Path("out.json").write_text("mine")

    call("export", "shapes", "--out", "out.json", code=4)
    assert Path("out.json").read_text() == "mine"
    call("export", "shapes", "--out", "out.json", "--overwrite")

    assert json.loads(Path("out.json").read_text())["annotations"]


@pytest.mark.parametrize(("name", "form"), [("broken.xml", "voc"), ("nothing", "class-folders")])
def test_import__nothing_that_can_be_used(call: Call, name: str, form: str) -> None:
    Path("nothing").mkdir()
    Path("broken.xml").write_text("<annotation><object></object>")

    assert f"Nothing at {name}" in call("import", "shapes", name, "--format", form, "--quiet", code=2).err


def test_export__leaves_what_is_no_plain_file_alone(call: Call) -> None:
    shapes.write_yolo(Path("yolo"), 1)
    call("import", "shapes", "yolo")
    os.mkfifo("pipe")

    assert "no plain file" in call("export", "shapes", "--out", "pipe", "--overwrite", code=2).err
    assert Path("pipe").is_fifo()


def test_export__unknown_field(call: Call) -> None:
    shapes.write_yolo(Path("yolo"), 1)
    call("import", "shapes", "yolo")

    done = call("export", "shapes", "--field", "nothing", "--out", "out.json", code=3)

    assert "There is no field 'nothing'. There are: ground_truth." in done.err


def test_images__file_of_names(call: Call) -> None:
    shapes.draw(Path("pictures"), 4)
    call("import", "shapes", "pictures")
    Path("names.txt").write_text("0\n2.png\n# a remark\n\nnowhere\n")

    done = call("images", "shapes", "--images", "names.txt")

    assert [line.split()[1] for line in done.out.splitlines()[1:]] == ["0.png", "2.png"]
    assert "1 name in names.txt fit no image: nowhere." in done.err


def test_images__file_of_names_is_not_there(call: Call) -> None:
    shapes.draw(Path("pictures"), 1)
    call("import", "shapes", "pictures")

    assert "there is no file names.txt" in call("images", "shapes", "--images", "names.txt", code=2).err


def test_images__no_name_fits(call: Call) -> None:
    shapes.draw(Path("pictures"), 1)
    call("import", "shapes", "pictures")
    Path("names.txt").write_text("nowhere\n")

    assert "None of the 1 names" in call("images", "shapes", "--images", "names.txt", code=2).err


def test_images__mark(call: Call) -> None:
    shapes.draw(Path("pictures"), 3)
    call("import", "shapes", "pictures")

    assert call("images", "shapes", "--images", "name=1.png", "--add-tag", "empty").out == "Marked 1 image.\n"
    assert call("images", "shapes", "--images", "tag=empty", "--count").out == "1\n"
    call("images", "shapes", "--set-split", "test")
    call("images", "shapes", "--remove-tag", "empty")

    assert call("images", "shapes", "--images", "tag=empty", "--count").out == "0\n"
    assert call("images", "shapes", "--images", "split=test", "--count", "--json").data == {"count": 3}


def test_images__limit(call: Call) -> None:
    shapes.draw(Path("pictures"), 3)
    call("import", "shapes", "pictures")

    done = call("images", "shapes", "--limit", "2")

    assert len(done.out.splitlines()) == 3
    assert "1 more" in done.err


def test_history__undo(call: Call) -> None:
    shapes.write_yolo(Path("yolo"), 3)
    call("import", "shapes", "yolo")
    (change,) = call("history", "shapes", "--json").data

    done = call("history", "shapes", "--undo", str(change["id"]))

    assert done.out == f"Undid change {change['id']}: 3 labels.\n"
    assert call("fields", "shapes", "--json").data[0]["labels"] == 0
    assert "undone by" in call("history", "shapes").out


def test_history__undo_of_another_project(call: Call) -> None:
    shapes.write_yolo(Path("yolo"), 1)
    call("import", "shapes", "yolo")
    call("projects", "create", "other")

    assert "There is no change '1'" in call("history", "other", "--undo", "1", code=3).err


@pytest.mark.parametrize("command", ["images", "fields", "history", "export", "train", "evaluate"])
def test_project__unknown(call: Call, command: str) -> None:
    call("projects", "create", "shapes")
    more = {"export": ["--out", "x.json"], "evaluate": ["--field", "a"]}.get(command, [])

    assert "There is no project 'shape'. There are: shapes." in call(command, "shape", *more, code=3).err


def test_import__wrong_path_makes_no_project(call: Call) -> None:
    call("projects", "create", "shapes")

    call("import", "other", "nowhere", code=2)

    assert [item["name"] for item in call("projects", "--json").data] == ["shapes"]


def test_import__labels_of_no_image(call: Call) -> None:
    Path("truth.json").write_text(json.dumps(shapes.coco_of([0, 7])))

    done = call("import", "shapes", "truth.json", code=2)

    assert "None of the images that the labels name was found." in done.err
    assert "2 images not found" in done.out
