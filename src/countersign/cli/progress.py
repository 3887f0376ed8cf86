"""Shows progress on stderr: a bar on a terminal, a plain line now and then in a pipe."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol

import click

from countersign.cli.session import Session, on_terminal

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from countersign.workbench.progress import OnProgress, Progress


class _Display(Protocol):
    def show(self, progress: Progress) -> None: ...


class PlainLines:
    """Writes a line when a stage begins, at most one every ``every`` seconds after that, and one at its end."""

    def __init__(self, every: float) -> None:
        self._every = every
        self._stage = ""
        self._began = self._last = 0.0
        self._before = 0  # done when the stage began: what a resumed run or import had already
        self._ended = False

    def show(self, progress: Progress) -> None:
        now = time.monotonic()
        if progress.stage != self._stage:
            self._stage, self._began, self._before, self._ended = progress.stage, now, progress.done, False
            self._last = now - self._every if progress.done else now
        ended = progress.total is not None and progress.done >= progress.total
        if (ended and not self._ended) or (not ended and now - self._last >= self._every):
            self._last, self._ended = now, ended
            click.echo(describe(progress, now - self._began, self._before), err=True)


class TerminalBars:
    """One bar of rich per stage."""

    def __init__(self, bars: Bars) -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def show(self, progress: Progress) -> None:
        task = self._tasks.get(progress.stage)
        if task is None:
            task = self._tasks[progress.stage] = self._bars.add_task(
                progress.stage, total=progress.total, completed=progress.done, note="", unit=progress.unit
            )
        self._bars.update(task, completed=progress.done, total=progress.total, note=progress.note)


def describe(progress: Progress, seconds: float, before: int = 0) -> str:
    """Write progress as a line: ``images: 120 of 400 (30%), 35/s, 8 s left, 2 refused``.

    ``before`` were done when the ``seconds`` began: they say nothing about the speed.
    """
    if progress.unit == "bytes":
        return _describe_bytes(progress, seconds, before)
    parts = [f"{progress.done:,}"]
    rate = (progress.done - before) / seconds if seconds > 0.5 and progress.done > before else None
    if progress.total:
        parts[0] += f" of {progress.total:,} ({progress.done / progress.total:.0%})"
    if rate:
        parts.append(f"{rate:.1f}/s" if rate < 10 else f"{rate:.0f}/s")
        if progress.total and progress.total > progress.done:
            parts.append(f"{duration((progress.total - progress.done) / rate)} left")
    if progress.note:
        parts.append(progress.note)
    return f"{progress.stage}: {', '.join(parts)}"


def _describe_bytes(progress: Progress, seconds: float, before: int) -> str:
    """Write a download as a line: ``download: 120.0 of 400.0 MB (30%), 12.5 MB/s, 22 s left, model.safetensors``."""
    total = progress.total
    parts = [f"{progress.done / 1e6:,.1f} MB"]
    if total:
        parts[0] = f"{progress.done / 1e6:,.1f} of {total / 1e6:,.1f} MB ({progress.done / total:.0%})"
    if seconds > 0.5 and progress.done > before:
        rate = (progress.done - before) / seconds
        parts.append(f"{rate / 1e6:,.1f} MB/s")
        if total and total > progress.done:
            parts.append(f"{duration((total - progress.done) / rate)} left")
    if progress.note:
        parts.append(progress.note)
    return f"{progress.stage}: {', '.join(parts)}"


def duration(seconds: float) -> str:
    """Write seconds as ``8 s``, ``3 min`` or ``2 h 5 min``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


@contextmanager
def progress(session: Session) -> Iterator[OnProgress | None]:
    """Yield what a verb takes as ``on_progress``; None with --quiet."""
    if session.quiet:
        yield None
    elif on_terminal():
        with _bars() as bars:
            yield TerminalBars(bars).show
    else:
        yield PlainLines(float(os.environ.get("COUNTERSIGN_PROGRESS_SECONDS") or 5)).show


def _bars() -> Bars:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        MofNCompleteColumn,
        Progress,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Counted(MofNCompleteColumn):
        """Bytes are shown as MB, everything else by its number."""

        def render(self, task: Task) -> Text:
            return DownloadColumn().render(task) if task.fields["unit"] == "bytes" else super().render(task)

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        Counted(),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("{task.fields[note]}"),
        console=Console(file=sys.stderr),
    )
