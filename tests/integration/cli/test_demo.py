import json

import pytest

from countersign.cli.main import main
from countersign.workbench import demo, demo_images


@pytest.mark.slow
def test_demo__does_the_whole_job_and_scores_it(tmp_path, capsys):
    out = tmp_path / "demo"
    assert main(["demo", "--out", str(out), "--images", "24", "--budget", "4", "--json", "--quiet"]) == 0
    result = json.loads(capsys.readouterr().out)
    score = result["score"]
    assert score["truth"] > 0
    assert score["drawn"] > 0
    assert 0 <= score["missing"] <= score["truth"]
    exported = json.loads((out / "cells.json").read_text())
    assert len(exported["annotations"]) == score["drawn"] + score["approved"]
    assert len(exported["images"]) == 24


def test_demo__leaves_a_folder_alone_that_is_not_its_own(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("years of work")
    assert main(["demo", "--out", str(tmp_path)]) == 4
    assert "is not empty" in capsys.readouterr().err
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_prepare__spreads_what_is_taught_and_makes_its_own_folder_anew(tmp_path):
    settings = demo.Settings(images=20, labelled=5)
    made = demo.prepare(tmp_path / "demo", settings)
    again = demo.prepare(tmp_path / "demo", settings)
    assert made == again
    assert len(made.taught) == 5
    taught = json.loads(made.teacher.read_text())
    assert [image["file_name"] for image in taught["images"]] == list(made.taught)
    assert {item["name"] for item in taught["categories"]} == set(demo_images.CLASSES)
