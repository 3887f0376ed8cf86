"""The class lists here against those of the installed libraries."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import yaml

from countersign.models import vocabularies


def test_torchvision() -> None:
    from torchvision.models import _meta

    assert vocabularies.lines("imagenet") == tuple(_meta._IMAGENET_CATEGORIES)
    assert vocabularies.coco_91() == tuple(
        "" if name in ("__background__", "N/A") else name for name in _meta._COCO_CATEGORIES
    )
    assert vocabularies.coco() == tuple(name for name in vocabularies.coco_91() if name)
    assert vocabularies.voc() == tuple(_meta._VOC_CATEGORIES[1:])
    assert vocabularies.coco_keypoints() == tuple(_meta._COCO_PERSON_KEYPOINT_NAMES)
    assert len(vocabularies.coco()) == 80


def test_torchvision__cityscapes() -> None:
    from torchvision.datasets import Cityscapes

    trained = {item.train_id: item.name for item in Cityscapes.classes if 0 <= item.train_id < 255}
    assert vocabularies.cityscapes() == tuple(trained[i] for i in range(19))


def test_ultralytics__ade20k() -> None:
    spec = importlib.util.find_spec("ultralytics")  # found, not imported: its code does not belong in this process
    if spec is None or spec.origin is None:
        pytest.skip("ultralytics is not installed")
    listed = yaml.safe_load((Path(spec.origin).parent / "cfg/datasets/ade20k.yaml").read_text())["names"]
    spelt = {"conveyor belt": "conveyer belt"}  # the data set spells it with an e
    assert vocabularies.ade20k() == tuple(spelt.get(listed[i], listed[i]) for i in range(150))


def test_timm() -> None:
    from timm.data import ImageNetInfo

    info = ImageNetInfo("imagenet-1k")
    lemmas = tuple(info.index_to_description(i) for i in range(1000))
    assert vocabularies.lines("imagenet_lemmas") == lemmas


def test_each_name_once() -> None:
    for names in (
        vocabularies.imagenet(),
        vocabularies.imagenet_lemmas(),
        vocabularies.coco(),
        vocabularies.voc(),
        vocabularies.ade20k(),
    ):
        assert len(set(names)) == len(names)
    assert "crane" in vocabularies.imagenet_lemmas()
    assert "crane (2)" in vocabularies.imagenet_lemmas()


def test_skeleton__joins_points_that_exist() -> None:
    count = len(vocabularies.coco_keypoints())
    assert all(0 <= first < count and 0 <= second < count for first, second in vocabularies.COCO_SKELETON)


def test_as_coco__one_spelling() -> None:
    names = ["sofa" if name == "couch" else name for name in vocabularies.coco_91()]
    assert vocabularies.as_coco(names) == vocabularies.coco_91()
    assert vocabularies.as_coco(["sofa", "chair"]) == ("sofa", "chair")
