"""The program as a whole: help, loading, exit codes, errors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from countersign.cli import main as program
from countersign.cli.lazy import Entry
from countersign.cli.main import COMMANDS, cli, main
from countersign.domain.errors import ModelError, NotFound

HEAVY = ("sqlalchemy", "numpy", "torch", "timm", "PIL", "cv2", "alembic", "rich", "scipy")


def _python(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_help__loads_nothing_heavy() -> None:
    loaded = _python(
        "import sys; from countersign.cli.main import main; main(['--help']); "
        f"print('LOADED', [name for name in {HEAVY!r} if name in sys.modules])"
    )

    assert loaded.endswith("LOADED []")


def test_help__names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0

    shown = capsys.readouterr().out
    assert all(f"  {entry.name} " in shown for entry in COMMANDS)


@pytest.mark.parametrize("entry", COMMANDS, ids=lambda entry: entry.name)
def test_command__has_help_and_the_common_options(entry: Entry) -> None:
    command = entry.load()

    assert command.name == entry.name
    assert command.help
    assert all(option.help for option in command.params if isinstance(option, click.Option))
    names = {name for option in command.params for name in option.opts}
    assert {"--workspace", "--json", "--quiet", "--blobs"} <= names


def test_command__unknown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["promot"]) == 2

    assert "Did you mean promote" in capsys.readouterr().err


def test_command__wrong_option(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["import", "--nonsense"]) == 2

    error = capsys.readouterr().err
    assert error.startswith("countersign: ")
    assert "countersign import --help" in error
    assert len(error.splitlines()) == 1


def _raising(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    @click.command()
    def broken() -> None:
        raise error

    entry = Entry("broken", "", "", "")
    monkeypatch.setattr(cli, "entries", {"broken": entry})
    monkeypatch.setattr(Entry, "load", lambda self: broken)


def test_error__one_sentence_with_remedy(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _raising(monkeypatch, NotFound("project", "cells", known=("birds",)))

    assert main(["broken"]) == 3

    shown = capsys.readouterr()
    assert shown.err == "countersign: There is no project 'cells'. There are: birds.\n"
    assert shown.out == ""


def test_error__as_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    _raising(monkeypatch, ModelError("it is damaged", remedy="Train it again."))

    assert main(["--json", "broken"]) == 6

    error = json.loads(capsys.readouterr().out)["error"]
    assert error == {"kind": "ModelError", "what": "it is damaged", "remedy": "Train it again.", "exit_code": 6}


def test_error__interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    _raising(monkeypatch, KeyboardInterrupt())

    assert main(["broken"]) == 130


def test_error__unexpected(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    monkeypatch.setattr("platformdirs.user_log_path", lambda *_, **__: tmp_path)
    monkeypatch.delenv("COUNTERSIGN_DEBUG", raising=False)
    _raising(monkeypatch, ZeroDivisionError("division by zero"))

    assert main(["broken"]) == 70

    error = capsys.readouterr().err
    (log,) = tmp_path.iterdir()
    assert error.startswith("countersign: Something went wrong")
    assert "Traceback" not in error
    assert str(log) in error
    assert "Traceback" in log.read_text()


def test_error__unexpected_with_debug(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("platformdirs.user_log_path", lambda *_, **__: tmp_path)
    monkeypatch.setenv("COUNTERSIGN_DEBUG", "1")
    _raising(monkeypatch, ZeroDivisionError("division by zero"))

    assert main(["broken"]) == 70

    assert "Traceback" in capsys.readouterr().err


def test_pipe__closed_is_quiet() -> None:
    code = "import sys; from countersign.cli.main import main; sys.exit(main(['--help']))"
    command = f'{sys.executable} -c "{code}"; echo $? >&2'
    done = subprocess.run(["bash", "-c", f"( {command} ) | true"], capture_output=True, text=True, check=True)

    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0

    assert capsys.readouterr().out.startswith("countersign 0.")


def test_sections__keep_together() -> None:
    sections = [entry.section for entry in program.COMMANDS]

    assert sorted(set(sections), key=sections.index) == [
        name for i, name in enumerate(sections) if i == 0 or name != sections[i - 1]
    ]
