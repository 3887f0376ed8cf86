"""Objects cut out over HTTP by pointing at them; the label made of one is a person's and names the model."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from serving_setup import Served

import countersign
import shapes
from countersign.client import Workspace
from countersign.domain.errors import InvalidInput, ModelError, NotFound
from countersign.domain.geometry import Box, Mask
from countersign.domain.label import Label, Origin
from countersign.domain.mask import area
from countersign.workbench.as_json import to_geometry

MODEL = "bright:shapes"
ON, OFF = {"x": 10, "y": 10}, {"x": 60, "y": 44}  # the square of picture 0 lies at 4, 5 to 20, 21


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry for every time that the model looks at an image."""
    seen: list[int] = []
    look = shapes.BrightModel.encode

    def counted(self: shapes.BrightModel, image: Any) -> Any:
        seen.append(1)
        return look(self, image)

    monkeypatch.setattr(shapes.BrightModel, "encode", counted)
    return seen


@pytest.fixture
def client(predicting: Served) -> Iterator[Workspace]:
    with countersign.connect(predicting.url, predicting.token, user="anna") as workspace:
        yield workspace


def _image(served: Served, name: str = "0.png") -> int:
    return served.workspace.project("shapes").images([name])[0].id


def _mask(found: dict[str, Any]) -> Mask:
    mask = to_geometry(found["mask"])
    assert isinstance(mask, Mask)
    return mask


def test_clicks__one_look_for_all(predicting: Served, looks: list[int]) -> None:
    url = f"/images/{_image(predicting)}/segment"
    first = predicting.post(url, {"model": MODEL, "points": [ON], "outline": True})
    assert (first["looked"], first["confidence"], first["segmented_by"]["model"]) == (True, 0.9, MODEL)
    assert area(_mask(first)) == 16 * 16
    assert to_geometry(first["outline"]).bounds == (4, 5, 16, 16)  # type: ignore[union-attr]
    second = predicting.post(url, {"model": MODEL, "points": [ON, {"x": 10, "y": 13, "include": False}]})
    assert (second["looked"], second["outline"]) == (False, None)
    assert area(_mask(second)) == 16 * 8
    box = {"type": "box", "x": 4, "y": 5, "width": 3, "height": 100}
    assert area(_mask(predicting.post(url, {"model": MODEL, "box": box}))) == 3 * 16
    assert predicting.post(url, {"model": MODEL, "points": [OFF]})["mask"] is None
    assert len(looks) == 1
    another = f"/images/{_image(predicting, '1.png')}/segment"
    assert predicting.post(f"{another}/look", {"model": MODEL})["looked"]
    assert not predicting.post(f"{another}/look", {"model": MODEL})["looked"]
    assert not predicting.post(another, {"model": MODEL, "points": [OFF]})["looked"]
    assert len(looks) == 2


def test_clicks__what_is_wrong(predicting: Served) -> None:
    url = f"/images/{_image(predicting)}/segment"
    assert "Nothing was pointed at" in predicting.post(url, {"model": MODEL}, 422)["detail"]
    assert "not on the image" in predicting.post(url, {"model": MODEL, "points": [{"x": 65, "y": 3}]}, 422)["detail"]
    assert predicting.post(url, {"model": "nothing", "points": [ON]}, 404)["kind"] == "NotFound"
    assert predicting.post("/images/9999/segment", {"model": MODEL, "points": [ON]}, 404)["kind"] == "NotFound"
    blind = {"model": "timm:resnet18?weights=random", "points": [ON]}
    assert "cuts out nothing" in predicting.post(url, blind, 422)["detail"]
    assert "cuts out nothing" in predicting.post(f"{url}/look", {"model": blind["model"]}, 422)["detail"]


def test_label__a_person_made_it_with_a_model(predicting: Served) -> None:
    image = _image(predicting)
    cut = predicting.post(f"/images/{image}/segment", {"model": MODEL, "points": [ON]})
    by = cut["segmented_by"] | {"version": "2", "weights_hash": "ab"}
    new = {"class_name": "square", "geometry": cut["mask"], "made_with": by}
    made = predicting.post(f"/images/{image}/labels", {"field": "cut", "labels": [new]}, 201)["items"][0]
    assert (made["origin"], made["model"], made["confidence"], made["verified_how"]) == ("person", MODEL, None, None)
    told = predicting.get(f"/labels/{made['id']}")["provenance"]
    assert (told["source"], told["model_version"], told["weights_hash"]) == ("anna", "2", "ab")


def test_label__a_box_becomes_a_mask_and_back(predicting: Served) -> None:
    image = _image(predicting)
    box = {"type": "box", "x": 4.0, "y": 5.0, "width": 16.0, "height": 16.0}
    new = {"class_name": "square", "geometry": box}
    drawn = predicting.post(f"/images/{image}/labels", {"field": "cut", "labels": [new]}, 201)["items"][0]
    cut = predicting.post(f"/images/{image}/segment", {"model": MODEL, "box": box})
    change = {"geometry": cut["mask"], "made_with": cut["segmented_by"]}
    masked = predicting.patch(f"/labels/{drawn['id']}", change)
    assert (masked["geometry"]["type"], masked["origin"], masked["model"]) == ("mask", "person", MODEL)
    back = predicting.patch(f"/labels/{drawn['id']}", {"geometry": box, "made_with": None})
    assert (back["geometry"], back["origin"], back["model"]) == (box, "person", "")
    assert predicting.get(f"/labels/{drawn['id']}")["provenance"]["source"] == "anna"


def test_label__what_a_model_made_keeps_its_own(predicting: Served) -> None:
    image = _image(predicting)
    box = {"type": "box", "x": 4, "y": 5, "width": 16, "height": 16}
    new = {"class_name": "square", "geometry": box, "confidence": 0.5, "predicted_by": {"model": "finder"}}
    found = predicting.post(f"/images/{image}/labels", {"field": "cut", "labels": [new]}, 201)["items"][0]
    cut = predicting.post(f"/images/{image}/segment", {"model": MODEL, "box": box})
    change = {"geometry": cut["mask"], "made_with": cut["segmented_by"]}
    masked = predicting.patch(f"/labels/{found['id']}", change)
    assert (masked["origin"], masked["model"], masked["verified_how"]) == ("model", "finder", "edited")


def test_client__as_in_this_process(predicting: Served, client: Workspace) -> None:
    here, there = predicting.workspace.project("shapes"), client.project("shapes")
    for asked in (
        {"points": [(10, 10)]},
        {"points": [(10, 10, True), (10, 13, False)], "outline": True},
        {"box": Box(0, 0, 10, 10)},
        {"points": [(60, 44)]},
    ):
        assert there.segment("0.png", model=MODEL, **asked) == here.segment("0.png", model=MODEL, **asked)  # type: ignore[arg-type]
    for project in (here, there):
        cut = project.segment(_image(predicting), points=[(10, 10)], model=MODEL)
        assert cut.provenance.origin is Origin.PERSON
        project.add_labels({"0.png": [Label("square", cut.mask, provenance=cut.provenance)]}, field="cut")
        with pytest.raises(NotFound):
            project.segment("none.png", points=[(10, 10)], model=MODEL)
        with pytest.raises(InvalidInput, match="Nothing was pointed at"):
            project.segment("0.png", model=MODEL)
        with pytest.raises(InvalidInput, match="A point is"):
            project.segment("0.png", points=[(1,)], model=MODEL)  # type: ignore[list-item]
        with pytest.raises(ModelError, match="cuts out nothing"):
            project.segment("0.png", points=[(10, 10)], model="timm:resnet18?weights=random")
    made = predicting.workspace.project("shapes").labels("cut")["images/train/0.png"]
    assert {(item.provenance.origin, item.provenance.model) for item in made if item.provenance} == {
        (Origin.PERSON, MODEL)
    }
