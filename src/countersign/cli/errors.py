"""What becomes of an exception: a sentence on stderr and an exit code. The one place that knows both.

Exit codes: 0 done, 1 something failed, 2 what was given cannot be used, 3 not found, 4 conflict, 5 image, 6 model,
7 workspace, 70 an error in the program itself, 130 interrupted, 141 nobody reads the output any more.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from countersign.domain.errors import CountersignError

if TYPE_CHECKING:
    from countersign.cli.session import Session

INTERNAL, INTERRUPTED, PIPE_CLOSED = 70, 130, 141


def report(error: BaseException, session: Session) -> int:
    """Tell the user what happened and return the exit code."""
    match error:
        case BrokenPipeError():
            return _hush()
        case CountersignError():
            data = {"kind": type(error).__name__, "what": error.what, "remedy": error.remedy}
            return _tell(session, str(error), data, error.exit_code)
        case click.Abort() | KeyboardInterrupt():
            return _tell(session, "Interrupted.", {"kind": "Interrupted"}, INTERRUPTED)
        case click.UsageError():
            place = error.ctx.command_path if error.ctx else "countersign"
            text = f"{_sentence(error.format_message())} See '{place} --help'."
            return _tell(session, text, {"kind": "UsageError"}, 2)
        case click.ClickException():
            return _tell(session, _sentence(error.format_message()), {"kind": "UsageError"}, error.exit_code)
        case SystemExit():
            return error.code if isinstance(error.code, int) else 0
        case _:
            return _internal(error, session)


def _tell(session: Session, text: str, data: dict[str, Any], code: int) -> int:
    try:
        session.out.data({"error": {"what": text, **data, "exit_code": code}})
        sys.stdout.flush()
        click.echo(f"countersign: {text}", err=True)
    except BrokenPipeError:
        return _hush()
    return code


def _internal(error: BaseException, session: Session) -> int:
    log = _write_log(error)
    if os.environ.get("COUNTERSIGN_DEBUG"):
        traceback.print_exception(error)
    first = (str(error).strip().splitlines() or [""])[0][:200]
    text = f"Something went wrong that should not have: {type(error).__name__}{f': {first}' if first else ''}. "
    text += f"The details are in {log}." if log else "Set COUNTERSIGN_DEBUG=1 to see the details."
    return _tell(session, text, {"kind": "InternalError", "log": str(log or "")}, INTERNAL)


def _write_log(error: BaseException) -> Path | None:
    """Write the traceback to a file of its own, and return its path (None if no folder can be written)."""
    from platformdirs import user_log_path

    for folder in (user_log_path("countersign", appauthor=False), Path(tempfile.gettempdir()) / "countersign-log"):
        try:
            folder.mkdir(parents=True, exist_ok=True)
            log = folder / f"error-{time.strftime('%Y%m%d-%H%M%S')}-{os.getpid()}.log"
            command = " ".join(sys.argv)
            log.write_text(f"{command}\n\n{''.join(traceback.format_exception(error))}", encoding="utf-8")
            return log
        except OSError:
            continue
    return None


def _hush() -> int:
    # Python flushes stdout once more at exit and would complain about the closed pipe then.
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return PIPE_CLOSED


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
