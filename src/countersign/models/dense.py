"""From small maps of logits to the pixels of an image, within bounded memory.

150 classes at the size of a photograph of 12 megapixels are 7 GB of float32, so maps are enlarged a few classes at a
time and only the winner and its share are kept. What the maps mean is known to the families.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.models.results import Size

_BUDGET = 64_000_000
"""How many numbers of enlarged maps are held at once (256 MB of float32)."""


@dataclass(frozen=True, slots=True)
class Frame:
    """How an image lies in what a network saw.

    ``size`` is the image's own (height, width). ``seen`` is the size of the network's input, ``valid`` the part of it
    from the top left corner that is the image: the rest is padding. Both None where the image fills the input.
    """

    size: Size
    seen: Size | None = None
    valid: Size | None = None

    def enlarge(self, maps: Any) -> Any:
        """Return maps (C, h, w) at the size of the image: (C, H, W), bilinear, without the padding."""
        found = maps[None].float()
        if self.seen is not None and self.valid is not None:
            found = _resize(found, self.seen)[..., : self.valid[0], : self.valid[1]]
        return _resize(found, self.size)[0]

    def crop(self, maps: Any) -> Any:
        """Return the part of small maps (C, h, w) that is the image."""
        if self.seen is None or self.valid is None:
            return maps
        rows, columns = (
            max(1, round(whole * part / of))
            for whole, part, of in zip(maps.shape[-2:], self.valid, self.seen, strict=True)
        )
        return maps[..., :rows, :columns]


def _resize(maps: Any, size: Size) -> Any:
    from torch.nn import functional

    if tuple(maps.shape[-2:]) == tuple(size):
        return maps
    return functional.interpolate(maps, size=size, mode="bilinear", align_corners=False)


def winners(maps: Any, frame: Frame, *, logits: bool) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the class of each pixel (H, W) and its share (H, W) in 0..1.

    ``maps`` is (C, h, w). With ``logits`` the share is the softmax over the classes, else the map's part of the sum of
    all maps, which are not negative then.
    """
    import torch

    def mass(part: Any) -> Any:
        return torch.logsumexp(part, dim=0) if logits else part.sum(dim=0)

    step = max(1, _BUDGET // (frame.size[0] * frame.size[1]))
    part = frame.enlarge(maps[:step])
    (best, index), total = part.max(dim=0), mass(part)
    for first in range(step, maps.shape[0], step):
        part = frame.enlarge(maps[first : first + step])
        found, where = part.max(dim=0)
        index = torch.where(found > best, where + first, index)
        best = torch.maximum(best, found)
        total = torch.logaddexp(total, mass(part)) if logits else total + mass(part)
    share = (best - total).exp() if logits else best / total.clamp_min(1e-12)
    return index.cpu().numpy(), share.float().cpu().numpy()


class Lazy(Sequence[NDArray[np.bool_]]):
    """Masks (H, W) that are painted when they are looked at: a hundred of a large image would not fit together."""

    def __init__(self, count: int, paint: Callable[[int], NDArray[np.bool_]]) -> None:
        self._count = count
        self._paint = paint
        self._last: tuple[int, NDArray[np.bool_]] | None = None

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, index: Any) -> Any:
        if not 0 <= index < self._count:
            raise IndexError(index)
        if self._last is None or self._last[0] != index:
            self._last = index, self._paint(index)
        return self._last[1]

    def __iter__(self) -> Iterator[NDArray[np.bool_]]:
        return (self[i] for i in range(self._count))
