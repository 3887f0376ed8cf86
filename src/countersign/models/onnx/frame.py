"""Bringing an image into a network's input and its results back: one scale and shift for each axis.

Points are continuous pixels: (0, 0) is the outer corner of the first pixel, as everywhere in Countersign.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Size = tuple[int, int]
"""Height and width in pixels."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Where an image lies in the input: input x = image x * ``scale_x`` + ``left``, and so for y."""

    image: Size
    input: Size
    scale_x: float
    scale_y: float
    left: float = 0.0
    top: float = 0.0

    def points(self, points: NDArray[Any]) -> NDArray[np.float64]:
        """Move points (..., 2: x, y) from the input to the image."""
        moved: NDArray[np.float64] = np.asarray(points, np.float64) - (self.left, self.top)
        return moved / (self.scale_x, self.scale_y)

    def corners(self, corners: NDArray[Any]) -> NDArray[np.float64]:
        """Move boxes (N, 4: x0, y0, x1, y1) from the input to the image."""
        return self.points(np.asarray(corners, np.float64).reshape(-1, 2, 2)).reshape(-1, 4)

    def sample(self, grid: NDArray[Any], area: tuple[int, int, int, int], *, smooth: bool = True) -> NDArray[Any]:
        """Read a map that covers the whole input, (h, w) or (h, w, C up to 4), at the pixels of a part of the image.

        ``area`` is x0, y0, x1, y1 in whole pixels. What lies outside the map repeats its edge.
        """
        import cv2

        x0, y0, x1, y1 = area
        rows, columns = grid.shape[:2]
        across, down = columns / self.input[1], rows / self.input[0]
        # cv2 counts from the middle of the first pixel: hence the halves.
        step_x, step_y = self.scale_x * across, self.scale_y * down
        move = np.array(
            [
                [step_x, 0, ((x0 + 0.5) * self.scale_x + self.left) * across - 0.5],
                [0, step_y, ((y0 + 0.5) * self.scale_y + self.top) * down - 0.5],
            ]
        )
        way = (cv2.INTER_LINEAR if smooth else cv2.INTER_NEAREST) | cv2.WARP_INVERSE_MAP
        found: NDArray[Any] = cv2.warpAffine(grid, move, (x1 - x0, y1 - y0), flags=way, borderMode=cv2.BORDER_REPLICATE)
        return found
