"""The class lists that many models share, from the text files in ``names/``: no library is loaded for them.

A test compares them with the lists in the installed libraries. Names are as those libraries write them; a name that
occurs twice in ImageNet (two cranes, two maillots) is told apart by a number, as a class is found by its name.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from importlib.resources import files


@functools.cache
def lines(name: str) -> tuple[str, ...]:
    """Return the lines of ``names/<name>.txt``."""
    text = (files("countersign.models") / "names" / f"{name}.txt").read_text(encoding="utf-8")
    return tuple(text.splitlines())


def unique(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names without blanks at their ends; the second of the same name becomes ``name (2)``.

    An empty name stays empty: it stands for a place without a class.
    """
    seen: dict[str, int] = {}
    told_apart = []
    for name in (str(name).strip() for name in names):
        seen[name] = seen.get(name, 0) + 1
        told_apart.append(name if seen[name] == 1 or not name else f"{name} ({seen[name]})")
    return tuple(told_apart)


def coco() -> tuple[str, ...]:
    """COCO's 80 classes of things."""
    return lines("coco")


def coco_91() -> tuple[str, ...]:
    """COCO's 80 classes at their numbers in the annotation files: 91 places, "" where a number has no class."""
    return tuple("" if name == "-" else name for name in lines("coco91"))


def as_coco(names: Sequence[str]) -> tuple[str, ...]:
    """Return COCO's own spelling where names are its 80 classes as Darknet wrote them (sofa, tvmonitor ...)."""
    spelt = tuple(_DARKNET.get(name, name) for name in names)
    return spelt if {name for name in spelt if name} == set(coco()) else tuple(names)


_DARKNET = {
    "motorbike": "motorcycle",
    "aeroplane": "airplane",
    "sofa": "couch",
    "pottedplant": "potted plant",
    "diningtable": "dining table",
    "tvmonitor": "tv",
}


def voc() -> tuple[str, ...]:
    """Pascal VOC's 20 classes (without background)."""
    return lines("voc")


def ade20k() -> tuple[str, ...]:
    """ADE20K's 150 classes of things and stuff (scene parsing benchmark)."""
    return lines("ade20k")


def cityscapes() -> tuple[str, ...]:
    """Cityscapes' 19 classes that are trained on, in their training order."""
    return lines("cityscapes")


def imagenet() -> tuple[str, ...]:
    """ImageNet's 1,000 classes, one short name each, as torchvision writes them."""
    return unique(lines("imagenet"))


def imagenet_lemmas() -> tuple[str, ...]:
    """ImageNet's 1,000 classes with all words of each, as the configurations of hub checkpoints write them."""
    return unique(lines("imagenet_lemmas"))


def coco_keypoints() -> tuple[str, ...]:
    """The 17 points of COCO's persons."""
    return lines("coco_keypoints")


COCO_SKELETON: tuple[tuple[int, int], ...] = (
    (15, 13), (13, 11), (16, 14), (14, 12), (11, 12), (5, 11), (6, 12), (5, 6), (5, 7), (6, 8), (7, 9), (8, 10),
    (1, 2), (0, 1), (0, 2), (1, 3), (2, 4), (3, 5), (4, 6),
)  # fmt: skip
"""The bones between them: pairs of places in ``coco_keypoints``, counted from 0 (COCO's person category)."""
