import pytest

from countersign.domain.errors import InvalidInput, SettingsError, WrongState
from countersign.domain.run import MOVES, RunSpec, RunState, check_field_name, check_move


def test_moves__as_designed():
    assert RunState.PAUSED in MOVES[RunState.GENERATING]
    assert RunState.IN_REVIEW in MOVES[RunState.ERROR]
    assert RunState.IN_REVIEW in MOVES[RunState.CANCELLED]
    assert MOVES[RunState.APPROVED] == frozenset()
    assert set(MOVES) == set(RunState)


def test_check_move__every_pair():
    for now in RunState:
        for to in RunState:
            if to in MOVES[now]:
                check_move("r", now, to)
            else:
                with pytest.raises(WrongState, match="cannot become"):
                    check_move("r", now, to)


@pytest.mark.parametrize("name", ["a", "ground_truth", "yolo-run.2", "Größe", "x" * 64])
def test_field_name__good(name):
    assert check_field_name(name) == name


@pytest.mark.parametrize("name", ["", "1a", "_a", "a b", "x" * 65, "a/b", "a\n", "a;drop"])
def test_field_name__bad(name):
    with pytest.raises(InvalidInput):
        check_field_name(name)


@pytest.mark.parametrize("change", [{"min_confidence": 1.1}, {"workers": 0}, {"batch_size": 0}])
def test_spec__ranges(change):
    with pytest.raises(SettingsError):
        RunSpec(model="m", field="f", **change)
