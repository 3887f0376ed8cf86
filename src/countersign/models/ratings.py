"""Ratings of speed and performance, 1 to 3, made of published numbers. No rating is ever written by hand.

Models are compared with those that do the same: the same first task and the same kind of vocabulary. Within such a
group each published measure splits the models into thirds by rank. Speed goes by ``gflops`` where at least half of the
group publishes it, else by ``parameters`` (fewer is faster: an estimate, which is why the numbers stand on the card).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

from countersign.domain.model import ModelCard, Task

MEASURES: dict[Task, tuple[str, ...]] = {
    Task.CLASSIFICATION: ("imagenet_top1",),
    Task.DETECTION: ("coco_map", "lvis_map"),
    Task.SEMANTIC_SEGMENTATION: ("coco_voc_miou", "ade20k_miou", "voc_miou"),
    Task.INSTANCE_SEGMENTATION: ("coco_mask_map", "lvis_mask_map"),
    Task.POSE: ("coco_keypoint_map",),
    Task.PROMPTED_SEGMENTATION: ("sav_jf", "coco_click_miou"),
    Task.EMBEDDING: ("imagenet_knn", "imagenet_top1"),
    Task.QUESTIONS: ("mmmu",),
}
"""The measures that stand for performance, by task: higher is better. The first that two models share is used."""


def rate(cards: Iterable[ModelCard]) -> list[ModelCard]:
    """Return the cards with their ratings, in the same order."""
    cards = list(cards)
    groups: dict[tuple[Task, bool], list[ModelCard]] = {}
    for card in cards:
        groups.setdefault((card.tasks[0], card.zero_shot), []).append(card)
    speed: dict[str, int] = {}
    performance: dict[str, int] = {}
    for (task, _), group in groups.items():
        for cost in ("gflops", "parameters"):
            if sum(cost in card.published for card in group) * 2 >= len(group):
                speed |= _thirds(group, cost, sign=-1)
                break
        for measure in reversed(MEASURES.get(task, ())):
            performance |= _thirds(group, measure)
    return [
        dataclasses.replace(card, speed=speed.get(card.name, 0), performance=performance.get(card.name, 0))
        for card in cards
    ]


def _thirds(cards: Sequence[ModelCard], measure: str, *, sign: int = 1) -> dict[str, int]:
    """Return 1, 2 or 3 for each card that has the measure; higher (times ``sign``) is better. One alone gets none."""
    known = [(sign * card.published[measure], card.name) for card in cards if measure in card.published]
    levels = sorted({found for found, _ in known})
    if len(levels) < 2:
        return {}
    place = {level: index / (len(levels) - 1) for index, level in enumerate(levels)}
    return {name: 1 + min(2, int(place[found] * 3)) for found, name in known}
