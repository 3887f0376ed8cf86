"""The process of a training: ``python -m countersign.runs.train_worker``, orders on standard input."""

from __future__ import annotations

import signal
import sys
import threading
import traceback

from countersign.domain.errors import CountersignError
from countersign.runs import processes, training
from countersign.runs.pulse import Pulse


def main() -> int:
    """Do the training that the orders name. Returns the exit code."""
    order = processes.receive()
    with order.store as store:
        try:
            training.train(store, int(order.values["training"]), begun=_stop_on_sigterm)
        except CountersignError as error:
            print(error, file=sys.stderr)
            return error.exit_code
        except Exception:
            traceback.print_exc()
            return 1
    return 0


def _stop_on_sigterm(pulse: Pulse) -> None:
    """Keep the best so far when the system says that it ends. In a thread: a lock may be held when the signal comes."""
    signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=pulse.stop).start())


if __name__ == "__main__":
    sys.exit(main())
