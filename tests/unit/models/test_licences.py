"""Which licences need somebody's yes."""

from __future__ import annotations

from pathlib import Path

import pytest

from countersign.domain.errors import ModelError
from countersign.domain.model import ModelCard, Task
from countersign.models.folder import licences


@pytest.mark.parametrize(
    ("text", "permissive"),
    [
        ("Apache-2.0", True),
        ("apache-2.0", True),
        ("BSD-3-Clause", True),
        ("MIT OR GPL-3.0-only", True),
        ("(MIT AND CC-BY-NC-4.0)", False),
        ("AGPL-3.0", False),
        ("CC-BY-NC-4.0", False),
        ("SAM Licence", False),
        ("", False),
    ],
)
def test_is_permissive(text: str, permissive: bool) -> None:
    assert licences.is_permissive(text) == permissive


def card(**rest: str) -> ModelCard:
    return ModelCard("net", "none", (Task.DETECTION,), (), **rest)  # type: ignore[arg-type]


def test_to_accept() -> None:
    assert licences.to_accept(card()) == ()
    assert licences.to_accept(card(licence="MIT", code_licence="Apache-2.0")) == ()
    assert licences.to_accept(card(licence="AGPL-3.0", code_licence="AGPL-3.0")) == ("AGPL-3.0",)
    assert licences.to_accept(card(licence="CC-BY-NC-4.0", code_licence="AGPL-3.0")) == ("CC-BY-NC-4.0", "AGPL-3.0")


def test_accept__another_licence_asks_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSIGN_MODELS", str(tmp_path))
    assert licences.is_due(card(licence="AGPL-3.0"))

    licences.accept(card(licence="AGPL-3.0"), "anna")

    licences.require(card(licence="AGPL-3.0"))
    with pytest.raises(ModelError, match=r"The weights of net are under CC-BY-NC-4\.0, the code .* AGPL-3\.0"):
        licences.require(card(licence="CC-BY-NC-4.0", code_licence="AGPL-3.0"))


def test_accept__nothing_to_accept_is_not_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTERSIGN_MODELS", str(tmp_path))

    licences.accept(card(licence="MIT"), "anna")

    assert not list(tmp_path.iterdir())
