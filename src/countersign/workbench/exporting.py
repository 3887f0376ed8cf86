"""Writing the labels of a field in another format. What the format cannot hold is in the report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from countersign import formats
from countersign.domain.errors import Conflict, FormatError
from countersign.domain.image import Image, Project
from countersign.domain.label import Label, LabelState
from countersign.domain.query import ImageQuery, LabelFilter
from countersign.formats import ExportReport
from countersign.runs.mask_files import MaskFiles
from countersign.store import Store, classes, fields, images, labels, runs
from countersign.workbench.progress import OnProgress, Ticker

EXPORTED = (LabelState.VERIFIED, LabelState.PROPOSED, LabelState.PROMOTED)
"""States that an export holds unless it is told others: all but the rejected."""


def export(
    store: Store,
    project: Project,
    field: str,
    out: str | Path,
    *,
    format: str = "coco",
    query: ImageQuery | None = None,
    labels_like: LabelFilter | None = None,
    settings: Mapping[str, Any] | None = None,
    overwrite: bool = False,
    on_progress: OnProgress | None = None,
) -> ExportReport:
    """Write the labels of a field, for the images of a query, to a file or folder.

    ``labels_like`` picks labels by class, confidence and state. Raises NotFound, FormatError, SettingsError, and
    Conflict where something is at ``out`` already and ``overwrite`` is not set.
    """
    made = formats.get(format)
    target = Path(out).expanduser()
    if target.exists() and not (target.is_file() or target.is_dir()):
        # It would be replaced by a file: no device or pipe is ever meant by that.
        raise FormatError("it is no plain file", file=str(target), remedy="Choose another place for the export.")
    if made.out == "folder":
        _refuse_existing(target, not overwrite and target.exists() and (not target.is_dir() or any(target.iterdir())))
    else:
        _refuse_existing(target, not overwrite and target.exists())
    query = query or ImageQuery()
    wanted = labels_like or LabelFilter()
    options = formats.WriteOptions(settings=dict(settings or {}))
    with store.read() as c:
        found = fields.get(c, project.id, field)
        known = classes.list_all(c, project.id)
        if wanted.classes:
            known = [item for item in known if item.name in wanted.classes]
        ticker = Ticker(on_progress, "export", images.count(c, project.id, query))
        stream = labels.stream(c, found.id, query, filter=_with_states(wanted))
        lost: list[str] = []
        files = MaskFiles(runs.list_all(c, project.id))
        whole = ((image, files.restored_all(image, found, lost)) for image, found in stream)
        report = formats.write(format, _counted(whole, ticker), known, target, options=options)
    for place in lost:
        report.changed("the file of its mask is not there, or is none of it: written as its box", file=place)
    ticker.finish()
    return report


def _with_states(wanted: LabelFilter) -> LabelFilter:
    return LabelFilter("", wanted.classes, wanted.min_confidence, wanted.max_confidence, wanted.states or EXPORTED)


def _counted(stream: Iterator[tuple[Image, list[Label]]], ticker: Ticker) -> Iterator[tuple[Image, Sequence[Label]]]:
    for pair in stream:
        ticker.step()
        yield pair


def _refuse_existing(out: Path, there: bool) -> None:
    if there:
        raise Conflict(f"There is something at {out} already", remedy="Choose another place, or overwrite it.")
