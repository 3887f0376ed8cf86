from __future__ import annotations

import pytest

from countersign.domain.model import ModelCard, Task


@pytest.mark.parametrize(
    ("published", "download", "expected"),
    [({"parameters": 20.1}, 0, 80_400_000), ({"parameters": 20.1}, 79_000_000, 0), ({"gflops": 3.0}, 0, 0)],
)
def test_estimated_bytes__four_for_each_parameter_where_no_size_is_published(
    published: dict[str, float], download: int, expected: int
) -> None:
    card = ModelCard("m", "f", (Task.DETECTION,), (), published=published, download_bytes=download)

    assert card.estimated_bytes == expected
