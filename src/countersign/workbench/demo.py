"""The whole job on made-up pictures, step by step, with the truth at hand to say how right it was.

Each step is what a user would do: the pictures come in as files, the labels of a few of them as a COCO file, and what
follows are the verbs of ``Project``. The truth of the other pictures is read only by the last step, the score.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from countersign import formats
from countersign.domain.compare import What, compare
from countersign.domain.errors import Conflict
from countersign.domain.image import Image
from countersign.domain.label import Label, LabelClass
from countersign.workbench import demo_images
from countersign.workbench.project import TRUTH, Project
from countersign.workbench.workspace import Workspace

PROJECT = "cells"
MODEL = "cells-demo"
FIELD = "auto1"
MARK = "demo.txt"
"""The file that says that a folder is a demo's, and may be made anew."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How large the demo is. ``budget`` is in seconds of training, ``threshold`` what is promoted (0..1)."""

    images: int = 120
    labelled: int = 16
    budget: float = 60.0
    threshold: float = 0.4
    seed: int = 7


@dataclass(frozen=True, slots=True)
class Score:
    """How right the approved labels are, on the pictures that nobody labelled by hand.

    Of ``approved`` labels, ``right`` have the class of a cell of the truth and an IoU with it of at least 0.5,
    ``relabelled`` lie on a cell of another class, and ``extra`` on none. ``missing`` cells of the ``truth`` have no
    label. ``drawn`` boxes were given on the taught pictures.
    """

    truth: int
    approved: int
    relabelled: int
    extra: int
    missing: int
    drawn: int

    @property
    def right(self) -> int:
        return self.approved - self.relabelled - self.extra

    @property
    def precision(self) -> float:
        return self.right / max(1, self.approved)

    @property
    def recall(self) -> float:
        return self.right / max(1, self.truth)

    @property
    def corrections(self) -> int:
        """Labels to draw, relabel or delete until all are right: one action each."""
        return self.relabelled + self.extra + self.missing


@dataclass(frozen=True, slots=True)
class Demo:
    """A demo's folder: ``pictures`` holds the images, ``taught`` the names of those with given labels."""

    folder: Path
    pictures: Path
    teacher: Path
    taught: tuple[str, ...]
    truth: Mapping[str, tuple[Label, ...]]


def prepare(folder: Path, settings: Settings) -> Demo:
    """Make the pictures, and the COCO file with the labels of a few of them. Raises Conflict for a folder in use."""
    _clear(folder)
    pictures = folder / "pictures"
    truth = demo_images.write(pictures, settings.images, seed=settings.seed)
    # Every k-th picture, so that what is taught is spread over the set as a person would spread it.
    step = max(1, settings.images // settings.labelled)
    taught = tuple(sorted(truth))[::step][: settings.labelled]
    teacher = folder / "labelled-by-hand.json"
    _write_coco({name: truth[name] for name in taught}, teacher)
    return Demo(folder, pictures, teacher, taught, truth)


def score(project: Project, demo: Demo) -> Score:
    """Compare what is in the target field now with the truth, on the pictures that were not taught."""
    rest = sorted(set(demo.truth) - set(demo.taught))
    found = project.labels(TRUTH, rest)
    what: Counter[What] = Counter()
    for name in rest:
        size = (demo_images.WIDTH, demo_images.HEIGHT)
        differences = compare(found.get(name, []), demo.truth[name], size=size, match_iou=0.5, same_iou=0.5)
        what.update(difference.what for difference in differences)
    return Score(
        truth=sum(len(demo.truth[name]) for name in rest),
        approved=sum(map(len, found.values())),
        relabelled=what[What.RELABELLED],
        extra=what[What.EXTRA],
        missing=what[What.MISSING],
        drawn=sum(len(demo.truth[name]) for name in demo.taught),
    )


def open_project(workspace: Workspace, demo: Demo) -> Project:
    """Make the project and bring in pictures and given labels."""
    project = workspace.create_project(PROJECT)
    project.import_images(demo.pictures)
    project.import_labels(demo.teacher)
    return project


def _clear(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARK).is_file():
            raise Conflict(f"{folder} is not empty, and no demo made it", remedy="Name another folder with --out.")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text("Made by 'countersign demo', which makes it anew each time.\n", encoding="utf-8")


def _write_coco(labels: Mapping[str, tuple[Label, ...]], out: Path) -> None:
    images = [
        (Image(number, 0, name, name, "", demo_images.WIDTH, demo_images.HEIGHT), labels[name])
        for number, name in enumerate(sorted(labels), start=1)
    ]
    formats.write("coco", images, [LabelClass(name) for name in demo_images.CLASSES], out)
