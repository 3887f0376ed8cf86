"""Counts beside the filters: each under everything else that the query asks for."""

from __future__ import annotations

from typing import Any

from serving_setup import Served

BOX = {"type": "box", "x": 3.0, "y": 4.0, "width": 10.0, "height": 8.0}


def test_states_and_classes_follow_each_other(served: Served) -> None:
    served.post(f"/projects/{served.project}/fields", {"name": "mixed"}, 201)
    entries: list[dict[str, Any]] = [{"class_name": name, "geometry": BOX} for name in ("cell", "cell", "bar")]
    served.post("/images/7/labels", {"field": "mixed", "labels": entries}, 201)

    def counts(query: str) -> list[dict[str, int]]:
        found = served.get(f"/projects/{served.project}/images/facets", query=query, field="mixed")
        return [{each["name"]: each["count"] for each in found[key]} for key in ("classes", "states")]

    assert counts("field=mixed") == [{"bar": 1, "cell": 2}, {"verified": 3}]
    assert counts("field=mixed class=bar") == [{"bar": 1, "cell": 2}, {"verified": 1}]
    assert counts("field=mixed state=rejected") == [{"bar": 0, "cell": 0}, {"verified": 3}]
    assert counts("field=mixed confidence=0.5..") == [{"bar": 0, "cell": 0}, {"verified": 0}]
