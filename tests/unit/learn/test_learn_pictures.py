"""From image and labels to what the network sees: preparing, varying, targets."""

from __future__ import annotations

import numpy as np
import pytest
from learn_toys import discs, training_image

from countersign.domain import mask as masks
from countersign.domain.errors import GeometryError
from countersign.domain.geometry import Box, Ellipse, Polygon
from countersign.domain.label import Label
from countersign.learn import augment, light, targets
from countersign.learn.data import IGNORE, ExampleStore, Vocabulary, prepare
from countersign.learn.network import STRIDE

BOTH = Vocabulary(("a", "b"), ("a", "b"), ())


def example_of(
    labels: list[Label], *, size: tuple[int, int] = (100, 200), longest: int | None = None
) -> augment.Example:
    pixels = np.zeros((*size, 3), np.uint8)
    return prepare(training_image(pixels, labels), BOTH, longest)


def test_boxes_of_every_geometry_are_scaled() -> None:
    spot = np.zeros((100, 200), np.bool_)
    spot[20:40, 60:100] = True
    labels = [
        Label("a", Box(60, 20, 40, 20)),
        Label("b", Ellipse(80, 30, 20, 10)),
        Label("a", Polygon(((60.0, 20.0, 100.0, 20.0, 100.0, 40.0, 60.0, 40.0),))),
        Label("b", masks.encode(spot)),
    ]
    found = example_of(labels, longest=100)
    assert found.pixels.shape == (50, 100, 3)
    np.testing.assert_allclose(found.boxes, [[30, 10, 50, 20]] * 4)
    assert found.box_classes.tolist() == [0, 1, 0, 1]


def test_image_read_smaller_than_it_is() -> None:
    image = training_image(np.zeros((50, 100, 3), np.uint8), [Label("a", Box(60, 20, 40, 20))], width=200, height=100)
    np.testing.assert_allclose(prepare(image, BOTH, 100).boxes, [[30, 10, 50, 20]])


def test_paint__small_things_lie_on_top_and_holes_stay() -> None:
    ring = Polygon(
        ((0.0, 0.0, 100.0, 0.0, 100.0, 100.0, 0.0, 100.0),), ((40.0, 40.0, 60.0, 40.0, 60.0, 60.0, 40.0, 60.0),)
    )
    small = Polygon(((10.0, 10.0, 20.0, 10.0, 20.0, 20.0, 10.0, 20.0),))
    paint = example_of([Label("b", small), Label("a", ring)]).paint
    assert paint is not None
    assert (paint[15, 15], paint[30, 30], paint[50, 50], paint[50, 150]) == (2, 1, 0, 0)


def test_unpainted() -> None:
    label = Label("a", Polygon(((10.0, 10.0, 20.0, 10.0, 20.0, 20.0, 10.0, 20.0),)))
    image = training_image(np.zeros((30, 30, 3), np.uint8), [label])
    ignoring = prepare(image, BOTH, None, unpainted="ignore").paint
    assert ignoring is not None
    assert (ignoring[0, 0], ignoring[15, 15]) == (IGNORE, 1)


def test_crowds_are_no_examples() -> None:
    found = example_of([Label("a", Box(0, 0, 50, 50), attributes={"iscrowd": 1}), Label("b", Box(60, 0, 50, 50))])
    assert (len(found.boxes), len(found.crowds)) == (1, 1)


def test_pixels_of_a_wrong_kind() -> None:
    with pytest.raises(GeometryError, match="uint8"):
        prepare(training_image(np.zeros((4, 4), np.uint8), []), BOTH, None)


def test_boxes_stay_on_their_objects() -> None:
    """A variant's box holds just the disc's pixels, however it was turned and scaled."""
    pixels, labels, _ = discs(3, count=1, colours=("red",))
    pixels[:] = np.where((pixels == (220, 40, 40)).all(2, keepdims=True), 255, 0)
    example = prepare(training_image(pixels, labels), Vocabulary(("red",)), None)
    rng = np.random.default_rng(0)
    checked = 0
    for _ in range(40):
        sample = augment.vary(example, (128, 160), 1.2, augment.Variation(light=0), rng)
        if len(sample.boxes) != 1 or sample.boxes.min() < 2 or (sample.boxes[0, 2:] > (158, 126)).any():
            continue
        rows, columns = np.nonzero(sample.pixels[:, :, 0] > 200)
        around = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        np.testing.assert_allclose(sample.boxes[0], around, atol=2.2)
        checked += 1
    assert checked > 10


def test_reflection_has_paint_and_nothing_is_ignored() -> None:
    spot = np.zeros((40, 40), np.bool_)
    spot[:, :10] = True
    pixels = np.where(spot[..., None], 255, 0).astype(np.uint8).repeat(3, 2)
    example = prepare(training_image(pixels, [Label("a", masks.encode(spot))]), Vocabulary((), ("a",), ()), None)
    plain, reflected = (augment.Variation(light=0, reflect=reflect) for reflect in (False, True))
    sample = augment.vary(example, (96, 96), 1.0, plain, np.random.default_rng(0))
    assert sample.paint is not None
    assert (sample.paint == IGNORE).any()
    sample = augment.vary(example, (96, 96), 1.0, reflected, np.random.default_rng(0))
    assert sample.paint is not None
    assert set(np.unique(sample.paint)) == {0, 1}
    assert np.mean((sample.pixels[:, :, 0] > 127) == (sample.paint == 1)) > 0.97


def test_half_size_copy_lies_where_the_image_lies() -> None:
    rng = np.random.default_rng(1)
    pixels = np.kron(rng.integers(0, 255, (10, 12, 1)), np.ones((16, 16, 3))).astype(np.uint8)
    example = prepare(training_image(pixels, []), BOTH, None, levels=False)
    with_half = augment.plain(example, (80, 96), 0.5).pixels
    example.half = None
    without = augment.plain(example, (80, 96), 0.5).pixels
    assert np.abs(with_half.astype(int) - without).mean() < 6


def test_targets_mark_middles_and_carry_boxes() -> None:
    sample = augment.Sample(
        np.zeros((64, 64, 3), np.uint8),
        np.array([[16, 16, 48, 40]], np.float32),
        np.array([1]),
        np.array([[0, 48, 16, 64]], np.float32),
        None,
        None,
    )
    found = targets.make([sample], (64, 64), STRIDE, boxes=2, paints=0, tags=0)
    assert found.heat is not None
    assert found.boxes is not None
    assert found.weights is not None
    assert found.care is not None
    assert found.heat[0, 3, 4, 1] == 1
    assert found.heat[..., 0].max() == 0
    assert found.boxes[0, 3, 4].tolist() == [16, 16, 48, 40]
    assert (found.weights > 0).sum() > 1
    assert found.care[0, 7, 0] == 0
    assert found.care.sum() == 64 - 4


def test_levels_make_a_dim_picture_like_a_bright_one() -> None:
    bright = np.random.default_rng(0).integers(0, 256, (64, 64, 3)).astype(np.uint8)
    dim = (bright // 8 + 5).astype(np.uint8)
    stretched = light.apply(dim, light.levels(dim))
    assert np.abs(stretched.astype(int) - bright).mean() < 12
    flat = np.full((8, 8, 3), 77, np.uint8)
    assert np.ptp(light.apply(flat, light.levels(flat))) == 0


def test_store_reads_again_what_did_not_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    reads: list[str] = []

    def image(name: str) -> augment.Example:
        def load(*, max_size: int | None = None) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
            reads.append(name)
            return np.zeros((10, 10, 3), np.uint8)

        found = training_image(np.zeros((1, 1, 3), np.uint8), [])
        return type(found)(name, "", load)  # type: ignore[return-value]

    monkeypatch.setattr("countersign.learn.data.CACHE_BYTES", 500)
    store = ExampleStore([image("x"), image("y")], BOTH, [None, None], "background", False)  # type: ignore[list-item]
    for index in (0, 0, 1, 1, 0):
        assert store.get(index) is not None
    assert reads == ["x", "y", "x"]
