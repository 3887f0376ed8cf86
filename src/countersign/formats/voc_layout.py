"""Where a Pascal VOC data set keeps its parts: XML files, images, segmentation PNGs and the lists of its splits.

One walk through the folder sorts everything by name; no file is opened but the lists. A data set may be several levels
down (VOCdevkit/VOC2012), and several may be beside each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from countersign.formats import files
from countersign.formats.base import read_text
from countersign.formats.report import ImportReport
from countersign.imaging import ENDINGS

CLASS_LISTS = "lists of ImageSets that say which class is on which image (the labels say it) were not read"

_XML = frozenset(("annotations", "annotation", "xml", "xmls", "labels"))
_IMAGES = frozenset(("jpegimages", "images", "image", "imgs", "img", "pngimages"))
_CLASS = frozenset(("segmentationclass", "segmentationclasspng", "segmentationclassraw"))
_OBJECT = frozenset(("segmentationobject", "segmentationobjectpng"))
_EVERYTHING = frozenset(("all", "default"))  # lists that are no split


@dataclass(slots=True)
class Root:
    """One data set. Each map goes from a name without folder level and ending to the file (``/`` between folders)."""

    path: Path
    xml: dict[str, Path] = field(default_factory=dict)
    images: dict[str, tuple[str, Path]] = field(default_factory=dict)  # -> name with ending, file
    class_png: dict[str, Path] = field(default_factory=dict)
    object_png: dict[str, Path] = field(default_factory=dict)
    lists: list[tuple[str, Path]] = field(default_factory=list)
    by_name: dict[str, list[str]] = field(default_factory=dict)  # last part of an image's name -> its keys in images

    def image(self, key: str, filename: str) -> str | None:
        """The key of the image that an XML file of this name belongs to: its namesake, else the one it names."""
        if key in self.images:
            return key
        last = filename.rpartition("/")[2]
        for name in (filename, last):
            if name and files.stem(name) in self.images:
                return files.stem(name)
        many = self.by_name.get(last, []) or self.by_name.get(key.rpartition("/")[2], [])
        return many[0] if len(many) == 1 else None


def find(path: Path) -> list[Root]:
    """Find the data sets at or below a folder, or make one of a single XML file."""
    if path.is_file():
        root = Root(path.parent, xml={path.stem: path})
        for name in files.images_below(path.parent):
            _image(root, name, path.parent / name)
        return [root]
    roots: dict[str, Root] = {}
    for below, names in files.walk(path):
        parts = below.split("/") if below else []
        _sort(path, parts, names, roots)
    return _joined(path, [roots[key] for key in sorted(roots)])


def _sort(path: Path, parts: list[str], names: list[str], roots: dict[str, Root]) -> None:
    """Put the files of one folder where they belong."""
    lower = [part.lower() for part in parts]
    if any(part.endswith("visualization") for part in lower):
        return  # pictures that labelme's converters draw for people
    at = next((i for i, part in enumerate(lower) if part in _XML | _IMAGES | _CLASS | _OBJECT | {"imagesets"}), None)
    base = parts if at is None else parts[:at]
    kind = "" if at is None else lower[at]
    inner = [] if at is None else parts[at + 1 :]
    if kind == "imagesets" and len(parts) <= len(base) + 1:
        return
    root = roots.setdefault("/".join(base), Root(path.joinpath(*base)))
    folder = path.joinpath(*parts)
    for name in names:
        ending, key = files.ending(name), "/".join([*inner, files.stem(name)])
        if kind == "imagesets":
            if ending == ".txt":
                root.lists.append((inner[0].lower(), folder / name))
        elif kind in _CLASS | _OBJECT:
            if ending == ".png":
                (root.class_png if kind in _CLASS else root.object_png)[key] = folder / name
        elif ending == ".xml":
            root.xml[key] = folder / name
        elif ending in ENDINGS and kind not in _XML:
            _image(root, "/".join([*inner, name]), folder / name)


def _image(root: Root, name: str, path: Path) -> None:
    key = files.stem(name)
    if key not in root.images:
        root.images[key] = (name, path)
        last = name.rpartition("/")[2]
        for called in {last, files.stem(last)}:
            root.by_name.setdefault(called, []).append(key)


def _joined(path: Path, roots: list[Root]) -> list[Root]:
    """Drop folders without labels; their images serve a single data set that has none of its own."""
    labelled = [root for root in roots if root.xml or root.class_png or root.object_png or root.lists]
    if len(labelled) == 1 and not labelled[0].images:
        for root in roots:
            for name, file in root.images.values():
                _image(labelled[0], name, file)
    return labelled


def splits(root: Root, report: ImportReport) -> dict[str, str]:
    """Read ImageSets: the split of each image, the most telling if it is in several (train before trainval)."""
    found: dict[str, str] = {}
    order = {"train": 0, "val": 1, "test": 2, "trainval": 9}
    folders = {"main": 0, "segmentation": 1}
    lists = [(folder, path, path.stem) for folder, path in root.lists]
    lists = [one for one in lists if one[2].lower() not in _EVERYTHING]
    known = {name for _, _, name in lists}
    lists.sort(key=lambda one: (order.get(one[2].lower(), 5), folders.get(one[0], 2), one[2]))
    for _, path, name in lists:
        before, _, after = name.rpartition("_")
        if before and (after in known or after in order):
            report.note(CLASS_LISTS, file=path)
            continue
        split = files.split_of(name) or name
        for line in read_text(path, report).splitlines():
            entry = line.strip().strip('"').replace("\\", "/")
            if not entry or entry.startswith("#"):
                continue
            found.setdefault(files.stem(entry) if files.is_image(entry) else entry, split)
            # "name" or "name 1": a name may have blanks itself, so the number is cut off for a second entry.
            head, _, tail = entry.rpartition(" ")
            if head and tail.lstrip("-").isdigit():
                found.setdefault(head.strip().strip('"'), split)
    return found


def split_of(key: str, found: dict[str, str]) -> str:
    """The split of an image, by its name or the last part of it."""
    return found.get(key) or found.get(key.rpartition("/")[2], "")
