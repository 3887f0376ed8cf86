"""Networks that say what they are told to: after each token a certain other one, whatever the image shows.

A network with random weights would never write a box. Its embeddings are large, its layers small: what comes out at
the end is nearly the token that went in, and the output layer answers each with the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any


def tell(network: Any, tokens: Sequence[int], *, also: Sequence[tuple[int, int]] = (), inner: Any = None) -> None:
    """Make a network write each of ``tokens`` after the one before, and of each pair in ``also`` the second.

    ``inner`` is what embeds the words that are written, where the network has another for those that it reads.
    """
    import torch

    with torch.no_grad():
        inner = inner or network.get_input_embeddings()
        inner.weight.normal_(0, 1)
        outer = network.get_output_embeddings()
        outer.weight.normal_(0, 0.01)
        for first, second in [*pairwise(tokens), *also]:
            outer.weight[second] += 4 * inner.weight[first]  # sure enough for a search with several beams
