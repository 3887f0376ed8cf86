"""Which mask PNG belongs to which image, and what a folder's name says of its class. Opens no file.

Known layouts: masks/<image>.png beside images/<image>.jpg (whatever the two folders are called, with splits above or
below); <image>/masks/*.png with one object each; masks/<image>/[<class>/]*.png; masks/<class>/<image>.png; and pairs
in one folder, img.png with label.png or a.jpg with a_mask.png.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from countersign.formats import files

MASKS = frozenset(
    ("masks", "mask", "gt", "ground_truth", "groundtruth", "annotations", "labels", "segmentation", "segmentations")
)
IMAGES = frozenset(("images", "image", "img", "imgs", "jpegimages", "photos"))

_WORDS = re.compile(
    r"(?:^|[_\-. ])(?:masks?|gt|labels?|seg(?:mentation)?|images?|img|color|gray)(?=$|[_\-. ])", re.IGNORECASE
)
_MASK_WORDS = re.compile(r"(?:^|[_\-. ])(?:masks?|gt|labels?|seg(?:mentation)?)(?=$|[_\-. ])", re.IGNORECASE)
_DRAWN = re.compile(r"(?:^|[_\-. ])(?:viz|vis|visuali[sz]ation|overlay|preview)(?=$|[_\-. ])", re.IGNORECASE)


@dataclass(slots=True)
class MaskFile:
    """One mask. ``class_name`` is set where a folder's name says it; ``whole`` for one mask that shows all objects."""

    path: Path
    class_name: str = ""
    whole: bool = True


@dataclass(slots=True)
class Pair:
    """An image and its masks. ``image`` is None where there is none."""

    name: str
    image: Path | None = None
    split: str = ""
    masks: list[MaskFile] = field(default_factory=list)


@dataclass(slots=True)
class _Group:
    """What lies below one place: names below the folder of images, and below that of masks."""

    images: list[tuple[str, str]] = field(default_factory=list)  # name, path below the root
    masks: list[tuple[str, str]] = field(default_factory=list)


def pairs(root: Path, classes: frozenset[str]) -> list[Pair]:
    """Sort the images and masks below a folder into pairs, in the order of their names.

    ``classes`` are the names that a table knows: a folder of that name in a path of a mask is its class.
    """
    groups: dict[str, _Group] = {}
    for below, names in files.walk(root):
        parts = below.split("/") if below else []
        lower = [part.lower() for part in parts]
        at = next((index for index, part in enumerate(lower) if part in MASKS | IMAGES), None)
        base, inner = (parts, []) if at is None else (parts[:at], parts[at + 1 :])
        group = groups.setdefault("/".join(base), _Group())
        for name in names:
            if not files.is_image(name) or _DRAWN.search(files.stem(name)):
                continue
            short, path = "/".join([*inner, name]), f"{below}/{name}" if below else name
            is_mask = lower[at] in MASKS if at is not None else _is_loose_mask(name, names)
            if is_mask and files.ending(name) in (".png", ".bmp", ".tif", ".tiff", ".gif"):
                group.masks.append((short, path))
            elif not is_mask:
                group.images.append((short, path))
    found = [pair for base in sorted(groups) for pair in _paired(root, base, groups[base], classes)]
    return _renamed(found)


def _is_loose_mask(name: str, names: list[str]) -> bool:
    """In a folder of both: a name that says so, or a PNG with a photo of the same name."""
    base = files.stem(name)
    if _MASK_WORDS.search(base):
        return True
    return files.ending(name) == ".png" and any(f"{base}{ending}" in names for ending in (".jpg", ".jpeg", ".JPG"))


def _plain(name: str) -> str:
    """A name without its ending and without words like mask and image, to compare."""
    folder, _, last = files.stem(name).rpartition("/")
    plain = _WORDS.sub("", last).strip("_-. ")
    return f"{folder}/{plain}" if folder else plain


def _paired(root: Path, base: str, group: _Group, classes: frozenset[str]) -> list[Pair]:
    top = files.split_of(base.partition("/")[0])
    made: dict[str, Pair] = {}
    exact: dict[str, str] = {}
    plain: dict[str, list[str]] = {}
    for short, path in group.images:
        split = top or (files.split_of(short.partition("/")[0]) if "/" in short else "")
        made[short] = Pair(short, root / path, split)
        exact.setdefault(files.stem(short), short)
        plain.setdefault(_plain(short), []).append(short)
    for short, path in group.masks:
        owner, mask = _owner(short, root / path, exact, plain, made, classes)
        split = top or (files.split_of(owner.partition("/")[0]) if "/" in owner else "")
        made.setdefault(owner, Pair(owner, None, split)).masks.append(mask)
    return [made[key] for key in sorted(made)]


def _owner(
    short: str,
    path: Path,
    exact: dict[str, str],
    plain: dict[str, list[str]],
    made: dict[str, Pair],
    classes: frozenset[str],
) -> tuple[str, MaskFile]:
    """The name of the image that a mask belongs to, and what kind of mask it is."""
    base = files.stem(short)
    if base in exact:
        return exact[base], MaskFile(path)
    parts = base.split("/")
    for count in range(len(parts) - 1, 0, -1):  # masks/<image>/[<class>/]<number>
        if (key := "/".join(parts[:count])) in exact:
            return exact[key], MaskFile(path, "/".join(parts[count:-1]), whole=False)
    for count in range(1, len(parts)):  # masks/<class>/<image>
        if (key := "/".join(parts[count:])) in exact:
            return exact[key], MaskFile(path, "/".join(parts[:count]), whole=False)
    alike = plain.get(_plain(short), [])
    if len(alike) == 1:
        return alike[0], MaskFile(path)
    photos = [name for name, pair in made.items() if pair.image is not None]
    if len(photos) == 1:
        return photos[0], MaskFile(path, whole=False)
    if len(parts) >= 3 and parts[-2] in classes:
        return "/".join(parts[:-2]), MaskFile(path, parts[-2], whole=False)
    return base, MaskFile(path)


def _renamed(found: list[Pair]) -> list[Pair]:
    """Give pairs of one name in different places (splits, folders per image) names that tell them apart."""
    seen: dict[str, int] = {}
    for pair in found:
        seen[pair.name] = seen.get(pair.name, 0) + 1
    for pair in found:
        if seen[pair.name] > 1 and pair.image is not None:
            places = [part for part in pair.image.parts[-4:-1] if part.lower() not in IMAGES]
            pair.name = f"{places[-1]}/{pair.name}" if places else pair.name
    return found
