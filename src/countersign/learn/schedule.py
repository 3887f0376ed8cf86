"""Where a training is between its start and its end: by the clock for a budget, by steps for epochs.

Everything that changes while a training goes on (learning rate, size of the input) is a function of that fraction, so
that a minute and an hour are the same curve.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field

WARM_UP = 0.05
"""Share of the training in which the learning rate rises."""
LAST_RATE = 0.02
"""Share of the learning rate that is left at the end of the cosine."""
SMALL_UNTIL = 0.5
"""Share of the training that is done on smaller inputs: to find out what there is takes no detail."""
SMALL = 0.6
"""Side of these inputs relative to the full one."""
LEAST = 128
"""No input's longer side is made smaller than this, in pixels."""


@dataclass(slots=True)
class Schedule:
    """``budget`` in seconds decides where it is given, else ``steps``. ``clock`` returns seconds."""

    steps: int
    budget: float | None = None
    clock: Callable[[], float] = time.perf_counter
    started: float = field(init=False)
    _pace: float = field(init=False, default=0.0)
    _last: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.started = self.clock()
        self._last = self.started

    @property
    def elapsed(self) -> float:
        return self.clock() - self.started

    def tick(self) -> None:
        """Note that a step is done: its time tells whether another one fits."""
        now = self.clock()
        self._pace = now - self._last if self._pace == 0 else 0.7 * self._pace + 0.3 * (now - self._last)
        self._last = now

    def done(self, step: int) -> float:
        """Return how much is done, 0..1, before step number ``step`` (from 0)."""
        part = self.elapsed / self.budget if self.budget is not None else step / max(1, self.steps)
        return min(1.0, part)

    def over(self, step: int, *, reserve: float = 0.0) -> bool:
        """Say whether to stop: no step is left, or another one and ``reserve`` seconds do not fit into the budget."""
        if self.budget is None:
            return step >= self.steps
        return step > 0 and self.elapsed + 0.7 * self._pace + reserve >= self.budget

    def left(self, step: int) -> float | None:
        """Return the seconds left, None while that is not known."""
        if self.budget is not None:
            return max(0.0, self.budget - self.elapsed)
        return (self.steps - step) * self.elapsed / step if step else None

    def total_steps(self, step: int) -> int:
        """Return how many steps there will be, as far as that is known."""
        if self.budget is None:
            return self.steps
        done = self.done(step)
        return max(step, round(step / done)) if done > 0 else 1


def rate(done: float) -> float:
    """Return the factor of the learning rate: a short rise, then a cosine (Loshchilov and Hutter 2017)."""
    if done < WARM_UP:
        return max(0.02, done / WARM_UP)
    return LAST_RATE + (1 - LAST_RATE) * 0.5 * (1 + math.cos(math.pi * (done - WARM_UP) / (1 - WARM_UP)))


def side(done: float, longest: int) -> int:
    """Return the longer side of the input at this point, in pixels (Tan and Le 2021, progressive learning)."""
    if done >= SMALL_UNTIL:
        return longest
    return min(longest, max(LEAST, round(longest * SMALL / 32) * 32))
