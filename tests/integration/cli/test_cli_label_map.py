"""``countersign label-map``, and the options of ``run`` that say how it comes to its labels."""

from __future__ import annotations

from pathlib import Path

import pytest

import shapes
from countersign.runs import executors
from countersign.store import label_maps, projects
from countersign.workbench.workspace import open_workspace
from shapes import Call


@pytest.fixture(autouse=True)
def _runs_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(executors._executors, "processes", executors.Inline)


@pytest.fixture
def project(call: Call) -> Call:
    shapes.write_yolo(Path("yolo"), 6, labelled=2)
    call("import", "shapes", "yolo")
    return call


def counts(call: Call, run: str) -> dict[str, int]:
    found = call("stats", run, "--json").data
    return {item["class_name"]: item["total"] for item in found.get("classes", found)}


def test_label_map__is_suggested_kept_used_and_cleared(project: Call) -> None:
    shown = project("label-map", "shapes", "bright:shapes")
    assert "square" in shown.out
    assert "nothing is kept" in shown.err
    assert project("label-map", "shapes", "bright:shapes", "--json").data["kept"] is False

    kept = project("label-map", "shapes", "bright:shapes", "--map", "square=block", "--map", "bar", "--json").data
    assert kept == {"model": "bright:shapes", "classes": {"bar": "", "square": "block"}, "kept": True}
    assert "(left out)" in project("label-map", "shapes", "bright:shapes").out
    project("run", "shapes", "--model", "bright:shapes", "--field", "mapped", "--quiet")
    assert counts(project, "mapped") == {"block": 3}

    project("label-map", "shapes", "bright:shapes", "--clear")
    project("run", "shapes", "--model", "bright:shapes", "--field", "plain", "--quiet")
    assert counts(project, "plain") == {"bar": 3, "square": 3}


def test_label_map__of_classes_that_the_model_no_longer_has(project: Call) -> None:
    def keep(label_map: dict[str, str]) -> None:
        with open_workspace(Path("..") / "workspace") as workspace, workspace.store.write() as c:
            label_maps.put(c, projects.get(c, "shapes").id, "bright:shapes", label_map)

    keep({"square": "block", "circle": "ring"})
    assert project("label-map", "shapes", "bright:shapes", "--json").data["classes"] == {"square": "block"}
    project("run", "shapes", "--model", "bright:shapes", "--field", "mapped", "--quiet")
    assert counts(project, "mapped") == {"bar": 3, "block": 3}
    project("label-map", "shapes", "bright:shapes", "--map", "bar=")

    keep({"circle": "ring"})
    assert project("label-map", "shapes", "bright:shapes", "--json").data["kept"] is False
    project("run", "shapes", "--model", "bright:shapes", "--field", "plain", "--quiet")
    assert counts(project, "plain") == {"bar": 3, "square": 3}
    given = ["--map", "circle=ring", "--quiet"]
    done = project("run", "shapes", "--model", "bright:shapes", "--field", "g", *given, code=6)
    assert "names circle" in done.err


def test_label_map__unknown_class(project: Call) -> None:
    assert "does not know moon" in project("label-map", "shapes", "bright:shapes", "--map", "moon=sun", code=2).err
    assert "goes with no other" in project("label-map", "shapes", "bright:shapes", "--clear", "--keep", code=2).err


def test_run__map_of_its_own_from_a_file(project: Call) -> None:
    Path("map.txt").write_text("square = block\n\nbar=\n")
    project("run", "shapes", "--model", "bright:shapes", "--field", "f", "--map", "map.txt", "--quiet")
    assert counts(project, "f") == {"block": 3}


@pytest.mark.parametrize(
    ("options", "code", "said"),
    [
        (["--method", "two-stage"], 2, "needs a second model"),
        (["--method", "existing"], 2, "needs their field"),
        (["--method", "existing", "--boxes", "ground_truth"], 6, "cannot do instance segmentation from boxes"),
        (["--method", "two-stage", "--refiner", "bright:shapes"], 6, "cannot do instance segmentation from boxes"),
        (["--task", "pose"], 6, "does not do pose"),
        (["--prompt", "=x"], 2, "a prompt needs some text"),
    ],
)
def test_run__what_does_not_fit(project: Call, options: list[str], code: int, said: str) -> None:
    done = project("run", "shapes", "--model", "bright:shapes", "--field", "f", *options, code=code)
    assert said in done.err
    assert project("runs", "shapes", "--json").data == []
