"""A worker process of a run: ``python -m countersign.runs.worker``, orders on standard input (see ``processes``)."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback

from countersign.domain.errors import CountersignError
from countersign.domain.run import RunState
from countersign.runs import executors, labelling, machine, processes
from countersign.runs.pulse import Pulse
from countersign.store import runs


def main() -> int:
    """Work on the run that the orders name. Returns the exit code: 0 if the run did not become an error."""
    order = processes.receive()
    run_id, name = int(order.values["run"]), str(order.values["name"])
    with order.store as store:
        with store.write() as c:
            runs.know(c, run_id, name, pid=os.getpid())
        try:
            state = labelling.work(
                store,
                run_id,
                name,
                lambda run: executors.load_model(store, run),
                own_process=True,
                cores=int(order.values.get("cores") or machine.cores()),
                begun=_stop_on_sigterm,
            )
        except CountersignError as error:
            print(error, file=sys.stderr)
            return 1
        except Exception:
            traceback.print_exc()
            return 1
    return 0 if state is not RunState.ERROR else 1


def _stop_on_sigterm(pulse: Pulse) -> None:
    """End in good order when the system says so. In a thread: the signal may come while a lock is held."""
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=pulse.stop).start())


if __name__ == "__main__":
    sys.exit(main())
