import cv2
import numpy as np

from countersign.workbench.demo_images import CLASSES, generate, write


def test_generate__the_same_seed_gives_the_same_pixels():
    first, again, other = (next(generate(1, seed=seed)) for seed in (3, 3, 4))
    assert np.array_equal(first.pixels, again.pixels)
    assert first.labels == again.labels
    assert not np.array_equal(first.pixels, other.pixels)


def test_generate__a_picture_does_not_depend_on_how_many_are_made():
    assert np.array_equal(list(generate(3, seed=1))[1].pixels, list(generate(2, seed=1))[1].pixels)


def test_generate__boxes_are_whole_pixels_inside_the_picture():
    for image in generate(6, seed=2):
        height, width = image.pixels.shape[:2]
        assert image.labels
        for label in image.labels:
            x0, y0, x1, y1 = label.geometry.corners
            assert 0 <= x0 < x1 <= width
            assert 0 <= y0 < y1 <= height
            assert (x0, y0, x1, y1) == tuple(map(int, (x0, y0, x1, y1)))


def test_generate__a_box_is_darker_than_the_field_around():
    image = next(generate(1, seed=5, width=640, height=480))
    covered = np.zeros(image.pixels.shape[:2], bool)
    for label in image.labels:
        x0, y0, x1, y1 = map(int, label.geometry.corners)
        covered[y0:y1, x0:x1] = True
    assert image.pixels[covered].mean() < image.pixels[~covered].mean() - 15


def test_write__all_classes_and_readable_files(tmp_path):
    truth = write(tmp_path / "images", 8, seed=0)
    assert {label.class_name for labels in truth.values() for label in labels} == set(CLASSES)
    assert sorted(truth) == sorted(path.name for path in (tmp_path / "images").iterdir())
    assert cv2.imread(str(tmp_path / "images" / next(iter(truth)))).shape == (360, 480, 3)
