"""One question about a batch of images, whatever happens: an image that fails does not take the others with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from countersign import imaging
from countersign.domain.errors import CountersignError, ModelError
from countersign.models.contract import Asker, Pixels
from countersign.models.parts.memory import is_out_of_memory
from countersign.runs.predicting import explain, free_memory, is_fatal


@dataclass(frozen=True, slots=True)
class Said:
    """What came of the question for one image: ``text``, or None and the reason in ``error``."""

    text: str | None
    error: str = ""


def as_asker(found: object, reference: str) -> Asker:
    """Return a model that was loaded, as one that answers questions. Raises ModelError where it does not."""
    if isinstance(found, Asker):
        return found
    raise ModelError(
        f"The model {reference!r} answers no questions",
        remedy="'countersign models list --task questions' names those that do.",
    )


def ask(asker: Asker, paths: Sequence[str], question: str, settings: Mapping[str, Any]) -> list[Said]:
    """Put a question to the images at some paths; one result for each. Raises where no image can be to blame."""
    read: list[Pixels | Said] = [_read(path) for path in paths]
    answers = iter(_answers(asker, [item for item in read if not isinstance(item, Said)], question, settings))
    return [item if isinstance(item, Said) else next(answers) for item in read]


def _read(path: str) -> Pixels | Said:
    try:
        return imaging.read_rgb(path)
    except (CountersignError, OSError) as error:
        return Said(None, explain(error))


def _answers(asker: Asker, images: list[Pixels], question: str, settings: Mapping[str, Any]) -> list[Said]:
    """Ask for all at once; where that fails, for each half by itself."""
    if not images:
        return []
    try:
        return [Said(text) for text in asker.ask(images, question, settings=settings)]
    except Exception as error:
        if is_fatal(error):
            raise
        if len(images) == 1:
            return [Said(None, explain(error))]
        full = is_out_of_memory(error)
    if full:
        free_memory()
    middle = len(images) // 2
    return [
        *_answers(asker, images[:middle], question, settings),
        *_answers(asker, images[middle:], question, settings),
    ]
