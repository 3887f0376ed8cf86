"""A bounded buffer between threads that decode and threads that predict. What passes through is not known here."""

from __future__ import annotations

import threading
from collections import deque
from typing import Generic, TypeVar

T = TypeVar("T")


class Buffer(Generic[T]):
    """First in, first out; bounded by a number of items and by bytes, so that large pictures do not fill the memory.

    One item always fits, however large. ``producers`` threads put; when the last of them has said ``done``, takers get
    what is left and then nothing.
    """

    def __init__(self, *, items: int, bytes_: int, producers: int) -> None:
        self._items: deque[tuple[T, int]] = deque()
        self._limit, self._bytes_limit = items, bytes_
        self._bytes = 0
        self._blocked = 0  # producers that have found it full since somebody last took something
        self._producers = producers
        self._stopped = False
        lock = threading.Lock()
        self._filled, self._emptied = threading.Condition(lock), threading.Condition(lock)

    def put(self, item: T, size: int) -> bool:
        """Add an item, waiting for room. Returns False where the buffer was stopped: the item was not taken."""
        with self._emptied:
            while not self._stopped and self._full(size):
                self._blocked += 1
                self._filled.notify_all()
                self._emptied.wait()
            if self._stopped:
                return False
            self._items.append((item, size))
            self._bytes += size
            self._filled.notify()
            return True

    def _full(self, size: int) -> bool:
        return len(self._items) >= self._limit or (bool(self._items) and self._bytes + size > self._bytes_limit)

    def take(self, count: int) -> list[T]:
        """Take ``count`` items, waiting for so many; fewer if there is no room for more, or no more to come.

        An empty list says that it is over.
        """
        with self._filled:
            while not self._stopped and self._producers and len(self._items) < count and not self._blocked:
                self._filled.wait()
            if self._stopped:
                return []
            found = [self._items.popleft() for _ in range(min(count, len(self._items)))]
            self._bytes -= sum(size for _, size in found)
            self._blocked = 0
            self._emptied.notify_all()
            return [item for item, _ in found]

    def done(self) -> None:
        """Say that one producer has ended."""
        with self._filled:
            self._producers -= 1
            self._filled.notify_all()

    def stop(self) -> None:
        """Throw away what is here and let everybody go."""
        with self._filled:
            self._stopped = True
            self._items.clear()
            self._bytes = 0
            self._filled.notify_all()
            self._emptied.notify_all()
