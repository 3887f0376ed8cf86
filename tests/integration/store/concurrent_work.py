"""A process of test_store_concurrency.

Arguments: ``writer`` or ``reader``, workspace, blobs, field, and how many rounds or a file that ends it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import sqlalchemy as sa

from countersign.domain.geometry import Box
from countersign.domain.label import Label, LabelState, Verb
from countersign.domain.query import parse
from countersign.store import Store, fields, history, images, labels
from countersign.store import tables as t

BATCH = 40


def write(store: Store, field_id: int, rounds: int) -> None:
    """Add batches of labels, and delete, edit and undo now and then."""
    for number in range(rounds):
        with store.write() as c:
            project_id = fields.row(c, field_id).project_id
            ids = images.ids(c, project_id)  # reads first: a deferred transaction would fail here
            change = history.begin(c, project_id, Verb.CREATE, "writer", field_id)
            new = [
                (ids[k % len(ids)], Label("red" if k % 2 else "white", Box(k, 1, 2, 3), k / BATCH, LabelState.PROPOSED))
                for k in range(BATCH)
            ]
            labels.add(c, field_id, new, change_id=change)
        with store.write() as c:
            mine = c.execute(sa.select(t.label.c.id).where(t.label.c.created_change == change)).scalars().all()
            if number % 3 == 0:
                labels.delete(c, mine[:1], history.begin(c, project_id, Verb.DELETE, "writer", field_id))
            elif number % 3 == 1:
                edit = history.begin(c, project_id, Verb.EDIT, "writer", field_id)
                labels.update(c, mine[0], change_id=edit, class_name="blue")
        if number % 3 == 2:
            with store.write() as c:
                history.undo(c, change, "writer")


def read(store: Store, field_id: int, until: Path) -> None:
    """Read until the file is there; what is read in one go must always agree."""
    rounds = 0
    while not until.exists() or not rounds:
        with store.read() as c:
            project_id = fields.row(c, field_id).project_id
            (summary,) = fields.list_all(c, project_id)
            streamed = sum(len(some) for _, some in labels.stream(c, field_id, chunk=7))
            assert streamed == summary.labels == labels.count(c, field_id), (streamed, summary)
            images.page(
                c, project_id, parse("field=ground_truth class=red confidence=0.5.."), limit=5
            ) if streamed else []
        rounds += 1
    print(rounds)


if __name__ == "__main__":
    kind, workspace, blobs, field, last = sys.argv[1:]
    with Store.open(workspace, blobs=Path(blobs)) as opened:
        if kind == "writer":
            write(opened, int(field), int(last))
        else:
            read(opened, int(field), Path(last))
