"""``countersign import`` and ``countersign export``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from countersign.cli.options import FILE, class_option, common, confidence_options, images_option, names_option
from countersign.cli.output import Output, count, to_json
from countersign.cli.progress import progress
from countersign.cli.session import Session, pass_session
from countersign.cli.values import label_filter, query, settings_option, states_option
from countersign.domain.errors import Cancelled

if TYPE_CHECKING:
    from countersign.workbench.bringing import Import

_SHOWN = 5  # examples of each kind of problem on the screen; the report has more


@click.command("import")
@click.argument("project")
@click.argument("path", type=FILE)
@click.option(
    "--format", default="auto", show_default=True, help="Label format; auto detects it, none takes images only."
)
@click.option("--field", default="ground_truth", show_default=True, help="Field that the labels go to.")
@click.option("--image-folder", type=FILE, help="Where the images are, when they are not beside the labels.")
@click.option("--split", default="", help="Set this split (train, test ...) on the images.")
@names_option("--tag", "tags", help_text="Set this tag on the images.")
@settings_option("reading")
@click.option("--report", type=FILE, help="Write the full report to this file, as JSON.")
@common
@pass_session
@click.pass_context
def import_(
    context: click.Context,
    session: Session,
    project: str,
    path: Path,
    format: str,
    field: str,
    image_folder: Path | None,
    split: str,
    tags: tuple[str, ...],
    settings: dict[str, Any],
    report: Path | None,
) -> None:
    """Bring what is at PATH into PROJECT: a folder of images, a label file or folder, or both at once.

    Image files stay where they are. Importing again adds what is new and nothing twice. A project that is not there is
    made. Files that cannot be used are refused one by one and reported; the rest is imported.
    """
    from countersign.workbench import bringing

    bringing.plan(path, format)  # a wrong path makes no project
    try:
        with progress(session) as on_progress:
            done = session.project(project, create=True).import_path(
                path, format=format, field=field, images=image_folder, split=split, tags=tags, settings=settings,
                on_progress=on_progress,
            )  # fmt: skip
    except KeyboardInterrupt:
        raise Cancelled("Interrupted; what came in so far stays", remedy="The same command goes on.") from None
    if report is not None:
        _write_report(report, done)
    if not session.out.data(done):
        for line in _describe(done, report):
            session.out.line(line)
    labels = done.labels
    if labels is not None and not labels.images and labels.missing + labels.ambiguous:
        click.echo(
            "countersign: None of the images that the labels name was found. "
            "Import the images first, or say where they are with --image-folder.",
            err=True,
        )
        context.exit(2)
    if labels is not None and not labels.images and not done.images.found:
        click.echo(
            f"countersign: Nothing at {path} could be used as labels ({labels.format}). Check the path and --format.",
            err=True,
        )
        context.exit(2)


def _write_report(path: Path, done: Any) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(to_json(done), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise click.FileError(str(path), error.strerror or str(error)) from error


def _describe(done: Import, report: Path | None) -> Iterator[str]:
    images, labels = done.images, done.labels
    if images.found:
        more = [f"{images.known:,} known before"] if images.known else []
        more += [f"{len(images.duplicates):,} the same as another"] if images.duplicates else []
        more += [f"{images.moved:,} moved"] if images.moved else []
        more += [f"{len(images.refused):,} refused"] if images.refused else []
        yield f"Images: {images.added:,} added" + "".join(f", {part}" for part in more) + "."
    refused = [*images.refused, *(labels.refused if labels else ())]
    for item in refused[:_SHOWN]:
        yield f"  refused {item.path}: {item.reason}"
    if len(refused) > _SHOWN:
        yield f"  ... and {len(refused) - _SHOWN:,} more"
    if labels is not None:
        more = [f"{labels.duplicates:,} were there before"] if labels.duplicates else []
        more += [count(labels.images_added, "image") + " came with them"] if labels.images_added else []
        more += [count(labels.missing, "image") + " not found"] if labels.missing else []
        more += [count(labels.ambiguous, "name") + " ambiguous"] if labels.ambiguous else []
        yield (
            f"Labels ({labels.format}): {labels.labels:,} added to {labels.field} on {count(labels.images, 'image')}"
            + "".join(f", {part}" for part in more)
            + "."
        )
        yield from list(labels.report.summary())[1:]
    yield from done.notes
    if report is not None:
        yield f"The full report is in {report}."


@click.command()
@click.argument("project")
@click.option("--field", default="ground_truth", show_default=True, help="Field to export.")
@click.option("--format", default="coco", show_default=True, help="Label format.")
@click.option("--out", type=FILE, required=True, help="File or folder to write.")
@images_option()
@class_option
@confidence_options
@states_option("all but the rejected")
@settings_option("writing")
@click.option("--overwrite", is_flag=True, help="Replace what is there.")
@click.option("--report", type=FILE, help="Write the full report to this file, as JSON.")
@common
@pass_session
def export(
    session: Session,
    project: str,
    field: str,
    format: str,
    out: Path,
    images: str | None,
    classes: tuple[str, ...],
    min_confidence: float | None,
    max_confidence: float | None,
    states: tuple[str, ...],
    settings: dict[str, Any],
    overwrite: bool,
    report: Path | None,
) -> None:
    """Write the labels of a field to a file or folder. What the format cannot hold is reported."""
    opened = session.project(project)
    wanted = label_filter(classes, min_confidence, max_confidence, states)
    with progress(session) as on_progress:
        done = opened.export(
            out, field=field, format=format, images=query(session, opened, images), labels=wanted, settings=settings,
            overwrite=overwrite, on_progress=on_progress,
        )  # fmt: skip
    if report is not None:
        _write_report(report, done)
    if session.out.data({"out": str(out), **done.to_data()}):
        return
    _summarise(session.out, list(done.summary()), out)


def _summarise(out: Output, lines: list[str], path: Path) -> None:
    out.line(f"Wrote {lines[0]} to {path}.")
    for line in lines[1:]:
        out.line(line)
