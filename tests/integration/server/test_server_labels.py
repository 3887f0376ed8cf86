"""Editing labels over HTTP: one by one, in batches, by two people at once."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from serving_setup import Served

BOX = {"type": "box", "x": 3.0, "y": 4.0, "width": 10.0, "height": 8.0}
GEOMETRIES: list[dict[str, Any] | None] = [
    None,
    BOX,
    {"type": "polygon", "rings": [[1.0, 1.0, 30.0, 2.5, 20.0, 30.0]], "holes": [[5.0, 5.0, 9.0, 5.0, 9.0, 9.0]]},
    {"type": "ellipse", "cx": 20.0, "cy": 20.0, "rx": 8.0, "ry": 4.0, "angle": 30.0},
    {"type": "mask", "width": 64, "height": 48, "counts": "Z9:^1G1000I8N1001O0000O1005GgN0[T2"},
    {"type": "keypoints", "points": [1.0, 2.0, 2.0, 5.0, 6.0, 1.0], "box": None},
]


def batch(served: Served, *operations: dict[str, Any], key: str = "") -> dict[str, Any]:
    body = {"key": key or uuid.uuid4().hex, "operations": list(operations)}
    found: dict[str, Any] = served.post(f"/projects/{served.project}/labels/batch", body)
    return found


def create(image_id: int, client_id: str = "a", **label: Any) -> dict[str, Any]:
    given = {"class_name": "cell", "geometry": BOX} | label
    return {"op": "create", "client_id": client_id, "image_id": image_id, "label": given}


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=lambda value: value["type"] if value else "none")
def test_geometry_comes_back(served: Served, geometry: dict[str, Any] | None) -> None:
    made = served.post("/images/7/labels", {"labels": [{"class_name": "cell", "geometry": geometry}]}, 201)["items"][0]
    assert made["geometry"] == geometry
    assert made["origin"] == "person"
    assert made["state"] == "verified"
    assert served.get(f"/labels/{made['id']}")["label"] == made
    found = served.get("/images/7/labels", labels="ground_truth")["items"]
    assert found == [made]


def test_second_editor_is_told(served: Served) -> None:
    seen = served.get("/labels/1")["label"]
    first = served.patch("/labels/1", {"class_name": "bar", "expected_version": seen["version"]})
    assert first["version"] > seen["version"]
    problem = served.patch("/labels/1", {"class_name": "disc", "expected_version": seen["version"]}, 409)
    assert problem["kind"] == "Outdated"
    assert problem["current"] == first
    assert problem["by"] == "anna"
    assert "anna" in problem["detail"]
    served.delete("/labels/1", 409, expected_version=seen["version"])
    served.delete("/labels/1", expected_version=first["version"])
    gone = served.patch("/labels/1", {"class_name": "disc"}, 409)
    assert (gone["kind"], gone["current"], gone["by"]) == ("Outdated", None, "anna")
    served.get("/labels/1", 404)


def test_history_of_label(served: Served) -> None:
    served.patch("/labels/1", {"geometry": BOX, "attributes": {"difficult": True}})
    found = served.get("/labels/1")
    assert [item["change"]["verb"] for item in found["history"]] == ["import", "edit"]
    assert found["history"][1]["before"]["geometry"] != BOX
    assert found["history"][1]["after"]["geometry"] == BOX
    assert found["provenance"]["origin"] == "import"


def test_batch_does_what_it_says(served: Served) -> None:
    done = batch(
        served,
        create(7),
        create(8, "b"),
        {"op": "update", "client_id": "a", "change": {"class_name": "nucleus"}},
        {"op": "delete", "client_id": "b"},
        {"op": "update", "label_id": 2, "change": {"geometry": None}},
        {"op": "delete", "label_id": 3},
    )
    assert [item["status"] for item in done["results"]] == ["done"] * 6
    label = served.get("/images/7/labels")["items"][0]
    assert label["class_name"] == "nucleus"
    assert label["id"] == done["results"][0]["label_id"]
    assert served.get("/images/8/labels")["items"] == []
    assert served.get("/labels/2")["label"]["geometry"] is None
    served.get("/labels/3", 404)
    verbs = [change["verb"] for change in served.get(f"/projects/{served.project}/changes")["items"]]
    assert sorted(verbs[:3]) == ["create", "delete", "edit"]


def test_batch_sent_twice_is_done_once(served: Served) -> None:
    first = batch(served, create(7), create(7, "b", geometry={"type": "mask", "width": 9, "height": 9, "counts": "a"}),
                  key="once-and-only")  # fmt: skip
    again = batch(served, create(7), create(7, "b", geometry={"type": "mask", "width": 9, "height": 9, "counts": "a"}),
                  key="once-and-only")  # fmt: skip
    assert again["replayed"]
    assert not first["replayed"]
    assert again["results"] == first["results"]
    assert [item["status"] for item in first["results"]] == ["done", "refused"]
    assert len(served.get("/images/7/labels")["items"]) == 1
    other = {"key": "once-and-only", "operations": [create(8)]}
    assert served.post(f"/projects/{served.project}/labels/batch", other, 409)["kind"] == "Conflict"


def test_batch_leaves_out_what_is_outdated(served: Served) -> None:
    seen = served.get("/labels/1")["label"]["version"]
    served.patch("/labels/1", {"class_name": "bar"})
    done = batch(
        served,
        {"op": "update", "label_id": 1, "change": {"class_name": "mine", "expected_version": seen}},
        {"op": "delete", "label_id": 2, "expected_version": 999_999},
        create(9),
        {"op": "delete", "label_id": 4_000_000},
        {"op": "update", "client_id": "nobody", "change": {"class_name": "x"}},
    )
    assert [item["status"] for item in done["results"]] == ["conflict", "conflict", "done", "refused", "refused"]
    assert done["results"][0]["label"]["class_name"] == "bar"
    assert done["results"][0]["problem"]["current"]["class_name"] == "bar"
    assert served.get("/labels/2")["label"]["id"] == 2
    assert len(done["change_ids"]) == 1


def test_several_edits_of_one_label_in_a_batch(served: Served) -> None:
    seen = served.get("/labels/1")["label"]["version"]
    steps = [{"type": "box", "x": float(x), "y": 1.0, "width": 5.0, "height": 5.0} for x in range(5)]
    done = batch(
        served,
        *({"op": "update", "label_id": 1, "change": {"geometry": step, "expected_version": seen}} for step in steps),
    )
    assert [item["status"] for item in done["results"]] == ["done"] * 5
    assert served.get("/labels/1")["label"]["geometry"] == steps[-1]
    change = served.get(f"/projects/{served.project}/changes")["items"][0]
    served.post(f"/projects/{served.project}/changes/{change['id']}/undo", status=201)
    assert served.get("/labels/1")["label"]["class_name"] == "square"


def test_many_labels_at_once(served: Served) -> None:
    done = batch(served, *(create(7 + number % 3, f"c{number}") for number in range(500)))
    ids = [item["label_id"] for item in done["results"]]
    assert len(set(ids)) == 500
    assert [item["label"]["image_id"] for item in done["results"]] == [7 + number % 3 for number in range(500)]
    assert len(done["change_ids"]) == 1


def test_label_of_another_project_is_not_found(served: Served) -> None:
    other = served.post("/projects", {"name": "other"}, 201)["id"]
    body = {"key": "12345678", "operations": [{"op": "delete", "label_id": 1}, create(1)]}
    found = served.post(f"/projects/{other}/labels/batch", body)
    assert [item["status"] for item in found["results"]] == ["refused", "refused"]
    assert served.get("/labels/1")["label"]["id"] == 1


def test_accepted_prediction_keeps_its_model(served: Served) -> None:
    by = {"model": "cells-1", "version": "1", "weights_hash": "abc", "min_confidence": 0.3}
    body = {"labels": [{"class_name": "cell", "geometry": BOX, "confidence": 0.8, "predicted_by": by}]}
    made = served.post("/images/7/labels", body, 201)["items"][0]
    assert (made["origin"], made["model"], made["confidence"]) == ("model", "cells-1", 0.8)
    assert (made["verified_by"], made["verified_how"]) == ("anna", "single")
    assert served.get(f"/labels/{made['id']}")["provenance"]["weights_hash"] == "abc"
    edited = served.patch(f"/labels/{made['id']}", {"class_name": "nucleus"})
    assert edited["verified_how"] == "edited"


def test_crop_changes_with_the_label(served: Served) -> None:
    version = served.get("/labels/1")["label"]["version"]
    first = served.http.get("/labels/1/crop", params={"size": 96, "v": version})
    assert first.headers["content-type"] == "image/jpeg"
    assert "immutable" in first.headers["cache-control"]
    tag = first.headers["etag"]
    assert served.http.get("/labels/1/crop", params={"size": 96}, headers={"if-none-match": tag}).status_code == 304
    served.patch("/labels/1", {"geometry": {"type": "box", "x": 30.0, "y": 20.0, "width": 20.0, "height": 20.0}})
    second = served.http.get("/labels/1/crop", params={"size": 96, "v": version}, headers={"if-none-match": tag})
    assert second.status_code == 200
    assert "immutable" not in second.headers["cache-control"]


def test_classes(served: Served) -> None:
    project = served.project
    made = served.post(f"/projects/{project}/classes", {"name": "person", "keypoint_names": ["nose", "tail"],
                                                       "skeleton": [[0, 1]]}, 201)  # fmt: skip
    assert made["color"].startswith("#")
    assert served.post(f"/projects/{project}/classes", {"name": "person"}, 409)["kind"] == "NameTaken"
    renamed = served.patch(f"/classes/{made['id']}", {"name": "human", "color": "#112233"})
    assert (renamed["name"], renamed["color"], renamed["skeleton"]) == ("human", "#112233", [[0, 1]])
    served.delete(f"/classes/{made['id']}")
    square = served.get(f"/projects/{project}/classes")["items"][0]
    assert square["labels"] == 3
    assert "3 labels" in served.delete(f"/classes/{square['id']}", 409)["detail"]


def test_class_in_history_stays(served: Served) -> None:
    served.patch("/labels/1", {"class_name": "once"})
    served.patch("/labels/1", {"class_name": "square"})
    once = next(item for item in served.get(f"/projects/{served.project}/classes")["items"] if item["name"] == "once")
    assert "history" in served.delete(f"/classes/{once['id']}", 409)["detail"]


def test_fields(served: Served) -> None:
    project = served.project
    assert served.get(f"/projects/{project}/fields/check", name="ground_truth")["free"] is False
    assert served.get(f"/projects/{project}/fields/check", name="1st")["free"] is False
    assert served.get(f"/projects/{project}/fields/check", name="second")["free"] is True
    made = served.post(f"/projects/{project}/fields", {"name": "second"}, 201)
    assert (made["labels"], made["closed"]) == (0, False)
    assert served.patch(f"/fields/{made['id']}", {"name": "third"})["name"] == "third"
    truth = served.get(f"/projects/{project}/fields")["items"][0]
    assert (truth["labels"], truth["images"], truth["kinds"]) == (6, 6, [{"name": "box", "count": 6}])
    served.post("/images/7/labels", {"labels": [{"class_name": "cell"}]}, 201)
    truth = served.get(f"/projects/{project}/fields")["items"][0]
    assert (truth["labels"], truth["images"]) == (7, 7)
    served.delete(f"/fields/{made['id']}")
    assert len(served.get(f"/projects/{project}/fields")["items"]) == 1
