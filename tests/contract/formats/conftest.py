"""Two small images on disk, and what every format is tried with."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image as Pillow

from countersign.domain.image import Image

WIDTH, HEIGHT = 96, 64


@pytest.fixture(scope="session")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Image]:
    """Three images of 96x64 pixels that exist as files; one name has a folder, a blank and an umlaut."""
    folder = tmp_path_factory.mktemp("pictures")
    made = []
    for number, name in enumerate(("one.png", "sub folder/zwölf.png", "three.png"), 1):
        path = folder / name
        path.parent.mkdir(exist_ok=True)
        pixels = np.full((HEIGHT, WIDTH, 3), number * 40, np.uint8)
        Pillow.fromarray(pixels).save(path)
        made.append(Image(number, 1, name, str(path), f"{number:064x}", WIDTH, HEIGHT, "PNG"))
    return made
