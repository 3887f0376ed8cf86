"""Text that a network writes, token by token: always the likeliest one, so that the same question gets the same answer.

Used by the families that answer in words. What the words mean is not known here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from countersign.domain.errors import ModelError
from countersign.models.contract import Pixels


def pictures(images: Any) -> list[Any]:
    """Return PIL images of arrays: of those no library guesses wrong which axis is the colour."""
    from PIL import Image

    return [Image.fromarray(_checked(image)) for image in images]


def _checked(image: Pixels) -> Pixels:
    if image.ndim != 3 or image.shape[2] != 3 or not image.size:
        raise ModelError(f"an image of the shape {image.shape} is no RGB image")
    return image


def limit(settings: Mapping[str, Any] | None, default: int) -> int:
    """Return how many tokens may be written: the setting ``max_new_tokens``. Raises ModelError."""
    asked = (settings or {}).get("max_new_tokens", default)
    if isinstance(asked, bool) or not isinstance(asked, int) or not 1 <= asked <= 32768:
        raise ModelError(f"max_new_tokens is {asked!r}", remedy="Give a whole number from 1 to 32768.")
    return asked


def generate(network: Any, inputs: Mapping[str, Any], most: int, *, beams: int = 1) -> Any:
    """Return the tokens (N, L) that the network writes after its inputs; nothing is drawn by chance."""
    import torch

    given = {name: _fitting(value, network) for name, value in inputs.items()}
    ends = network.generation_config.eos_token_id
    padding = network.generation_config.pad_token_id
    if padding is None and ends is not None:
        padding = ends[0] if isinstance(ends, list) else ends
    with torch.inference_mode():
        return network.generate(
            **given,
            max_new_tokens=most,
            num_beams=beams,
            do_sample=False,
            temperature=None,
            top_p=None,
            top_k=None,
            pad_token_id=padding,
        )


def _fitting(value: Any, network: Any) -> Any:
    """Move a tensor to the network's device, numbers with a fraction to its precision."""
    if not hasattr(value, "is_floating_point"):
        return value
    return value.to(network.device, network.dtype if value.is_floating_point() else value.dtype)
