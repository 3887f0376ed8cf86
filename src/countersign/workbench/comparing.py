"""The verbs ``evaluate`` and ``compare``: what ``evaluation`` measures, with progress as all verbs tell it."""

from __future__ import annotations

from collections.abc import Sequence

from countersign.domain.compare import What
from countersign.domain.errors import InvalidInput
from countersign.domain.image import Project
from countersign.domain.query import ImageQuery
from countersign.store import Store, images
from countersign.workbench import evaluation
from countersign.workbench.evaluation import Evaluation, Found
from countersign.workbench.progress import OnProgress, Progress

_STAGE = "evaluate"


def evaluate(
    store: Store,
    project: Project,
    field: str,
    against: str,
    *,
    query: ImageQuery | None,
    classes: Sequence[str] = (),
    min_confidence: float | None = None,
    on_progress: OnProgress | None = None,
) -> Evaluation:
    """Measure a field against another. Raises NotFound, and InvalidInput where there is nothing to measure on."""
    _check(field, against)
    tell = None
    if on_progress is not None:
        with store.read() as c:
            total = images.count(c, project.id, query or ImageQuery(has_labels_in=(against,)))

        def tell(done: int) -> None:
            on_progress(Progress(_STAGE, done, total))

    found = evaluation.evaluate(
        store, project, field=field, against=against, images=query, classes=classes, min_confidence=min_confidence,
        on_progress=tell,
    )  # fmt: skip
    if on_progress is not None:
        on_progress(Progress(_STAGE, found.images, found.images))
    return found


def compare(
    store: Store,
    project: Project,
    field: str,
    against: str,
    *,
    query: ImageQuery | None,
    classes: Sequence[str] = (),
    min_confidence: float | None = None,
    only: Sequence[str] = (),
    match_iou: float = 0.5,
    same_iou: float = 0.9,
) -> list[Found]:
    """List where two fields differ, image by image. Raises NotFound, SettingsError, InvalidInput for a wrong kind."""
    _check(field, against)
    known = {kind.value: kind for kind in What}
    unknown = [name for name in only if name not in known]
    if unknown:
        raise InvalidInput(f"There is no difference {unknown[0]!r}", remedy=f"There are {', '.join(known)}.")
    return list(
        evaluation.differences(
            store, project, field=field, against=against, images=query, classes=classes, min_confidence=min_confidence,
            only=[known[name] for name in only], match_iou=match_iou, same_iou=same_iou,
        )
    )  # fmt: skip


def _check(field: str, against: str) -> None:
    if field == against:
        raise InvalidInput(f"{field!r} would be compared with itself", remedy="Name two fields.")
