"""Shows how a training goes: a bar with losses, scores and the time left; lines in a pipe."""

from __future__ import annotations

import os
import signal
import time
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from countersign.cli.progress import duration
from countersign.cli.session import Session, on_terminal

if TYPE_CHECKING:
    from rich.progress import Progress as Bars

    from countersign.learn.events import Event, Progress


class TrainingDisplay:
    """Shows the events of a training, and turns the first Ctrl-C into a wish to stop; the second one interrupts."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._every = float(os.environ.get("COUNTERSIGN_PROGRESS_SECONDS") or 5)
        self._last = 0.0
        self._bars: Bars | None = None
        self._task: Any = None
        self._stop = False
        self._before: Any = None

    def __enter__(self) -> TrainingDisplay:
        self._before = signal.signal(signal.SIGINT, self._on_interrupt)
        if on_terminal() and not self._session.quiet:
            self._bars = _bars()
            self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)
        if self._bars is not None:
            self._bars.stop()

    def interrupted(self) -> bool:
        """Whether somebody asked to stop."""
        return self._stop

    def show(self, event: Event) -> None:
        """Show one event."""
        from countersign.learn import events

        match event:
            case events.Notice():
                # What it starts from is told in any case: a difference that nobody sees would be a trap.
                self._say(event.text, always=event.topic == "weights")
            case events.Planned():
                held = f", {event.held_out} held out" if event.held_out else ""
                tiles = ", in tiles" if event.tiled else ""
                what = f"{' and '.join(event.heads)} of {', '.join(event.classes)}"
                how = f"{event.image_size} pixels{tiles}, on {event.device}"
                self._say(f"Learning {what} from {event.images} images{held}, {how}.")
            case events.Progress():
                self._progress(event)
            case events.Scored():
                scores = ", ".join(f"{name.replace('_', ' ')} {value:.3f}" for name, value in event.scores.items())
                self._say(f"Step {event.step:,}: {scores}{' (the best so far)' if event.best else ''}")
            case events.Finished():
                word = "Stopped" if event.cancelled else "Done"
                self._say(f"{word} after {event.steps:,} steps in {duration(event.elapsed_s)}.")

    def _progress(self, event: Progress) -> None:
        if self._bars is not None:
            if self._task is None:
                self._task = self._bars.add_task("training", total=1.0, note="")
            self._bars.update(self._task, completed=event.done, note=_note(event))
            return
        now = time.monotonic()
        if now - self._last >= self._every:
            self._last = now
            self._say(f"training: {event.done:.0%}, {_note(event)}")

    def _say(self, text: str, *, always: bool = False) -> None:
        if self._session.quiet and not always:
            return
        if self._bars is not None:
            self._bars.console.print(text, highlight=False, markup=False)
        else:
            click.echo(text, err=True)

    def _on_interrupt(self, number: int, frame: FrameType | None) -> None:
        if self._stop:
            raise KeyboardInterrupt
        self._stop = True
        self._say("Stopping; the best so far is kept. Press Ctrl-C again to give it up.")


def _note(event: Progress) -> str:
    parts = [f"epoch {event.epoch} of {event.epochs}"]
    parts += [f"{name} {value:.3f}" for name, value in event.losses.items()]
    if event.score is not None:
        parts.append(f"{event.score_name.replace('_', ' ')} {event.score:.3f}")
    if event.left_s is not None:
        parts.append(f"{duration(event.left_s)} left")
    return ", ".join(parts)


def _bars() -> Bars:
    import sys

    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[note]}"),
        console=Console(file=sys.stderr),
    )
