"""Small projects for the tests of the store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy.engine import Connection

from countersign.domain import mask
from countersign.domain.geometry import Box, Ellipse, Keypoints, Polygon
from countersign.domain.image import ImageFile
from countersign.domain.label import Check, Label, LabelState, Origin, Provenance, Verb
from countersign.store import fields, history, images, labels, projects

SHAPES = (
    None,
    Box(1.5, 2.25, 30.1, 40.7),
    Polygon(
        ((0.0, 0.0, 10.01, 0.0, 5.0, 9.99), (20.0, 20.0, 30.0, 20.0, 25.0, 1 / 3)), ((1.0, 1.0, 2.0, 1.0, 1.5, 2.0),)
    ),
    Ellipse(50.0, 60.0, 10.0, 5.0, 30.0),
    mask.encode(np.eye(4, 5)),
    Keypoints((1.0, 2.0, 2.0, 0.0, 0.0, 0.0, 3.5, 4.5, 1.0)),
    Keypoints((1.0, 2.0, 2.0), Box(0.5, 0.5, 9.0, 9.0)),
)
IMPORT = Provenance(Origin.IMPORT, source="labels.json")


@dataclass(frozen=True)
class Sample:
    """A project with images ``a/000.jpg`` ... and an empty field ``ground_truth``."""

    project: int
    field: int
    images: list[int]


def file(number: int, *, path: str | None = None, hashed: str | None = None) -> ImageFile:
    return ImageFile(
        path or f"/photos/a/{number:03}.jpg", hashed or f"{number:064x}", 640, 480, "JPEG", 3, "uint8", 1000 + number, 7
    )


def new_image(number: int, *, split: str = "", tags: tuple[str, ...] = ()) -> images.NewImage:
    return images.NewImage(file(number), f"a/{number:03}.jpg", split, tags)


def sample(c: Connection, count: int = 5, name: str = "cells") -> Sample:
    project = projects.create(c, name)
    added = images.add(c, project.id, [new_image(number) for number in range(count)])
    return Sample(project.id, fields.create(c, project.id, "ground_truth").id, added.added)


def add(
    c: Connection, of: Sample, items: Iterable[tuple[int, Label]], *, verb: Verb = Verb.IMPORT, field: int | None = None
) -> int:
    """Add labels as one change of Ann's; return the change."""
    change = history.begin(c, of.project, verb, "ann", field or of.field)
    labels.add(c, field or of.field, items, change_id=change, provenance=IMPORT)
    return change


def boxes(of: Sample, per_image: int = 2, *, classes: Sequence[str] = ("red", "white")) -> list[tuple[int, Label]]:
    """Boxes on every image, their confidences spread over 0..1."""
    total = len(of.images) * per_image
    return [
        (
            image_id,
            Label(
                classes[number % len(classes)],
                Box(number + 1.0, k + 1.0, 10.0, 10.5),
                (number * per_image + k) / max(total - 1, 1),
                LabelState.PROPOSED,
            ),
        )
        for number, image_id in enumerate(of.images)
        for k in range(per_image)
    ]


def every_shape(of: Sample) -> list[tuple[int, Label]]:
    """A label of every kind of geometry on the first image, with all that a label can have."""
    return [
        (
            of.images[0],
            Label(
                f"class {number}",
                shape,
                None if number % 2 else 0.123456789,
                LabelState.PROPOSED if number % 3 else LabelState.VERIFIED,
                {"iscrowd": 1, "note": "é", "group": [1, 2]} if number % 2 else {},
                Provenance(Origin.MODEL, model="m", weights_hash="ff", min_confidence=0.1, run_id=3)
                if number == 1
                else None,
                "ann" if number == 2 else None,
                Check.EDITED if number == 2 else None,
            ),
        )
        for number, shape in enumerate(SHAPES)
    ]
