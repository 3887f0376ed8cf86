"""The main job on real pictures, with real worker processes: what the first hour of a user is."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from shapes import Call


def test_import__blood_smears(call: Call, data_dir: Callable[[str], Path]) -> None:
    folder = data_dir("bccd")

    done = call("import", "cells", folder, "--json").data

    assert (done["images"]["added"], done["labels"]["labels"]) == (364, 4886)  # 4,888 of which two have no size
    names = folder / "BCCD/ImageSets/Main/test.txt"
    assert call("images", "cells", "--images", names, "--count").out == "72\n"
    again = call("import", "cells", folder, "--json").data
    assert (again["images"]["known"], again["labels"]["labels"], again["labels"]["duplicates"]) == (364, 0, 4886)


@pytest.mark.slow
def test_main_job__blood_smears(call: Call, data_dir: Callable[[str], Path]) -> None:
    folder = data_dir("bccd")
    names = folder / "BCCD/ImageSets/Main"
    Path("twenty.txt").write_text("\n".join((names / "trainval.txt").read_text().split()[:20]))
    Path("five.txt").write_text("\n".join((names / "test.txt").read_text().split()[:5]))
    call("import", "cells", folder)

    taught = call("train", "cells", "--images", "twenty.txt", "--budget", "5", "--json").data
    run = call("run", "cells", "--model", "cells-1", "--field", "auto1", "--images", "five.txt", "--json").data
    counted = call("stats", "auto1", "--json").data["classes"]
    promoted = call("promote", "auto1", "--json").data
    approved = call("approve", "auto1", "--into", "checked", "--json").data
    call("export", "cells", "--field", "checked", "--images", "five.txt", "--out", "out.json")
    scores = call("evaluate", "cells", "--field", "auto1", "--images", "five.txt", "--json").data

    assert set(taught["card"]["classes"]) == {"RBC", "WBC", "Platelets"}
    assert (run["state"], run["done"], run["failed"]) == ("in_review", 5, 0)
    assert sum(item["current"] for item in counted) == run["labels"] == promoted["count"] == approved["count"]
    assert len(json.loads(Path("out.json").read_text())["annotations"]) == run["labels"]
    assert scores["images"] == 5
