"""What zero-shot models are asked for: the texts, and the class that each stands for."""

from __future__ import annotations

from dataclasses import dataclass

from countersign.domain.errors import ModelError
from countersign.models.contract import PredictOptions

SAME_OBJECT = 0.7
"""Two boxes that overlap by more than this (intersection over union) are taken for one object."""


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts for a model and, at the same places, their classes ("" for a negative prompt). Can be a key."""

    texts: tuple[str, ...]
    names: tuple[str, ...]


def texts_of(options: PredictOptions, template: str = "{}") -> Texts:
    """Return what to look for: the prompts as they were written, or each class put into ``template``.

    The setting ``template`` replaces the model's own ("{}" is where the class goes). Raises ModelError where neither
    classes nor prompts were given.
    """
    template = str(options.settings.get("template", template))
    if options.prompts:
        wanted = set(options.classes)
        pairs = [
            (prompt.text.strip(), prompt.class_name)
            for prompt in options.prompts
            if not wanted or not prompt.class_name or prompt.class_name in wanted
        ]
    else:
        if "{}" not in template:
            raise ModelError(f"the template {template!r} has no place for the class", remedy="Write {} where it goes.")
        pairs = [(template.replace("{}", name), name) for name in options.classes]
    pairs = [(text, name) for text, name in pairs if text]
    if not any(name for _, name in pairs):
        raise ModelError(
            "a zero-shot model must be told what to look for",
            remedy="Name at least one class, or write a prompt for one.",
        )
    return Texts(tuple(text for text, _ in pairs), tuple(name for _, name in pairs))
