"""Networks with random weights, the same each time, saved as their library saves them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any


def save(
    make: Callable[[], Any], folder: Path, *processors: Any, seed: int = 0, spread: float = 0.0, side: int = 0
) -> Any:
    """Make a network with a fixed seed and save it and what prepares its inputs. Returns the network.

    ``spread`` above 0 draws all weights of two or more dimensions anew with that standard deviation: initial weights
    of some libraries are so small that every query says the same. ``side`` above 0 lets layers that normalise by what
    they saw in training see noise of that many pixels: else features fade from layer to layer, with the same end.
    """
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(seed)
        network = make().eval()
        if spread:
            with torch.no_grad():
                for value in network.parameters():
                    if value.ndim > 1:
                        value.normal_(0, spread)
        if side:
            _shown_noise(network, side)
        network.save_pretrained(folder)
        for processor in processors:
            processor.save_pretrained(folder)
    return network


def _shown_noise(network: Any, side: int) -> None:
    import torch

    norms = [module for module in network.modules() if isinstance(module, torch.nn.BatchNorm2d)]
    for norm in norms:
        norm.momentum = 1.0
    with torch.no_grad():
        network.train()(pixel_values=torch.randn(4, 3, side, side))
    for norm in norms:
        norm.momentum = 0.1
    network.eval()


def labels(names: tuple[str, ...]) -> dict[str, dict[Any, Any]]:
    """Return what a configuration says of its classes."""
    return {"id2label": dict(enumerate(names)), "label2id": {name: i for i, name in enumerate(names)}}
