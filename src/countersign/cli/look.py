"""``countersign images``, ``fields`` and ``history``: what is there and what happened."""

from __future__ import annotations

import click

from countersign.cli.options import common, images_option, names_option
from countersign.cli.output import count
from countersign.cli.session import Session, pass_session
from countersign.cli.values import query


@click.command()
@click.argument("project")
@images_option()
@click.option(
    "--limit", type=click.IntRange(0), default=100, show_default=True, help="List at most so many; 0 lists all."
)
@click.option("--count", "only_count", is_flag=True, help="Print the number alone.")
@names_option("--add-tag", "add", help_text="Set this tag on them instead of listing them.")
@names_option("--remove-tag", "remove", help_text="Take this tag off them instead of listing them.")
@click.option("--set-split", metavar="NAME", help="Set this split on them instead of listing them ('' takes it off).")
@common
@pass_session
def images(
    session: Session,
    project: str,
    images: str | None,
    limit: int,
    only_count: bool,
    add: tuple[str, ...],
    remove: tuple[str, ...],
    set_split: str | None,
) -> None:
    """List the images of PROJECT that a query names, or set tags and split on them.

    An image tagged 'empty' is known to show no object at all: training learns from it that there is nothing.
    """
    opened = session.project(project)
    wanted = query(session, opened, images)
    if add or remove or set_split is not None:
        number = opened.mark(wanted, add_tags=add, remove_tags=remove, split=set_split)
        if not session.out.data({"images": number}):
            session.out.line(f"Marked {count(number, 'image')}.")
        return
    total = opened.count(wanted)
    if only_count:
        if not session.out.data({"count": total}):
            session.out.line(str(total))
        return
    found = opened.images(wanted, limit=limit or None)
    if session.out.data({"total": total, "images": found}):
        return
    rows = [
        [
            item.id,
            item.name,
            f"{item.width}x{item.height}",
            item.format,
            item.split,
            ",".join(sorted(item.tags)),
            item.state,
        ]
        for item in found
    ]
    session.out.table(["id", "name", "size", "format", "split", "tags", "file"], rows, none="There are no such images.")
    if total > len(found):
        session.out.notice(f"{total - len(found):,} more; --limit 0 lists all.")


@click.command()
@click.argument("project")
@common
@pass_session
def fields(session: Session, project: str) -> None:
    """List the fields of PROJECT: how many labels on how many images, of which states and kinds."""
    found = session.project(project).fields()
    if session.out.data(found):
        return
    rows = [[item.field.name, item.labels, item.images, _tally(item.by_state), _tally(item.by_kind)] for item in found]
    session.out.table(["field", "labels", "images", "states", "kinds"], rows, none="There are no fields yet.")


def _tally(counts: object) -> str:
    assert hasattr(counts, "items")
    return ", ".join(
        f"{number:,} {getattr(name, 'name', name)}".lower() for name, number in sorted(counts.items()) if number
    )


@click.command()
@click.argument("project")
@click.option("--limit", type=click.IntRange(1), default=30, show_default=True, help="List at most so many.")
@click.option("--undo", "undo", type=int, metavar="CHANGE", help="Undo this change instead of listing.")
@common
@pass_session
def history(session: Session, project: str, limit: int, undo: int | None) -> None:
    """List what was done to the labels of PROJECT, the latest first; or undo one change.

    A change can be undone as long as nothing later touched the same labels.
    """
    opened = session.project(project)
    if undo is not None:
        change = opened.undo(undo)
        if not session.out.data(change):
            session.out.line(f"Undid change {undo}: {count(change.count, 'label')}.")
        return
    found = opened.history(limit=limit)
    if session.out.data(found):
        return
    rows = [[item.id, item.at, item.actor, item.verb, item.count, item.field, _remark(item)] for item in found]
    session.out.table(["change", "when", "who", "what", "labels", "field", "note"], rows, none="Nothing was done yet.")


def _remark(item: object) -> str:
    undone, note = getattr(item, "undone_by", None), getattr(item, "note", "")
    return f"{note} (undone by {undone})".strip() if undone else note
