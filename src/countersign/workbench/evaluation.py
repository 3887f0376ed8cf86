"""Measuring one field against another, and listing where they differ.

Which images count: those of the query, all of them, also where nothing is to be found; without a query those that have
a label in the field that is taken to be right, as nobody knows of the others whether somebody looked at them. Rejected
labels count on neither side. What the numbers mean is said in ``domain/metrics.py``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from countersign.domain.compare import Difference, What, compare
from countersign.domain.errors import InvalidInput
from countersign.domain.image import Image, Project
from countersign.domain.label import Label, LabelState
from countersign.domain.metrics import (
    ClassificationScores,
    DetectionScores,
    ImageLabels,
    SemanticCounter,
    SemanticScores,
    classification,
    detection,
    has_outlines,
)
from countersign.domain.query import ImageQuery, LabelFilter
from countersign.runs.mask_files import MaskFiles
from countersign.store import Store, fields, images, labels, runs

CHUNK = 1000
_COUNTED = (LabelState.VERIFIED, LabelState.PROPOSED, LabelState.PROMOTED)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How good a field is against another. What neither side has labels for is None.

    ``boxes`` compares bounds; ``masks`` painted pixels object by object, and ``semantic`` class by class, where both
    fields have outlines (polygons, masks, ellipses); ``classification`` classes of whole images.
    """

    field: str
    against: str
    images: int
    boxes: DetectionScores | None
    masks: DetectionScores | None
    semantic: SemanticScores | None
    classification: ClassificationScores | None


@dataclass(frozen=True, slots=True)
class Found:
    """A difference and the image that it is on."""

    image: Image
    difference: Difference


def evaluate(
    store: Store,
    project: Project,
    *,
    field: str,
    against: str = "ground_truth",
    images: ImageQuery | None = None,
    classes: Sequence[str] = (),
    min_confidence: float | None = None,
    max_detections: int = 100,
    on_progress: Callable[[int], None] | None = None,
) -> Evaluation:
    """Measure ``field`` against the field that is taken to be right, on the images of a query.

    Labels of ``field`` below ``min_confidence`` are not counted (those without a confidence are). ``on_progress`` gets
    the number of images read so far. Raises NotFound for a field or class, InvalidInput without an image to measure on.
    """
    items: list[ImageLabels] = []
    for _, paired in _paired(store, project, field, against, images, classes, min_confidence):
        items.append(paired)
        if on_progress and len(items) % CHUNK == 0:
            on_progress(len(items))
    if not items:
        raise InvalidInput(
            f"There is no image to measure {field!r} on",
            remedy=f"Choose images, or label some of them in {against!r} first.",
        )
    shaped = any(label.geometry is not None for item in items for label in (*item.found, *item.truth))
    plain = any(label.geometry is None for item in items for label in (*item.found, *item.truth))
    outlined = has_outlines(label for item in items for label in item.found) and has_outlines(
        label for item in items for label in item.truth
    )
    counter = SemanticCounter()
    for item in items if outlined else ():
        counter.add(item)
    return Evaluation(
        field,
        against,
        len(items),
        detection(items, max_detections=max_detections) if shaped else None,
        detection(items, overlap="mask", max_detections=max_detections) if outlined else None,
        counter.scores() if outlined else None,
        classification(items) if plain else None,
    )


def differences(
    store: Store,
    project: Project,
    *,
    field: str,
    against: str = "ground_truth",
    images: ImageQuery | None = None,
    classes: Sequence[str] = (),
    min_confidence: float | None = None,
    match_iou: float = 0.5,
    same_iou: float = 0.9,
    only: Sequence[What] = (),
) -> Iterator[Found]:
    """Yield where ``field`` differs from the other one, image by image: extra, missing, moved, relabelled.

    Which of two fields came first plays no part: a second run is compared with the first in the same way. ``only``
    names the kinds wanted. Raises as ``evaluate`` does, as the first one is asked for.
    """
    for image, item in _paired(store, project, field, against, images, classes, min_confidence):
        size = (image.width, image.height)
        for difference in compare(item.found, item.truth, size=size, match_iou=match_iou, same_iou=same_iou):
            if not only or difference.what in only:
                yield Found(image, difference)


def _paired(
    store: Store,
    project: Project,
    field: str,
    against: str,
    query: ImageQuery | None,
    classes: Sequence[str],
    min_confidence: float | None,
) -> Iterator[tuple[Image, ImageLabels]]:
    """Yield the images that count with the labels of both fields, all of one moment, with masks that are in files."""
    query = ImageQuery(has_labels_in=(against,)) if query is None else query
    wanted, least = LabelFilter("", tuple(classes), states=_COUNTED), min_confidence or 0.0
    with store.read() as c:
        found_id, truth_id = (fields.get(c, project.id, name).id for name in (field, against))
        files = MaskFiles(runs.list_all(c, project.id))
        for chunk in images.walk(c, project.id, query, chunk=CHUNK):
            ids = [image.id for image in chunk]
            found = labels.for_images(c, found_id, ids, filter=wanted)
            truth = labels.for_images(c, truth_id, ids, filter=wanted)
            for image in chunk:
                sure = [x for x in found[image.id] if x.confidence is None or x.confidence >= least]
                both = (_with_masks(files, image, of_one) for of_one in (sure, truth[image.id]))
                yield image, ImageLabels(image.id, image.width, image.height, *both)


def _with_masks(files: MaskFiles, image: Image, found: Sequence[Label]) -> list[Label]:
    lost: list[str] = []
    put = files.restored_all(image, found, lost)
    if lost:  # a box in its place would be another number
        raise InvalidInput(
            f"The file of a mask is not there, or is none of it: {lost[0]}",
            remedy="Put the folder back to where the run wrote it, or run again.",
        )
    return put
