"""Images prepared one by one and put together into batches in which nothing is padded.

Several families give other results for an image that was padded to the size of its neighbours, so images go into one
batch only where their tensors have equal shapes: a batch of mixed sizes then equals one image at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from countersign.models.contract import Pixels
from countersign.models.parts.results import Size

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Prepared:
    """One image as its network wants it: tensors by name, the first dimension 1; ``size`` is that of the image."""

    inputs: dict[str, Any]
    size: Size


def prepare(processor: Any, image: Pixels, **settings: Any) -> Prepared:
    """Prepare one image with an image processor of transformers."""
    # Said outright: of an image that is 3 pixels high or wide the library would guess wrong.
    whole = np.ascontiguousarray(image)  # a mirrored view has steps backwards, which torch refuses
    inputs = processor(images=whole, return_tensors="pt", input_data_format="channels_last", **settings)
    return Prepared(dict(inputs), (image.shape[0], image.shape[1]))


def run(
    prepared: Sequence[Prepared], device: str, forward: Callable[[dict[str, Any], Sequence[Prepared]], Sequence[T]]
) -> list[T]:
    """Call ``forward`` for each group of images with equal shapes; returns one result per image, in their order.

    ``forward`` gets the stacked tensors on the device, and the images that they are of.
    """
    groups: dict[tuple[Any, ...], list[int]] = {}
    for index, item in enumerate(prepared):
        shape = tuple((name, tuple(value.shape)) for name, value in item.inputs.items() if hasattr(value, "shape"))
        groups.setdefault(shape, []).append(index)
    results: dict[int, T] = {}
    for indices in groups.values():
        members = [prepared[i] for i in indices]
        found = forward(_stack(members, device), members)
        results.update(zip(indices, found, strict=True))
    return [results[i] for i in range(len(prepared))]


def _stack(members: Sequence[Prepared], device: str) -> dict[str, Any]:
    import torch

    return {
        name: torch.cat([item.inputs[name] for item in members]).to(device)
        for name, value in members[0].inputs.items()
        if hasattr(value, "shape")
    }
