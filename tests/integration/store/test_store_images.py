from __future__ import annotations

from pathlib import Path

import pytest
from store_samples import file, new_image, sample

from countersign.domain.errors import InvalidInput, NotFound
from countersign.domain.image import Image, ImageState
from countersign.domain.query import ImageQuery
from countersign.store import Store, images
from countersign.store.images import NewImage


def test_add(store: Store) -> None:
    with store.write() as c:
        s = sample(c, 0)
        result = images.add(c, s.project, [new_image(1, split="train", tags=("night", "new")), new_image(2)])
        assert (len(result.added), result.known, result.moved, result.duplicates) == (2, 0, 0, [])
        assert result.ids == result.added
    with store.read() as c:
        assert images.get(c, result.added[0]) == Image(
            result.added[0], s.project, "a/001.jpg", "/photos/a/001.jpg", f"{1:064x}", 640, 480, "JPEG", 3, "uint8",
            1001, ImageState.OK, "train", frozenset({"night", "new"}),
        )  # fmt: skip
        assert images.get(c, result.added[1]).tags == frozenset()
        assert images.known_files(c, s.project)["/photos/a/002.jpg"] == (1002, 7, f"{2:064x}")
        assert images.tags(c, s.project) == {"new": 1, "night": 1}
        assert images.splits(c, s.project) == {"": 1, "train": 1}
        with pytest.raises(NotFound, match="image"):
            images.get(c, 10**9)


def test_add__nothing(store: Store) -> None:
    with store.write() as c:
        s = sample(c, 0)
        assert images.add(c, s.project, []) == images.AddResult([], 0, 0, [], [])


def test_add__again_is_known(store: Store) -> None:
    with store.write() as c:
        s = sample(c, 3)
        again = images.add(c, s.project, [new_image(number, split="val", tags=("x",)) for number in range(4)])
        assert (len(again.added), again.known, again.moved, again.ids[:3]) == (1, 3, 0, s.images)
        assert images.splits(c, s.project) == {"val": 4}
        images.add(c, s.project, [new_image(0, split="test", tags=("x", "y"))])
        assert images.splits(c, s.project) == {"val": 4}
        assert images.tags(c, s.project) == {"x": 4, "y": 1}


def test_add__the_same_content_in_another_project(store: Store) -> None:
    with store.write() as c:
        assert len(sample(c, 3).images) == len(sample(c, 3, "other").images) == 3


def test_add__moved_and_duplicate_files(store: Store, tmp_path: Path) -> None:
    here, there = tmp_path / "here.jpg", tmp_path / "there.jpg"
    here.touch()
    there.touch()
    with store.write() as c:
        s = sample(c, 0)
        (image_id,) = images.add(c, s.project, [NewImage(file(1, path=str(here)), "here.jpg")]).added
        copy = NewImage(file(1, path=str(there)), "sub/there.jpg")
        twice = images.add(c, s.project, [copy])
        assert (twice.added, twice.known, twice.moved) == ([], 1, 0)
        assert twice.duplicates == [(str(there), "here.jpg")]
        assert images.get(c, image_id).path == str(here)
        here.unlink()
        moved = images.add(c, s.project, [copy, copy])
        assert (moved.added, moved.known, moved.moved, moved.duplicates) == ([], 2, 1, [])
        assert (images.get(c, image_id).path, images.get(c, image_id).name) == (str(there), "sub/there.jpg")
        assert images.ids(c, s.project, ImageQuery(names=("there",))) == [image_id]
        assert images.ids(c, s.project, ImageQuery(names=("here.jpg",))) == []


def test_add__twice_in_one_call(store: Store, tmp_path: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        (tmp_path / name).touch()
    with store.write() as c:
        s = sample(c, 0)
        both = images.add(c, s.project, [NewImage(file(1, path=str(tmp_path / n)), n) for n in ("a.jpg", "b.jpg")])
        assert (len(both.added), both.known, both.duplicates) == (1, 1, [(str(tmp_path / "b.jpg"), "a.jpg")])
        assert both.ids == both.added * 2


def test_add__a_replaced_file_and_one_that_comes_back(store: Store) -> None:
    with store.write() as c:
        s = sample(c, 2)
        changed = NewImage(file(9, path="/photos/a/000.jpg"), "a/000.jpg")
        (new,) = images.add(c, s.project, [changed]).added
        assert [image.state for image in images.page(c, s.project)] == [
            ImageState.MISSING,
            ImageState.OK,
            ImageState.OK,
        ]
        assert images.known_files(c, s.project)["/photos/a/000.jpg"][2] == f"{9:064x}"
        assert [image.id for image in images.by_name(c, s.project).find("a/000.jpg")] == [new]
        images.add(c, s.project, [new_image(0)])  # it was put back
        assert [image.id for image in images.page(c, s.project, ImageQuery(file=ImageState.MISSING))] == [new]


def test_by_name(store: Store) -> None:
    names = ("x/a.jpg", "y/a.jpg", "y/a.png", "b.tar.gz", "deep/in/c.jpg", "e.jpg")
    with store.write() as c:
        s = sample(c, 0)
        items = [NewImage(file(n, path=f"/data/{name}"), name) for n, name in enumerate(names)]
        ids = images.add(c, s.project, items).ids
        index = images.by_name(c, s.project)
    assert len(index) == len(list(index)) == 6
    found = {
        "x/a.jpg": ["x/a.jpg"],  # the name
        "/data/y/a.jpg": ["y/a.jpg"],  # the path
        "a.jpg": ["x/a.jpg", "y/a.jpg"],  # cannot be told
        "a.png": ["y/a.png"],
        "y/a": ["y/a.jpg", "y/a.png"],
        "x/a": ["x/a.jpg"],
        "/elsewhere/y/a.jpg": ["y/a.jpg"],
        "x/a.png": ["y/a.png"],  # the ending says more than the folder
        "a.bmp": ["x/a.jpg", "y/a.jpg", "y/a.png"],
        "b.tar": ["b.tar.gz"],
        "b": [],
        "c": ["deep/in/c.jpg"],
        "in\\c.jpg": ["deep/in/c.jpg"],
        "e.jpeg": ["e.jpg"],
        "nope": [],
        "": [],
    }
    assert {name: [image.name for image in index.find(name)] for name in found} == found
    (one,) = index.find("e")
    assert (one.id, one.width, one.height) == (ids[5], 640, 480)


def test_tags_and_splits__refuse(store: Store) -> None:
    with store.write() as c:
        s = sample(c, 2)
        with pytest.raises(InvalidInput, match="tag"):
            images.add_tags(c, s.images, [" x"])
        with pytest.raises(InvalidInput, match="split"):
            images.set_split(c, s.images, "a\nb")
        images.set_split(c, s.images, "val")
        images.set_split(c, s.images[:1], "")
        assert images.splits(c, s.project) == {"": 1, "val": 1}
        images.add_tags(c, [], ["x"])
        images.remove_tags(c, s.images, ["nope"])
        assert images.tags(c, s.project) == {}
