"""Folders of classes, with and without splits."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image as Pillow

from countersign import formats
from countersign.domain.errors import FormatError
from countersign.domain.image import Image
from countersign.domain.label import Label, LabelClass
from countersign.formats import FoundImage, ImportReport, ReadOptions, WriteOptions, class_folders


def read(path: Path, **settings: Any) -> tuple[list[FoundImage], ImportReport]:
    report, options = ImportReport(), ReadOptions(settings=settings)
    return list(formats.read(path, format="class-folders", report=report, options=options)), report


def pictures(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        Pillow.new("RGB", (20, 10)).save(root / name)
    return root


def test_hymenoptera(data_dir: Callable[[str], Path]) -> None:
    root = data_dir("hymenoptera")
    assert formats.detect(root).name == "class-folders"
    found, report = read(root)
    assert len(found) == 92
    assert Counter(label.class_name for image in found for label in image.labels) == {"ants": 47, "bees": 45}
    assert Counter(image.split for image in found) == {"val": 90, "train": 2}
    assert {image.path.suffix for image in found if image.path} == {".jpg", ".jpeg", ".gif"}
    assert report.count(reason=class_folders.OTHER_FILES) == 1  # SOURCE.txt


def test_imagenet_subsets__deeper_folders_and_images_without_a_class(data_dir: Callable[[str], Path]) -> None:
    found, report = read(data_dir("formats_datumaro") / "imagenet_subsets_dataset")
    assert Counter(image.split for image in found) == {"train": 4, "val": 4, "test": 4}
    assert Counter(label.class_name for image in found for label in image.labels) == {"label_0": 3, "label_1": 6}
    assert report.count(reason=class_folders.NO_CLASS) == 3


def test_empty_classes_other_files_and_nested_classes(tmp_path: Path) -> None:
    root = pictures(tmp_path, "cat/a.jpg", "dog/small/b.jpg")
    (root / "bird").mkdir()
    (root / "cat/notes.md").write_text("x")
    found, report = read(root)
    assert [item.name for item in report.classes] == ["bird", "cat", "dog"]
    assert [(image.name, image.labels[0].class_name) for image in found] == [("a.jpg", "cat"), ("small/b.jpg", "dog")]
    assert report.count(reason=class_folders.OTHER_FILES) == 1
    found, _ = read(root, nested="path")
    assert [label.class_name for image in found for label in image.labels] == ["cat", "dog/small"]


def test_names_that_occur_twice_keep_their_folders(tmp_path: Path) -> None:
    found, _ = read(pictures(tmp_path, "cat/1.jpg", "dog/1.jpg"))
    assert [image.name for image in found] == ["cat/1.jpg", "dog/1.jpg"]


def test_splits_of_other_names(tmp_path: Path) -> None:
    root = pictures(tmp_path, "fold1/cat/1.jpg", "fold2/dog/2.jpg")
    found, _ = read(root, split_level="yes")
    assert [(image.split, image.labels[0].class_name) for image in found] == [("fold1", "cat"), ("fold2", "dog")]


@pytest.mark.parametrize("name", ["nuclei_dsb2018", "coco_mval62", "coco128_seg", "bccd", "ships_yolo"])
def test_other_formats_are_not_taken_for_classes(data_dir: Callable[[str], Path], name: str) -> None:
    assert formats.get("class-folders").reader.detect(data_dir(name)).confidence == 0  # type: ignore[union-attr]


def made(root: Path, *items: tuple[str, str, str]) -> list[tuple[Image, list[Label]]]:
    pictures(root, *(name for name, _, _ in items))
    return [
        (Image(number, 1, name, str(root / name), f"{number:064x}", 20, 10, split=split), [Label(label)])
        for number, (name, split, label) in enumerate(items, 1)
    ]


def test_splits_survive(tmp_path: Path) -> None:
    images = made(tmp_path / "in", ("x/1.jpg", "train", "a"), ("1.png", "val", "b/c"), ("1.jpg", "test", "a"))
    report = formats.write("class-folders", images, [LabelClass("a"), LabelClass("b/c")], tmp_path / "out")
    assert [reason for _, reason in report.counts] == [class_folders.RENAMED_CLASS]
    found, _ = read(tmp_path / "out")
    assert {(image.name, image.split, image.labels[0].class_name) for image in found} == {
        ("x/1.jpg", "train", "a"),
        ("1.png", "val", "b_c"),
        ("1.jpg", "test", "a"),
    }
    assert (tmp_path / "out/val/a").is_dir()  # training tools number the classes by these folders


@pytest.mark.parametrize(("how", "link"), [("link", True), ("copy", False)])
def test_links_and_copies(how: str, link: bool, tmp_path: Path) -> None:
    images = made(tmp_path / "in", ("1.jpg", "", "a"))
    formats.write("class-folders", images, [LabelClass("a")], tmp_path / "out", options=WriteOptions({"images": how}))
    target = tmp_path / "out/a/1.jpg"
    assert target.is_symlink() is link
    assert target.read_bytes() == (tmp_path / "in/1.jpg").read_bytes()


def test_an_image_that_is_gone_and_one_without_a_split(tmp_path: Path) -> None:
    images = made(tmp_path / "in", ("1.jpg", "", "a"), ("2.jpg", "val", "a"))
    (tmp_path / "in/2.jpg").unlink()
    report = formats.write("class-folders", images, [LabelClass("a")], tmp_path / "out")
    assert {reason for _, reason in report.counts} == {class_folders.NO_SPLIT, class_folders.NOT_WRITTEN}


def test_exporting_into_a_folder_of_images_is_refused(tmp_path: Path) -> None:
    images = made(tmp_path / "in", ("a/1.jpg", "", "a"))
    with pytest.raises(FormatError, match="not empty"):
        formats.write("class-folders", images, [LabelClass("a")], tmp_path / "in")
    formats.write(
        "class-folders", images, [LabelClass("a")], tmp_path / "in", options=WriteOptions({"overwrite": True})
    )
    assert not (tmp_path / "in/a/1.jpg").is_symlink()
