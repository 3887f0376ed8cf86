"""The class lists here against those of the installed libraries."""

from __future__ import annotations

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


def test_timm() -> None:
    from timm.data import ImageNetInfo

    info = ImageNetInfo("imagenet-1k")
    lemmas = tuple(info.index_to_description(i) for i in range(1000))
    assert vocabularies.lines("imagenet_lemmas") == lemmas


def test_each_name_once() -> None:
    for names in (vocabularies.imagenet(), vocabularies.imagenet_lemmas(), vocabularies.coco(), vocabularies.voc()):
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
