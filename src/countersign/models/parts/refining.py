"""What second stages share: the boxes that they are given, on the image that they look at."""

from __future__ import annotations

from collections.abc import Sequence

from countersign.domain.geometry import Box, clip_box
from countersign.domain.label import Prediction
from countersign.models.contract import Pixels, Tally


def boxed(image: Pixels, items: Sequence[Prediction], tally: Tally) -> list[tuple[Prediction, Box]]:
    """Return predictions, each with the bounds of its geometry in pixels, clipped to the image.

    One of which nothing lies on the image, or that has no geometry, is left out and counted as ``degenerate``.
    """
    height, width = image.shape[:2]
    found = [
        (item, box)
        for item in items
        if item.geometry is not None and (box := clip_box(Box(*item.geometry.bounds), width, height)) is not None
    ]
    tally.add("degenerate", len(items) - len(found))
    return found
