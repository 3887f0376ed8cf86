"""From small maps of logits to the pixels of an image, within bounded memory.

150 classes at the size of a photograph of 12 megapixels are 7 GB of float32, so maps are enlarged a few rows at a time
and only the winner and its share are kept. What the maps mean is known to the families.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from countersign.models.parts.results import Size

_BUDGET = 4_000_000
"""How many numbers of enlarged maps are held at once: 16 MB of float32 stay near the processor."""


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
        return _resize(self.unpad(maps), self.size)

    def unpad(self, maps: Any) -> Any:
        """Return maps as they are where the image fills the input, else at its size, without the padding."""
        if self.seen is None or self.valid is None:
            return maps.float()
        return _resize(maps.float(), self.seen)[..., : self.valid[0], : self.valid[1]]

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
    return functional.interpolate(maps[None], size=size, mode="bilinear", align_corners=False)[0]


def _rows(maps: Any, size: Size, first: int, last: int) -> Any:
    """Return rows ``first`` up to ``last`` of what ``_resize`` makes of the maps."""
    import torch

    height = maps.shape[1]
    at = ((torch.arange(first, last, device=maps.device) + 0.5) * (height / size[0]) - 0.5).clamp(0, height - 1)
    above = at.floor().long()
    weight = (at - above)[None, :, None]
    lines = maps[:, above] * (1 - weight) + maps[:, (above + 1).clamp_max(height - 1)] * weight
    return _resize(lines, (last - first, size[1]))


def winners(maps: Any, frame: Frame, *, logits: bool) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the class of each pixel (H, W) and its share (H, W) in 0..1.

    ``maps`` is (C, h, w). With ``logits`` the share is the softmax over the classes, else the map's part of the sum of
    all maps, which are not negative then. Only maps that can win somewhere are enlarged one by one; the others count
    in the sum as one map (of logits: nearly so, as the logarithm of their sum is interpolated in place of them).
    """
    import torch

    def total(part: Any) -> Any:
        return torch.logsumexp(part, dim=0) if logits else part.sum(dim=0)

    maps = maps.float()
    able = _able(maps)
    chosen, count = able.nonzero()[:, 0], int(able.sum())
    kept = maps[chosen] if count == len(maps) else torch.cat([maps[chosen], total(maps[~able])[None]])
    kept = frame.unpad(kept)
    height, width = frame.size
    index = torch.empty((height, width), dtype=torch.int64, device=maps.device)
    share = torch.empty((height, width), device=maps.device)
    step = max(1, _BUDGET // (len(kept) * width))
    for first in range(0, height, step):
        rows = slice(first, min(first + step, height))
        part = _rows(kept, frame.size, rows.start, rows.stop)
        best, place = part[:count].max(dim=0)
        index[rows] = chosen[place]
        share[rows] = (best - total(part)).exp() if logits else best / total(part).clamp_min(1e-12)
    return index.cpu().numpy(), share.cpu().numpy()


def _able(maps: Any) -> Any:
    """Return (C,) true for maps that can be the highest somewhere after enlarging.

    A bilinear value lies between the least and the greatest of its neighbours, so a map whose greatest one is below the
    least one of another map cannot win there.
    """
    from torch.nn import functional

    greatest = functional.max_pool2d(maps[None], 3, stride=1, padding=1)[0]
    least = -functional.max_pool2d(-maps[None], 3, stride=1, padding=1)[0]
    return (greatest >= least.amax(dim=0)).flatten(1).any(dim=1)


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
