"""The schema of the contract in the docs is the one that the code has."""

from __future__ import annotations

from pathlib import Path

from countersign.server.model_app import schema_text

FILE = Path(__file__).parents[3] / "docs" / "reference" / "model-http.schema.json"


def test_schema_is_fresh() -> None:
    assert FILE.read_text("utf-8") == schema_text(), "python -m countersign.server.model_app > " + str(FILE)
