from __future__ import annotations

from pathlib import Path

from countersign.runs.processes import log_tail


def test_log_tail(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert log_tail(log) == ""
    log.write_text("")
    assert log_tail(log) == ""
    log.write_text("one\ntwo\n\nthree\nfour\n")
    assert log_tail(log) == "two | three | four"
    log.write_text("about to crash\nFatal Python error: Aborted\n\nThread 0x1:\n  File x\n")
    assert log_tail(log) == "about to crash | Fatal Python error: Aborted"
