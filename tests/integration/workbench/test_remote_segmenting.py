"""Clicks on images, answered by models behind URLs: over our contract, and by an interactor of CVAT."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import shapes
import tiny_checkpoints
from countersign.domain.errors import ModelError
from countersign.domain.geometry import Box
from countersign.domain.label import Origin
from countersign.domain.mask import decode
from countersign.models import catalogue, registry
from countersign.models.contract import Clicks, PromptSegmenter
from countersign.workbench.project import Project
from countersign.workbench.workspace import Workspace
from model_servers import Asked, Reply, serving
from served_models import served

TWO = [(20.0, 20.0), (1.0, 1.0, False)]


@pytest.fixture
def pictures(project: Project, tmp_path: Path) -> Project:
    shapes.draw(tmp_path / "pictures", 1)
    project.import_images(tmp_path / "pictures")
    return project


def test_segment__over_the_contract(opened: Workspace, pictures: Project, pytestconfig: pytest.Config) -> None:
    card = catalogue.find("sam2.1-tiny")
    assert card is not None
    sam = registry.open_any(str(tiny_checkpoints.checkpoint(card, Path(pytestconfig.cache.mkdir("tiny")))))
    assert isinstance(sam, PromptSegmenter)
    with served("sam", lambda: sam) as url:
        opened.models.remote.add("sam", url)
        one = pictures.segment("0.png", points=TWO[:1], model="remote:sam")
        two = pictures.segment("0.png", points=TWO, box=Box(3, 4, 30, 30), model="remote:sam", outline=True)
    encoded = sam.encode(shapes.pixels(0))
    asked = [Clicks(((20.0, 20.0),), (True,)), Clicks(((20.0, 20.0), (1.0, 1.0)), (True, False), Box(3, 4, 30, 30))]
    for found, expected in zip((one, two), sam.segment(encoded, asked), strict=True):
        assert found.mask is not None
        assert np.array_equal(decode(found.mask), expected.mask)
        assert found.confidence == pytest.approx(expected.confidence)
    assert two.outline is not None
    assert (one.provenance.origin, one.provenance.model) == (Origin.PERSON, "remote:sam")


def test_segment__by_an_interactor_of_cvat(opened: Workspace, pictures: Project) -> None:
    asked: list[dict[str, object]] = []

    def fill(request: Asked) -> Reply:
        asked.append(json.loads(request.body))
        return Reply(json.dumps([[4, 8], [24, 8], [24, 32], [4, 32]]).encode())

    with serving(fill) as server:
        opened.models.remote.add("cut", server.url, contract="cvat", tasks=["prompted_segmentation"])
        cut = pictures.segment("0.png", points=TWO, model="remote:cut", outline=True)
    assert (asked[-1]["pos_points"], asked[-1]["neg_points"]) == ([[20, 20]], [[1, 1]])
    assert cut.mask is not None
    assert (cut.mask.bounds, cut.confidence) == ((4, 8, 20, 24), None)
    assert cut.outline is not None
    assert cut.outline.bounds == (4, 8, 20, 24)


def test_segment__a_server_that_is_gone(opened: Workspace, pictures: Project) -> None:
    with serving(lambda _: Reply(b"[]")) as server:
        opened.models.remote.add("cut", server.url, contract="cvat", tasks=["prompted_segmentation"], retries=0)
    with pytest.raises(ModelError, match=r"127\.0\.0\.1"):
        pictures.segment("0.png", points=TWO, model="remote:cut")
