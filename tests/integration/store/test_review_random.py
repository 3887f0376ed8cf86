"""Whatever is done to a run's labels, counts, histograms and pages equal those of a list kept beside the database."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from review_setup import CLASSES, Truth, add_labels, make_review, random_labels
from sqlalchemy.engine import Connection

from countersign.domain.label import LabelState, Verb
from countersign.domain.query import ImageQuery, LabelFilter
from countersign.domain.review import Order
from countersign.store import Store, history, labels, review, review_keys, summary

ACTOR = "ann"
OPEN, YES, NO = LabelState.PROPOSED, LabelState.PROMOTED, LabelState.REJECTED
_SINGLE = [(review.promote, YES, (OPEN, NO)), (review.reject, NO, (OPEN, YES)), (review.restore, OPEN, (NO,))]


def random_filter(rng: random.Random, states: bool = True) -> LabelFilter:
    edges = sorted(rng.choice([0.0, 0.29, 0.3, 0.57, 1.0, rng.random(), rng.randrange(101) / 100]) for _ in range(2))
    low, high = rng.choice([(None, None), (edges[0], None), (None, edges[1]), (edges[0], edges[1])])
    some = tuple(rng.sample(list(LabelState)[1:], rng.randint(1, 3))) if states and rng.random() < 0.6 else ()
    return LabelFilter("", tuple(rng.sample(CLASSES, rng.choice([0, 0, 1, 2]))), low, high, some)


def random_query(rng: random.Random, truth: Truth) -> ImageQuery | None:
    if rng.random() < 0.6:
        return None
    return ImageQuery(ids=tuple(rng.sample(truth.image_ids, rng.randint(0, len(truth.image_ids)))))


def check(c: Connection, truth: Truth, filter: LabelFilter, query: ImageQuery | None) -> None:
    field = truth.run.field_id
    fits = truth.fitting(filter, query)
    total = Counter(k.class_name for k in truth.fitting(LabelFilter("", filter.classes), query).values())
    stats = review.stats(
        c, field, query=query, min_confidence=filter.min_confidence, max_confidence=filter.max_confidence,
        states=filter.states, classes=filter.classes,
    )  # fmt: skip
    current = Counter(k.class_name for k in fits.values())
    assert {s.class_name: (s.current, s.total) for s in stats if s.total or s.current} == {
        name: (current[name], count) for name, count in total.items()
    }
    for stat in stats:
        values = [k.confidence for k in fits.values() if k.class_name == stat.class_name and k.confidence is not None]
        assert stat.mean_confidence == (pytest.approx(np.mean(values), abs=1e-9) if values else None)
    any_range = LabelFilter("", filter.classes, states=filter.states)
    spread = [k.confidence for k in truth.fitting(any_range, query).values() if k.confidence is not None]
    expected = [0] * 50
    for value in spread:
        expected[summary.bin_of(value) // 2] += 1
    assert review.histogram(c, field, query=query, classes=filter.classes, states=filter.states) == expected


def sort_key(order: Order, label_id: int, known: Any) -> Any:
    sign = -1 if order.down else 1
    if order.by_confidence:
        bare = known.confidence is None
        return (bare, 0.0 if bare else sign * known.confidence, sign * label_id)
    return (sign * known.image_id, sign * label_id)


def check_pages(c: Connection, truth: Truth, filter: LabelFilter, query: ImageQuery | None, order: Order) -> None:
    field, fits = truth.run.field_id, truth.fitting(filter, query)
    expected = [i for i, _ in sorted(fits.items(), key=lambda item: sort_key(order, *item))]
    found: list[Any] = []
    after = None
    while True:
        page = review.page_labels(c, field, labels=filter, query=query, order=order, after=after, limit=17)
        found += page.items
        after = page.next
        if after is None:
            break
        assert len(page.items) == 17
    assert [x.id for x in found] == expected
    assert all(x.state is truth.labels[x.id].state for x in found)
    expected_images = list(dict.fromkeys(truth.labels[i].image_id for i in expected))
    images: list[int] = []
    while True:
        chosen = review.page_images(c, field, labels=filter, query=query, order=order, after=after, limit=5)
        images += [image.id for image in chosen.items]
        after = chosen.next
        if after is None:
            break
    assert images == expected_images


def act(c: Connection, rng: random.Random, truth: Truth) -> None:
    field = truth.run.field_id
    some = rng.sample(sorted(truth.labels), min(4, len(truth.labels)))
    filter, query = random_filter(rng), random_query(rng, truth)
    which = rng.randrange(10)
    if which <= 2:
        do, to, default = (review.promote, YES, OPEN) if which else (review.reject, NO, OPEN)
        change = do(c, field, filter=filter, query=query, actor=ACTOR)
        asked = filter if filter.states else replace(filter, states=(default,))
        hit = {i for i, k in truth.fitting(asked, query).items() if k.state is not to}
        assert change.count == len(hit)
        truth.set(hit, to)
    elif which == 3:
        classes = rng.choice([(), ("cat",), ("dog", "owl")])
        change = review.undo_promotion(c, field, classes=classes, actor=ACTOR)
        hit = set(truth.fitting(LabelFilter("", classes, states=(YES,))))
        assert change.count == len(hit)
        truth.set(hit, OPEN)
    elif which == 4:
        do, to, from_ = rng.choice(_SINGLE)
        change = do(c, field, ids=some, actor=ACTOR)
        hit = {i for i in some if truth.labels[i].state in from_}
        assert change.count == len(hit)
        truth.set(hit, to)
    elif which == 5:
        name = rng.choice(CLASSES)
        edited = review.edit(c, field, some[0], class_name=name, actor=ACTOR)
        assert (edited.class_name, edited.state) == (name, YES)
        truth.labels[some[0]].class_name = name
        truth.labels[some[0]].state = YES
    elif which == 6:
        labels.delete(c, some[:2], history.begin(c, truth.project_id, Verb.DELETE, ACTOR, field_id=field))
        for label_id in some[:2]:
            truth.labels.pop(label_id, None)
    elif which == 7:
        add_labels(c, truth, random_labels(rng, truth, 20))
    else:
        before = {i: k.state for i, k in truth.labels.items()}
        change = review.promote(c, field, filter=LabelFilter("", (), 0.5), actor=ACTOR)
        history.undo(c, change.id, ACTOR)
        assert before == {i: k.state for i, k in truth.labels.items()}


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("few", [0, review_keys.FEW])
def test_random_operations(store: Store, seed: int, few: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With ``few`` 0 every page walks an index; otherwise it collects and sorts."""
    monkeypatch.setattr(review_keys, "FEW", few)
    monkeypatch.setattr(review_keys, "SMALL_QUERY", few)
    monkeypatch.setattr(review_keys, "AROUND", few and rng_of(seed).choice([0, few]))
    rng = rng_of(seed)
    with store.write() as c:
        truth = make_review(c)
        add_labels(c, truth, random_labels(rng, truth, 200))
    for _ in range(15):
        with store.write() as c:
            act(c, rng, truth)
            check(c, truth, random_filter(rng), random_query(rng, truth))
            check_pages(c, truth, random_filter(rng), random_query(rng, truth), rng.choice(list(Order)))
    with store.write() as c:
        kept = summary.counted(c, truth.run.field_id)
        summary.rebuild(c, truth.run.field_id)
        again = summary.counted(c, truth.run.field_id)
        assert (kept.bins, kept.blocks) == (again.bins, again.blocks)
        promoted = truth.fitting(LabelFilter(states=(LabelState.PROMOTED,)))
        change = review.approve(c, truth.run.id, actor="bob")
        assert change.count == len(promoted)
    with store.read() as c:
        for known in truth.labels.values():
            if known.state is LabelState.PROPOSED:
                known.state = LabelState.REJECTED
        for order in Order:
            check(c, truth, random_filter(rng), random_query(rng, truth))
            check_pages(c, truth, random_filter(rng), random_query(rng, truth), order)


def rng_of(seed: int) -> random.Random:
    return random.Random(seed)
