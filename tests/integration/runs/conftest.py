from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import fake_models  # registers the family
import numpy as np
import pytest

from countersign import imaging
from countersign.domain.image import Project
from countersign.runs.executors import Processes
from countersign.store import Store, images, projects
from countersign.store.images import NewImage

__all__ = ["fake_models"]


@pytest.fixture
def project_of(store: Store, tmp_path: Path) -> Callable[[int], Project]:
    """A function that makes a project with so many small images, all different, the first of them black."""

    def make(count: int) -> Project:
        folder = tmp_path / "pictures"
        folder.mkdir()
        rng = np.random.default_rng(0)
        items = []
        for index in range(count):
            pixels = rng.integers(0, 256, (6, 8, 3), dtype=np.uint8) * (index > 0)
            path = folder / f"{index:04}.png"
            cv2.imwrite(str(path), pixels.astype(np.uint8))
            items.append(NewImage(imaging.probe(path), path.name))
        with store.write() as c:
            project = projects.create(c, "pictures")
            assert len(images.add(c, project.id, items).added) == count
        return project

    return make


@pytest.fixture
def fake_processes() -> Processes:
    """Worker processes that know the family of fake models."""
    return Processes(fake_models.MODULE)
