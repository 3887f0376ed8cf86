"""The verb ``import``: images, labels, or a folder that holds both.

Images come first, so that labels find them. In a folder whose label format keeps pictures that are none of the images
(painted masks), those are left out. Class folders are never assumed of a plain folder of images: folders
named by date look just the same, so that format must be named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from countersign import formats
from countersign.domain.errors import InvalidInput
from countersign.domain.image import Project
from countersign.imaging.scan import ENDINGS
from countersign.store import Store
from countersign.workbench.importing import ImagesImport, import_images
from countersign.workbench.label_import import LabelsImport, import_labels
from countersign.workbench.matching import full
from countersign.workbench.progress import OnProgress

NONE = "none"
"""Given as the format: images only."""

_SURE = 0.65
"""A guess below this is not acted upon where the folder may as well hold images alone; it is told instead."""

_LISTS_ITS_IMAGES = frozenset({"class-folders", "mask-png"})  # every picture there is an image or a mask of one
_PAINTINGS = frozenset({"segmentationclass", "segmentationobject", "segmentationclasspng", "segmentationobjectpng"})


@dataclass(frozen=True, slots=True)
class Import:
    """What one import did. ``labels`` is None where no labels were found; ``notes`` say what was decided and why."""

    images: ImagesImport
    labels: LabelsImport | None = None
    notes: tuple[str, ...] = ()

    def to_data(self) -> dict[str, Any]:
        """Return JSON values."""
        labels = self.labels.to_data() if self.labels else None
        return {"images": self.images.to_data(), "labels": labels, "notes": list(self.notes)}


def import_path(
    store: Store,
    project: Project,
    path: str | Path,
    *,
    format: str = "auto",
    field: str = "ground_truth",
    images: str | Path | None = None,
    split: str = "",
    tags: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
    actor: str,
    on_progress: OnProgress | None = None,
) -> Import:
    """Bring what is at a path into a project: a folder of images, a label file or folder, or both at once.

    ``format`` is a label format's name, ``auto`` or ``none`` (images only). Raises FormatError, NotFound, InvalidInput.
    """
    root, chosen, notes = plan(path, format)
    pictures = ImagesImport()
    if _holds_pictures(root) and chosen not in _LISTS_ITS_IMAGES:
        pictures = import_images(
            store, project, root, split=split, tags=tags, on_progress=on_progress,
            leave_out=_is_painting if chosen else None,
        )  # fmt: skip
    if images is not None:
        more = import_images(store, project, images, split=split, tags=tags, on_progress=on_progress)
        pictures = pictures.plus(more)
    if chosen is None:
        if not pictures.found:
            raise InvalidInput(f"There are no images and no labels in {path}", remedy=_known_formats())
        return Import(pictures, None, notes)
    labels = import_labels(
        store, project, root, format=chosen, field=field, images=images, add_images=True, split=split, tags=tags,
        settings=settings, actor=actor, on_progress=on_progress,
    )  # fmt: skip
    return Import(pictures, labels, notes)


def plan(path: str | Path, format: str = "auto") -> tuple[Path, str | None, tuple[str, ...]]:
    """Look at a path and decide what to do with it, without doing it: the path, a label format's name or None, notes.

    Raises as ``import_path``, for what can be known before the first file is read.
    """
    root = full(path)
    if not root.exists():
        raise InvalidInput(f"There is no file or folder {path}", remedy="Check the path.")
    return root, *_choose(root, format)


def _choose(root: Path, given: str) -> tuple[str | None, tuple[str, ...]]:
    """Decide on a label format: its name, or None for images only."""
    if given == NONE or (given == "auto" and _is_picture(root)):
        return None, ()
    if given != "auto":
        return formats.get(given).name, ()
    if not _holds_pictures(root):
        return formats.detect(root).name, ()
    guesses = formats.guesses(root)
    if not guesses:
        return None, ()
    if guesses[0][1].confidence >= _SURE:
        return formats.detect(root).name, ()
    found, guess = guesses[0]
    return None, (f"{root.name} might be {found.title} ({guess.reason}): if so, give --format {found.name}.",)


def _is_picture(path: Path) -> bool:
    return path.is_file() and path.suffix.lower() in ENDINGS


def _holds_pictures(root: Path) -> bool:
    return root.is_dir() or _is_picture(root)


def _is_painting(file: Path) -> bool:
    """Whether a picture lies in one of the folders where Pascal VOC and labelme keep painted masks."""
    folders = [part.lower() for part in file.parts[:-1]]
    return any(folder in _PAINTINGS or folder.endswith("visualization") for folder in folders)


def _known_formats() -> str:
    return f"Label formats are {', '.join(made.name for made in formats.formats() if made.reader is not None)}."
