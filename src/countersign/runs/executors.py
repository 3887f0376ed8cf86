"""Where the workers of a run live: an executor starts them. Two are built in, more can be registered.

``processes``: fresh interpreters on this machine in sessions of their own; they outlive the caller. ``inline``: the
caller's own thread, for tests and notebooks: ``start`` returns when the run has stopped.

All that workers share is the store, so an executor only has to bring ``labelling.work`` to life somewhere.
"""

from __future__ import annotations

import functools
import os
import uuid
from collections.abc import Callable
from typing import Protocol

from countersign.domain.errors import NotFound
from countersign.domain.run import Run
from countersign.models.contract import Model
from countersign.runs import labelling, machine, processes, stages
from countersign.runs.stages import GivenBoxes
from countersign.store import Store, runs


class Executor(Protocol):
    """Starts the workers of a run that has just been brought to ``generating``."""

    def start(self, store: Store, run: Run) -> None:
        """Start ``run.spec.workers`` workers; each has entered the run when this returns."""
        ...


def worker_name(index: int) -> str:
    """Return a name for a worker that no other one has or had."""
    return f"{machine.HOST}-{index}-{uuid.uuid4().hex[:8]}"


class Processes:
    """Worker processes on this machine. ``module`` is what each of them runs."""

    def __init__(self, module: str = "countersign.runs.worker") -> None:
        self._module = module

    def start(self, store: Store, run: Run) -> None:
        names = [worker_name(index) for index in range(run.spec.workers)]
        # Entered before they live: one that dies while it is being born is missed as well.
        with store.write() as c:
            for name in names:
                runs.enter(c, run.id, name, pid=0, host=machine.HOST)
        share = max(1, machine.cores() // len(names))
        for name in names:
            log = processes.log_file(store, f"run-{run.id}", name)
            order = {"run": run.id, "name": name, "cores": share}
            try:
                pid = processes.spawn(self._module, store, order, log=log, threads=share)
            except OSError as error:
                with store.write() as c:
                    runs.leave(c, run.id, name, error=f"a worker could not be started: {error}")
                raise
            with store.write() as c:
                runs.know(c, run.id, name, pid=pid)


class Inline:
    """The caller's thread."""

    def __init__(self, load: Callable[[Store, Run], Model | GivenBoxes] | None = None) -> None:
        self._load = load or load_model

    def start(self, store: Store, run: Run) -> None:
        name = worker_name(0)
        with store.write() as c:
            runs.enter(c, run.id, name, pid=os.getpid(), host=machine.HOST)
        labelling.work(
            store, run.id, name, lambda found: self._load(store, found), own_process=False, cores=machine.cores()
        )


def load_model(store: Store, run: Run) -> Model | GivenBoxes:
    """Load what a run labels with, and check that it knows the classes that are asked of it."""
    from countersign.runs import catalogue

    model = stages.assemble(run.spec, functools.partial(catalogue.open_any, store))
    if isinstance(model, Model):
        catalogue.check_classes(model.card, run.spec.classes, run.spec.prompts, run.spec.settings)
    return model


_executors: dict[str, Callable[[], Executor]] = {"processes": Processes, "inline": Inline}


def register(name: str, make: Callable[[], Executor]) -> None:
    """Add an executor under a name, which a run's spec can then ask for."""
    _executors[name] = make


def executor(name: str) -> Executor:
    """Return an executor. Raises NotFound."""
    if name not in _executors:
        raise NotFound("executor", name, known=tuple(sorted(_executors)))
    return _executors[name]()
