"""Writes docs/reference/models.md from the cards of the catalogue.

``python -m countersign.models.reference`` prints the page; a test checks that the one in the docs is fresh.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from countersign.domain.model import ModelCard, Task
from countersign.models import catalogue, vocabularies

TITLES: dict[Task, tuple[str, str]] = {
    Task.CLASSIFICATION: ("Classification", "A label of the whole image."),
    Task.DETECTION: ("Detection", "Boxes."),
    Task.INSTANCE_SEGMENTATION: ("Instance segmentation", "A mask for each object."),
    Task.SEMANTIC_SEGMENTATION: ("Semantic segmentation", "A mask for each class."),
    Task.POSE: ("Pose", "Keypoints."),
    Task.PROMPTED_SEGMENTATION: ("Prompted segmentation", "A mask for each click or box; second stage of detectors."),
    Task.EMBEDDING: ("Embedding", "A vector for each image."),
    Task.QUESTIONS: ("Questions", "Answers in words."),
}
MEASURES = {
    "coco_map": "COCO box AP",
    "coco_mask_map": "COCO mask AP",
    "coco_keypoint_map": "COCO keypoint AP",
    "coco_voc_miou": "COCO with VOC's classes, mIoU",
    "coco_click_miou": "COCO, one click, mIoU",
    "lvis_map": "LVIS box AP",
    "lvis_mask_map": "LVIS mask AP",
    "oiv7_map": "Open Images V7 box AP",
    "ade20k_miou": "ADE20K mIoU",
    "cityscapes_miou": "Cityscapes mIoU",
    "voc_miou": "VOC mIoU",
    "imagenet_top1": "ImageNet top-1",
    "imagenet_knn": "ImageNet k-NN",
    "sav_jf": "SA-V J&F",
    "mmmu": "MMMU",
}
"""What published measures are called; one that is not here stands under its own name."""
_COSTS = ("parameters", "gflops")
_RATING = {0: "", 1: "▮", 2: "▮▮", 3: "▮▮▮"}
_HEAD = (
    "name", "family", "size", "vocabulary", "licence of weights", "licence of code", "parameters (M)", "GFLOPs",
    "published", "read at", "speed", "performance", "needs",
)  # fmt: skip

_EXPLAINED = (
    "*Published* are the figures of the models' authors or libraries, on their own test sets, in percent: they say",
    "little about your images. Speed and performance are ratings 1 to 3 among models of the same task and kind of",
    "vocabulary, made of these figures; nothing published, no rating. *Vocabulary* is the list of its classes;",
    "*any words* means that it takes yours. *GPU* means: too slow to be useful without one.",
)


def page(cards: Sequence[ModelCard]) -> str:
    """Return the whole page as Markdown."""
    return "\n".join(_lines(cards)).rstrip() + "\n"


def _lines(cards: Sequence[ModelCard]) -> Iterator[str]:
    found = {task: [card for card in cards if task in card.tasks] for task in TITLES}
    found = {task: listed for task, listed in found.items() if listed}
    yield "# Models of the catalogue"
    yield ""
    yield "Made from the models' cards by `python -m countersign.models.reference`; do not edit."
    yield ""
    yield f"{len(cards)} models. Each does what its table says; one that does several things stands in several tables."
    yield "How to use one: [Models](../guide/models.md); what its family can do: [families](../guide/models/README.md)."
    yield "Any other checkpoint of a family works too, and so do [your own](../guide/own-models.md)."
    yield ""
    yield from _EXPLAINED
    yield ""
    yield " · ".join(f"[{TITLES[task][0]}](#{_anchor(task)}) ({len(listed)})" for task, listed in found.items())
    for task, listed in found.items():
        yield ""
        yield from _table(task, listed)


def _anchor(task: Task) -> str:
    return TITLES[task][0].lower().replace(" ", "-")


def _table(task: Task, cards: Sequence[ModelCard]) -> Iterator[str]:
    sources = list(dict.fromkeys(card.published_source for card in cards if card.published_source))
    title, gives = TITLES[task]
    yield from (f"## {title}", "", gives, "")
    yield f"| {' | '.join(_HEAD)} |"
    yield "|" + "---|" * len(_HEAD)
    for card in cards:
        yield f"| {' | '.join(_row(card, sources))} |"
    yield ""
    for number, source in enumerate(sources, start=1):
        yield f"{number}. {'parameters counted' if source == 'counted' else source}"


def _row(card: ModelCard, sources: Sequence[str]) -> tuple[str, ...]:
    return (
        f"[{card.name}]({card.source})" if card.source else card.name,
        f"`{card.family}`",
        card.size,
        _vocabulary(card),
        card.licence,
        card.code_licence,
        _number(card, "parameters"),
        _number(card, "gflops"),
        ", ".join(f"{MEASURES.get(name, name)} {value:g}" for name, value in _measures(card)),
        f"{sources.index(card.published_source) + 1}" if card.published_source else "",
        _RATING[card.speed],
        _RATING[card.performance],
        ", ".join(part for part in (f"`countersign[{card.extra}]`" if card.extra else "", "GPU" * card.gpu) if part),
    )


def _measures(card: ModelCard) -> list[tuple[str, float]]:
    return [(name, value) for name, value in card.published.items() if name not in _COSTS]


def _number(card: ModelCard, name: str) -> str:
    return f"{card.published[name]:g}" if name in card.published else ""


def _vocabulary(card: ModelCard) -> str:
    if card.zero_shot:
        return "any words"
    if not card.classes:
        return "none"
    lists = {
        "COCO": vocabularies.coco(),
        "VOC": vocabularies.voc(),
        "ADE20K": vocabularies.ade20k(),
        "Cityscapes": vocabularies.cityscapes(),
        "ImageNet": vocabularies.imagenet(),
    }
    name = next((name for name, classes in lists.items() if set(classes) == set(card.classes)), "")
    if len(card.classes) == 1:
        return card.classes[0]
    if not name and card.classes == vocabularies.imagenet_lemmas():
        name = "ImageNet"
    return f"{name} ({len(card.classes)})" if name else f"{len(card.classes)} classes"


if __name__ == "__main__":
    print(page(catalogue.built_in()), end="")
