from __future__ import annotations

import pytest

from countersign.domain.errors import WrongState
from countersign.domain.label import LabelState
from countersign.store import states

S = LabelState


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("asked", [(S.PROPOSED,), (S.REJECTED,), (S.PROMOTED, S.REJECTED), tuple(S), ()])
def test_stored__says_which_read_as_these(closed: bool, asked: tuple[LabelState, ...]) -> None:
    found = {state for state in S if states.shown(state, closed=closed) in asked}
    assert set(states.stored(asked, closed=closed)) == found


def test_shown__in_a_closed_field() -> None:
    shown = [states.shown(state, closed=True) for state in S]
    assert shown == [S.VERIFIED, S.REJECTED, S.PROMOTED, S.REJECTED]


def test_check_open() -> None:
    states.check_open("run_1", closed=False)
    with pytest.raises(WrongState, match="run_1"):
        states.check_open("run_1", closed=True)
