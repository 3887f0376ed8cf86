"""The reference page says what the registry says."""

from __future__ import annotations

from pathlib import Path

from countersign import formats
from countersign.formats import reference

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "formats.md"


def test_the_page_is_fresh() -> None:
    assert PAGE.read_text(encoding="utf-8") == reference.markdown(), (
        "run: python -m countersign.formats.reference > docs/reference/formats.md"
    )


def test_every_format_and_setting_is_on_it() -> None:
    page = reference.markdown()
    for made in formats.formats():
        for name in (made.name, *made.read_settings, *made.write_settings):
            assert f"`{name}`" in page
