from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from countersign.runs.flow import Buffer


def test_take_waits_for_a_full_batch_and_then_gives_the_rest() -> None:
    buffer: Buffer[int] = Buffer(items=8, bytes_=100, producers=1)
    for number in range(5):
        assert buffer.put(number, 1)
    assert buffer.take(4) == [0, 1, 2, 3]
    buffer.done()
    assert buffer.take(4) == [4]
    assert buffer.take(4) == []


def test_put__one_item_fits_however_large() -> None:
    buffer: Buffer[str] = Buffer(items=8, bytes_=10, producers=1)
    assert buffer.put("huge", 1000)
    waiting = threading.Thread(target=buffer.put, args=("next", 1000))
    waiting.start()
    assert buffer.take(4) == ["huge"]  # no room for more: waiting for a full batch would be for ever
    waiting.join(10)
    buffer.done()
    assert buffer.take(4) == ["next"]


def test_put__stopped() -> None:
    buffer: Buffer[int] = Buffer(items=1, bytes_=10, producers=1)
    assert buffer.put(1, 1)
    threading.Timer(0.05, buffer.stop).start()
    assert not buffer.put(2, 1)
    assert buffer.take(1) == []


@given(
    sizes=st.lists(st.integers(0, 50), max_size=40),
    producers=st.integers(1, 3),
    takers=st.integers(1, 3),
    batch=st.integers(1, 6),
    room=st.integers(1, 10),
)
def test_everything_put_is_taken_once(sizes: list[int], producers: int, takers: int, batch: int, room: int) -> None:
    buffer: Buffer[int] = Buffer(items=room, bytes_=60, producers=producers)
    taken: list[int] = []
    lock = threading.Lock()

    def produce(start: int) -> None:
        for index in range(start, len(sizes), producers):
            buffer.put(index, sizes[index])
        buffer.done()

    def take() -> None:
        while found := buffer.take(batch):
            with lock:
                taken.extend(found)

    threads = [threading.Thread(target=produce, args=(i,)) for i in range(producers)]
    threads += [threading.Thread(target=take) for _ in range(takers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    assert sorted(taken) == list(range(len(sizes)))
