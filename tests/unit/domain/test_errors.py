import inspect
import pickle
import re

import pytest

from countersign.domain import errors
from countersign.domain.errors import (
    CountersignError,
    FormatError,
    ImageError,
    InvalidInput,
    NameTaken,
    NotFound,
    SettingsError,
    WrongState,
)

ALL = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, CountersignError)]


def test_tree__drawn_as_it_is():
    drawn = set(re.findall(r"[├└]── (\w+)", errors.__doc__ or ""))
    assert drawn == {kind.__name__ for kind in ALL} - {"CountersignError"}


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (NotFound("field", "x", known=("a", "b")), "There is no field 'x'. There are: a, b."),
        (NameTaken("run", "r"), "There is already a run named 'r'. Choose another name."),
        (FormatError("no class", file="a.xml", where="line 3"), "a.xml (line 3): no class."),
        (ImageError("a.jpg", "the file is empty"), "a.jpg: the file is empty."),
        (SettingsError("epochs", 0, "1 to 500"), "epochs is 0, which is not allowed. Allowed: 1 to 500."),
        (WrongState("It is approved.", remedy="Start another."), "It is approved. Start another."),
    ],
)
def test_text__one_sentence_and_the_remedy(error, text):
    assert str(error) == text
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == text
    assert type(again) is type(error)
    assert vars(again) == vars(error)


def test_exit_codes__say_which_branch():
    codes = {kind: kind.exit_code for kind in ALL if kind.__bases__[0] is CountersignError}
    assert len(set(codes.values())) == len(codes)
    assert InvalidInput.exit_code == 2
