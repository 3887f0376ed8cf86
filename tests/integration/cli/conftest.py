"""The program called as a user calls it, in an empty folder that is a workspace."""

from __future__ import annotations

from pathlib import Path

import pytest

import shapes
from countersign.cli.main import main
from shapes import Call, Done


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Call the program in this process. Fails the test for an exit code that is not ``code``."""
    for name in ("COUNTERSIGN_WORKSPACE", "COUNTERSIGN_BLOBS", "COUNTERSIGN_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("COUNTERSIGN_WORKSPACE", str(tmp_path / "workspace"))
    monkeypatch.setenv("COUNTERSIGN_USER", "anna")
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name in ("COUNTERSIGN_MODELS", "HF_HUB_CACHE", "TORCH_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    shapes.register()

    def run(*arguments: str | Path, code: int = 0) -> Done:
        capsys.readouterr()
        got = main([str(argument) for argument in arguments])
        shown = capsys.readouterr()
        assert got == code, f"exit code {got}\n{shown.out}\n{shown.err}"
        return Done(got, shown.out, shown.err)

    return run
