import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from countersign.domain.errors import QueryError
from countersign.domain.image import ImageState
from countersign.domain.label import LabelState
from countersign.domain.query import ImageQuery, LabelFilter, parse

names = st.text(st.characters(codec="utf-8", exclude_characters=","), min_size=1, max_size=8)
several = st.lists(names, max_size=3).map(tuple)
shares = st.none() | st.floats(0, 1)


@st.composite
def queries(draw):
    low, high = sorted((draw(st.floats(0, 1)), draw(st.floats(0, 1))))
    labels = LabelFilter()
    if draw(st.booleans()):
        labels = LabelFilter(
            field=draw(names),
            classes=draw(several),
            min_confidence=draw(st.none() | st.just(low)),
            max_confidence=draw(st.none() | st.just(high)),
            states=tuple(draw(st.sets(st.sampled_from(LabelState)))),
        )
    return ImageQuery(
        text=draw(st.text(max_size=5)),
        ids=draw(st.none() | st.lists(st.integers(1, 99)).map(tuple)),
        names=draw(st.none() | several),
        splits=draw(several),
        tags=draw(several),
        without_tags=draw(several),
        labels=labels,
        has_labels_in=draw(several),
        no_labels_in=draw(several),
        file=draw(st.none() | st.sampled_from(ImageState)),
    )


@given(queries())
def test_data__inverse(query):
    assert ImageQuery.from_data(query.to_data()) == query


def test_data__an_empty_list_of_ids_means_no_image_and_not_all():
    query = ImageQuery.from_data(ImageQuery(ids=()).to_data())
    assert query.ids == ()
    assert not query.empty


def test_parse__every_term():
    query = parse(
        'text~"night shot" id=1,2 name=a.jpg split=train,val tag=x -tag=y field=run class="a b",c '
        "confidence=0.25..0.5 state=proposed,promoted has=gt -has=other file=missing"
    )
    assert query == ImageQuery(
        text="night shot",
        ids=(1, 2),
        names=("a.jpg",),
        splits=("train", "val"),
        tags=("x",),
        without_tags=("y",),
        labels=LabelFilter("run", ("a b", "c"), 0.25, 0.5, (LabelState.PROPOSED, LabelState.PROMOTED)),
        has_labels_in=("gt",),
        no_labels_in=("other",),
        file=ImageState.MISSING,
    )


def test_parse__a_bare_word_is_text():
    assert parse("cells") == ImageQuery(text="cells")
    assert parse("") == ImageQuery()


@pytest.mark.parametrize(
    ("text", "low", "high"), [("0.5", 0.5, 0.5), ("0.5..", 0.5, None), ("..0.5", None, 0.5), ("0..1", 0.0, 1.0)]
)
def test_parse__ranges(text, low, high):
    labels = parse(f"field=f confidence={text}").labels
    assert (labels.min_confidence, labels.max_confidence) == (low, high)


@pytest.mark.parametrize(
    "text",
    [
        "colour=red",
        "id=one",
        'name="a',
        "tag=",
        "class=a",
        "field=f confidence=0.9..0.1",
        "field=f confidence=2",
        "field=f confidence=x",
        "field=f state=maybe",
        "file=gone",
    ],
)
def test_parse__says_which_term_is_wrong(text):
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert str(caught.value)


@given(st.text(max_size=40))
def test_parse__rubbish_is_a_query_or_a_clear_error(text):
    with contextlib.suppress(QueryError):
        assert isinstance(parse(text), ImageQuery)


@pytest.mark.parametrize("data", [{"colour": 1}, {"labels": {"states": [9]}}, {"file": "x"}, {"labels": 5}])
def test_from_data__refuses_rubbish(data):
    with pytest.raises(QueryError):
        ImageQuery.from_data(data)
