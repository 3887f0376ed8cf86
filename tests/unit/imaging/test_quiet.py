from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from countersign.domain.errors import ImageError
from countersign.imaging import probe
from countersign.imaging.quiet import quiet


def _warn_as(module: str) -> None:
    warnings.warn_explicit("odd file", UserWarning, f"{module}.py", 1, module=module)


def test_quiet__silences_the_image_libraries_only() -> None:
    with quiet():
        _warn_as("PIL.TiffImagePlugin")
        _warn_as("tifffile.tifffile")
        with pytest.raises(UserWarning):
            _warn_as("somebody.else")
    with pytest.raises(UserWarning):
        _warn_as("PIL.TiffImagePlugin")


def test_quiet__threads_that_overlap_leave_the_filters_as_they_were() -> None:
    before = list(warnings.filters)
    first_in, second_in, errors = threading.Event(), threading.Event(), []

    def first() -> None:
        with quiet():
            first_in.set()
            second_in.wait(5)

    def second() -> None:
        first_in.wait(5)
        with quiet():
            second_in.set()
            thread.join(5)
            try:
                _warn_as("PIL.Image")  # the first has left, but this one is still inside
            except UserWarning as error:
                errors.append(error)

    thread = threading.Thread(target=first)
    other = threading.Thread(target=second)
    thread.start()
    other.start()
    other.join(10)
    assert not errors
    assert list(warnings.filters) == before


def test_damaged_tiff__nothing_is_printed_or_logged(
    data_dir: Callable[[str], Path], capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    for path in sorted(data_dir("edge_pillow_dev").glob("crash-*.tif")):
        with pytest.raises(ImageError):
            probe(path)
    assert capfd.readouterr() == ("", "")
    assert all(record.levelno >= logging.WARNING for record in caplog.records)


def test_pillow__its_own_limit_is_left_alone() -> None:
    assert Image.MAX_IMAGE_PIXELS is not None
