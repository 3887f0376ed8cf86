"""Label Studio's own server of ML backends, asked for real: every kind of region that it is asked for, and its end."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

import label_studio_backend as backend
from countersign.domain.errors import ModelError, ServerGone
from countersign.domain.geometry import Box, Keypoints, Mask, Polygon
from countersign.domain.label import Prediction
from countersign.domain.mask import decode
from countersign.models.contract import Model, PredictOptions
from countersign.models.remote import family, spec

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(backend.python() is None, reason="python tests/label_studio_backend.py builds what this asks"),
]
IMAGE = np.zeros((40, 60, 3), np.uint8)
IMAGE[10:22, 15:45] = 255
ALL = PredictOptions(min_confidence=0.0)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[[int], subprocess.Popen[bytes]]]:
    """Start the backend on a port; it answers when this returns."""
    running: list[subprocess.Popen[bytes]] = []

    def starting(port: int) -> subprocess.Popen[bytes]:
        order = [str(backend.python()), backend.__file__, "serve", str(port), str(tmp_path / "models")]
        with (tmp_path / "log").open("ab") as log:
            running.append(subprocess.Popen(order, stdout=log, stderr=log))
        while True:
            assert running[-1].poll() is None, (tmp_path / "log").read_text()
            try:
                httpx.get(f"http://127.0.0.1:{port}/health")
                return running[-1]
            except httpx.TransportError:
                time.sleep(0.1)

    yield starting
    for process in running:
        process.kill()
        process.wait()


@pytest.fixture
def port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def connect(port: int, task: str, **said: Any) -> Any:
    data = {"url": f"http://127.0.0.1:{port}", "contract": "label-studio", "tasks": [task], "classes": ["bright"],
            "retries": 0, **said}  # fmt: skip
    model = family.connect(spec.from_data(data), "m")
    assert isinstance(model, Model)
    return model


def ask(port: int, task: str, **said: Any) -> list[Prediction]:
    model = connect(port, task, **said)
    try:
        found: list[Prediction] = model.predict([IMAGE], ALL)[0]
        return found
    finally:
        model.close()


def test_all_kinds_of_regions(start: Callable[[int], Any], port: int) -> None:
    start(port)
    said = spec.from_data({"url": f"http://127.0.0.1:{port}", "contract": "label-studio", "tasks": ["detection"]})
    assert family.check(said) == "status 'UP'"
    (box,) = ask(port, "detection")
    assert isinstance(box.geometry, Box)
    assert box.geometry.bounds == pytest.approx((15, 10, 30, 12))
    assert (box.class_name, box.confidence) == ("bright", 0.75)
    (outline,) = ask(port, "instance_segmentation")
    assert isinstance(outline.geometry, Polygon)
    assert outline.geometry.bounds == pytest.approx((15, 10, 30, 12))
    (painted,) = ask(port, "semantic_segmentation")
    assert isinstance(painted.geometry, Mask)
    assert np.array_equal(decode(painted.geometry), IMAGE[..., 0] > 0)  # as their own encoder wrote it
    (whole,) = ask(port, "classification")
    assert (whole.class_name, whole.geometry) == ("bright", None)
    (pose,) = ask(port, "pose", keypoints=["corner", "other"], classes=["sheet"])
    assert isinstance(pose.geometry, Keypoints)
    assert pose.geometry.points == pytest.approx((15, 10, 2, 0, 0, 0))


def test_many_images_and_what_it_refuses(start: Callable[[int], Any], port: int) -> None:
    start(port)
    model = connect(port, "detection")
    dark = np.zeros((20, 20, 3), np.uint8)
    found = model.predict([IMAGE, dark] * 10, ALL)
    assert [len(items) for items in found] == [1, 0] * 10
    model.close()
    with pytest.raises(ModelError, match="answered 500") as caught:
        ask(port, "detection", settings={"refuse": True})
    assert not isinstance(caught.value, ServerGone)


def test_backend_that_is_started_again(start: Callable[[int], Any], port: int) -> None:
    """It has forgotten its set-up then, and fails until it is set up again."""
    process = start(port)
    model = connect(port, "detection")
    assert len(model.predict([IMAGE], ALL)[0]) == 1
    process.kill()
    process.wait()
    with pytest.raises(ServerGone, match="cannot be reached"):
        model.predict([IMAGE], ALL)
    start(port)
    assert len(model.predict([IMAGE], ALL)[0]) == 1
    model.close()
