from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.domain.errors import QueryError
from countersign.domain.image import ImageState
from countersign.domain.label import LabelState
from countersign.domain.query import ImageQuery, LabelFilter, parse
from countersign.server.querytext import read, to_text, without_labels

WORDS = st.text(
    st.characters(exclude_characters=",", exclude_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1, max_size=12
)
SOME = st.lists(WORDS, max_size=3).map(tuple)
SURE = st.one_of(st.none(), st.integers(0, 100).map(lambda number: number / 100))


@st.composite
def queries(draw: st.DrawFn) -> ImageQuery:
    low, high = draw(SURE), draw(SURE)
    if low is not None and high is not None and low > high:
        low, high = high, low
    labels = LabelFilter(
        draw(WORDS), draw(SOME), low, high, tuple(draw(st.lists(st.sampled_from(LabelState), max_size=2, unique=True)))
    )
    return ImageQuery(
        text=draw(st.one_of(st.just(""), WORDS)),
        ids=draw(st.one_of(st.none(), st.lists(st.integers(1, 10**6), min_size=1, max_size=3).map(tuple))),
        splits=draw(SOME),
        tags=draw(SOME),
        without_tags=draw(SOME),
        labels=draw(st.sampled_from([labels, LabelFilter()])),
        has_labels_in=draw(SOME),
        file=draw(st.sampled_from([None, *ImageState])),
    )


@given(queries())
def test_words_say_the_same(query: ImageQuery) -> None:
    assert parse(to_text(query)) == query


@given(queries())
def test_json_says_the_same(query: ImageQuery) -> None:
    if not query.empty:
        assert read(json.dumps(query.to_data())) == query


NONSENSE = (
    '{"text": 5}',
    '{"ids": ["1"]}',
    '{"ids": [0]}',
    '{"other": 1}',
    "{",
    '{"labels": {"states": [9]}}',
    "id=0",
    "id=99999999999999999999",
)


@pytest.mark.parametrize("text", NONSENSE)
def test_read__nonsense(text: str) -> None:
    with pytest.raises(QueryError):
        read(text)


def test_without_labels() -> None:
    assert without_labels(parse("field=auto class=cell")) is None
    assert without_labels(parse("field=auto split=val")) == parse("split=val")
