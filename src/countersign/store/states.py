"""How the state of a label reads once its field is closed.

Approving a run closes its field: what was not promoted reads as rejected from then on. Nothing is rewritten for that,
however many labels there are; whoever reads or filters states asks here.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from countersign.domain.errors import WrongState
from countersign.domain.label import LabelState


def shown(state: int, *, closed: bool) -> LabelState:
    """Return the state that a stored one reads as."""
    return LabelState.REJECTED if closed and state == LabelState.PROPOSED else LabelState(state)


def stored(states: Iterable[LabelState], *, closed: bool) -> tuple[LabelState, ...]:
    """Return the stored states that read as one of these. May be none: nothing is proposed in a closed field."""
    wanted = set(states)
    if closed:
        wanted.discard(LabelState.PROPOSED)
        if LabelState.REJECTED in wanted:
            wanted.add(LabelState.PROPOSED)
    return tuple(sorted(wanted))


def shown_column(state: sa.ColumnElement[int], *, closed: bool) -> sa.ColumnElement[int]:
    """The same as ``shown``, as an expression."""
    if not closed:
        return state
    return sa.case((state == int(LabelState.PROPOSED), int(LabelState.REJECTED)), else_=state)


def check_open(field: str, *, closed: bool) -> None:
    """Raise WrongState if a field is closed: its run was approved, and its labels stay as they are."""
    if closed:
        raise WrongState(
            f"The run that wrote {field!r} is approved and its labels are closed",
            remedy="Change the labels in the field that they were approved into.",
        )
