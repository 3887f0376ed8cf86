"""Keeping image libraries from talking: their warnings about odd files are no news to anybody.

Python's ``warnings.catch_warnings`` changes the whole process and is not safe with threads; here the filter is set
by the first that enters and taken away by the last that leaves, and it hits these libraries only.
"""

from __future__ import annotations

import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

_OURS = r"(PIL|tifffile|imagecodecs|countersign\.imaging)(\..*)?$"
_lock = threading.Lock()
_inside = 0
_saved = ExitStack()

# Without a handler of its own, what tifffile logs about a broken tag would be printed to stderr.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


@contextmanager
def quiet() -> Iterator[None]:
    """Ignore the warnings of the image libraries, in all threads that are inside."""
    global _inside
    with _lock:
        if _inside == 0:
            _saved.enter_context(warnings.catch_warnings())
            warnings.filterwarnings("ignore", module=_OURS)
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _saved.close()
