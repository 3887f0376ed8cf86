"""How outputs are read: one class for each kind, found by the word after ``decoder:`` in a description.

A new kind is a subclass of ``base.Output`` with a ``decoder`` of its own, and a place in ``Decoder`` here.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias, get_args

from pydantic import Field

from countersign.models.onnx.decoders.boxes import BoxesAndScores
from countersign.models.onnx.decoders.classes import Classes
from countersign.models.onnx.decoders.embedding import Embedding
from countersign.models.onnx.decoders.grids import FastestDet, Yolox
from countersign.models.onnx.decoders.points import Heatmaps, Points
from countersign.models.onnx.decoders.priors import Priors
from countersign.models.onnx.decoders.semantic import Semantic
from countersign.models.onnx.decoders.yolo import Yolo, YoloEnd

_Any: TypeAlias = (
    Yolo | YoloEnd | Yolox | FastestDet | BoxesAndScores | Priors | Classes | Semantic | Points | Heatmaps | Embedding
)
Decoder: TypeAlias = Annotated[_Any, Field(discriminator="decoder")]
"""One of them, told apart by its ``decoder``."""

KINDS: tuple[type[_Any], ...] = get_args(_Any)


def names() -> tuple[str, ...]:
    """Return every word that ``decoder:`` may be."""
    return tuple(name for kind in KINDS for name in get_args(kind.model_fields["decoder"].annotation))
