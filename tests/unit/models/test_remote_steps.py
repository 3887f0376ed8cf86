"""The declared steps: what a server gets with each of them, and what is made of its numbers with each of them."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image

from countersign.domain.errors import ModelError
from countersign.domain.geometry import Box
from countersign.domain.label import Prediction
from countersign.domain.mask import area
from countersign.models.contract import PredictOptions
from countersign.models.remote import family, spec
from model_servers import Reply, serving

IMAGE = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)


def ask(answer: Any, image: Any = IMAGE, task: str = "detection", **said: Any) -> tuple[list[Prediction], Any]:
    """Ask a server that answers so; return the predictions and the picture that it got."""
    with serving(lambda _: Reply(json.dumps(answer).encode())) as server:
        data = {"url": server.url, "contract": "plain", "tasks": [task], "retries": 0, **said}
        model: Any = family.connect(spec.from_data(data), "m")
        try:
            picture = model.read(image) if isinstance(image, Path) else image
            found = model.predict([picture], PredictOptions(min_confidence=0.05))[0]
        finally:
            model.close()
    return found, base64.b64decode(json.loads(server.asked[0].body)["image"])


def png(data: bytes) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(data)))


def tiff(data: bytes) -> np.ndarray[Any, Any]:
    return np.asarray(tifffile.imread(io.BytesIO(data)))


def test_no_steps() -> None:
    assert np.array_equal(png(ask([])[1]), IMAGE)


def test_resize__shrinks_by_areas_and_scales_results_back() -> None:
    steps = [{"step": "resize", "width": 20, "height": 10}]
    found, sent = ask([{"box": [1, 2, 11, 7], "label": "cat"}], pre=steps)
    assert png(sent).shape == (10, 20, 3)
    blocks = IMAGE.reshape(10, 4, 20, 3, 3).mean(axis=(1, 3))
    assert np.abs(png(sent) - blocks).max() <= 0.5 + 1e-9
    assert found == [Prediction("cat", Box(3, 8, 30, 20), None)]


def test_resize__enlarges() -> None:
    _, sent = ask([], pre=[{"step": "resize", "width": 120, "height": 80}])
    assert png(sent).shape == (80, 120, 3)


def test_bands__in_the_order_that_the_model_wants() -> None:
    assert np.array_equal(png(ask([], pre=[{"step": "bands", "select": [2, 0, 1]}])[1]), IMAGE[..., [2, 0, 1]])
    assert np.array_equal(png(ask([], pre=[{"step": "bands", "select": [1]}])[1]), IMAGE[..., 1])


def test_bands__one_that_is_not_there() -> None:
    with pytest.raises(ModelError, match="the image has 3 bands, no band 3"):
        ask([], pre=[{"step": "bands", "select": [3]}])


def test_normalise__scale_then_mean_then_deviation_for_each_band() -> None:
    step = {"step": "normalise", "scale": 1 / 255, "mean": [0.5, 0.25, 0.0], "std": [0.1, 0.2, 0.5]}
    sent = tiff(ask([], pre=[step], encoding="tiff")[1])
    expected = (IMAGE / 255 - np.array([0.5, 0.25, 0.0])) / np.array([0.1, 0.2, 0.5])
    assert sent.dtype == np.float32
    np.testing.assert_allclose(sent, expected, atol=1e-5)


def test_normalise__floats_travel_as_tiff_alone() -> None:
    with pytest.raises(ModelError, match="cannot travel as png"):
        ask([], pre=[{"step": "normalise"}])


def test_normalise__of_another_number_of_bands() -> None:
    with pytest.raises(ModelError, match="2 means and 1 deviations for 3 bands"):
        ask([], pre=[{"step": "normalise", "mean": [1, 2]}], encoding="tiff")


def test_steps_follow_each_other() -> None:
    steps = [{"step": "bands", "select": [0]}, {"step": "normalise", "mean": [10]}, {"step": "normalise", "scale": 2.0}]
    np.testing.assert_allclose(tiff(ask([], pre=steps, encoding="tiff")[1]), 2 * (IMAGE[..., 0].astype(float) - 10))


@pytest.fixture
def geotiff(tmp_path: Path) -> Path:
    bands = np.random.default_rng(1).integers(0, 4000, (40, 60, 5), dtype=np.uint16)
    tags = [
        (33550, 12, 3, (10.0, 10.0, 0.0), True), (33922, 12, 6, (0.0, 0.0, 0.0, 5e5, 4e6, 0.0), True),
        (34735, 3, 8, (1, 1, 0, 1, 3072, 0, 1, 32633), True), (42113, 2, 3, "-1", True),
    ]  # fmt: skip
    tifffile.imwrite(
        tmp_path / "a.tif", bands, photometric="minisblack", planarconfig="contig", extratags=tags, compression="zlib"
    )
    return tmp_path / "a.tif"


def test_geotiff__without_steps_is_the_file_itself(geotiff: Path) -> None:
    assert ask([], geotiff, encoding="tiff")[1] == geotiff.read_bytes()


def test_geotiff__with_steps_keeps_its_place_on_earth(geotiff: Path) -> None:
    _, sent = ask([], geotiff, encoding="tiff", pre=[{"step": "bands", "select": [4, 3, 1, 0]}])
    with tifffile.TiffFile(io.BytesIO(sent)) as opened, tifffile.TiffFile(geotiff) as original:
        assert np.array_equal(opened.asarray(), original.asarray()[..., [4, 3, 1, 0]])
        for code in (33550, 33922, 34735, 42113):
            here, there = opened.pages[0], original.pages[0]
            assert here.tags[code].value == there.tags[code].value  # type: ignore[union-attr]


def test_geotiff__resized_does_not_claim_its_old_place(geotiff: Path) -> None:
    found, sent = ask(
        [{"box": [0, 0, 15, 20], "label": "field"}], geotiff, encoding="tiff",
        pre=[{"step": "resize", "width": 30, "height": 20}],
    )  # fmt: skip
    assert tiff(sent).shape == (20, 30, 5)
    assert tiff(sent).dtype == np.uint16
    with tifffile.TiffFile(io.BytesIO(sent)) as opened:
        assert 33922 not in opened.pages[0].tags  # type: ignore[union-attr]
    assert found == [Prediction("field", Box(0, 0, 30, 40), None)]


def test_geotiff__as_png_is_what_is_seen(geotiff: Path) -> None:
    assert png(ask([], geotiff)[1]).shape == (40, 60, 3)


def classes(numbers: Any, *post: dict[str, Any]) -> list[tuple[str, float]]:
    found, _ = ask(numbers, task="classification", classes=["cat", "dog", "cow"], post=list(post))
    return [(item.class_name, round(item.confidence or 0.0, 4)) for item in found]


def test_softmax() -> None:
    assert classes([0.0, 2.0, 1.0], {"step": "softmax"}) == [("dog", 0.6652)]
    assert classes([1000.0, 0.0, 0.0], {"step": "softmax"}) == [("cat", 1.0)]  # nothing overflows


def test_sigmoid() -> None:
    assert classes([-900.0, 2.0, 900.0], {"step": "sigmoid"}) == [("cow", 1.0)]
    assert classes([-3.0, 2.0, -1.0], {"step": "sigmoid"}) == [("dog", 0.8808)]


def test_threshold__of_classes() -> None:
    assert classes([0.2, 0.4, 0.4]) == [("dog", 0.4)]
    assert classes([0.2, 0.4, 0.4], {"step": "threshold", "value": 0.5}) == []
    assert classes([0.2, 0.6, 0.2], {"step": "threshold", "value": 0.6}) == [("dog", 0.6)]


def regions(mask: Any, *post: dict[str, Any]) -> list[tuple[str, int, float | None]]:
    found, _ = ask({"mask": mask.tolist()}, task="semantic_segmentation", classes=["", "road"], post=list(post))
    return [(item.class_name, area(item.geometry), item.confidence) for item in found]  # type: ignore[arg-type]


def test_threshold__of_a_map() -> None:
    mask = np.full((40, 60), 0.3)
    mask[:10] = 0.7
    mask[10:20] = 0.55
    assert regions(mask, {"step": "threshold", "value": 0.6}) == [("road", 600, None)]
    assert regions(mask, {"step": "threshold"}) == [("road", 1200, None)]
    assert regions(mask) == [("road", 1200, None)]  # rounded to the nearest class


def test_argmax__of_a_map_with_a_channel_for_each_class() -> None:
    mask = np.zeros((2, 40, 60))
    mask[1, :, :20] = 3
    assert regions(mask, {"step": "argmax"}) == [("road", 800, None)]
    assert regions(mask.transpose(1, 2, 0), {"step": "argmax"}) == [("road", 800, None)]
    ((name, size, sure),) = regions(mask, {"step": "softmax"}, {"step": "argmax"})
    assert (name, size, sure) == ("road", 800, pytest.approx(1 / (1 + np.exp(-3))))
    ((_, _, alone),) = regions(mask, {"step": "sigmoid"}, {"step": "argmax"})
    assert alone == pytest.approx(1 / (1 + np.exp(-3)))
    with pytest.raises(ModelError, match="several channels needs the step argmax"):
        regions(mask)


def test_our_own_contract_resizes_by_itself() -> None:
    from countersign.domain.errors import InvalidInput

    with pytest.raises(InvalidInput, match="leave out that step"):
        spec.from_data({"url": "http://127.0.0.1:9", "pre": [{"step": "resize", "width": 8, "height": 8}]})
