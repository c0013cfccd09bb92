"""Who asks first gets the lock first, also beside a thread that asks again at once."""

from __future__ import annotations

import threading
import time

import pytest

from hybridmem.stores.index.fair_lock import FairLock


def test_one_at_a_time_in_the_order_of_asking() -> None:
    lock = FairLock()
    order: list[int] = []

    def take(number: int) -> None:
        with lock.held():
            order.append(number)

    threads = [threading.Thread(target=take, args=(number,), daemon=True) for number in range(5)]
    with lock.held():
        for waiting, thread in enumerate(threads, start=2):
            thread.start()
            while len(lock._queue) < waiting:
                time.sleep(0.001)
        assert order == []
    for thread in threads:
        thread.join(10)
    assert order == [0, 1, 2, 3, 4]


def test_nobody_starves_beside_a_thread_that_asks_again_at_once() -> None:
    lock = FairLock()
    taken, stop = threading.Event(), threading.Event()

    def keep_taking() -> None:
        while not stop.is_set():
            with lock.held():
                taken.set()
                time.sleep(0.02)

    greedy = threading.Thread(target=keep_taking, daemon=True)
    greedy.start()
    assert taken.wait(10)
    started = time.monotonic()
    for _ in range(10):
        with lock.held():
            pass
    waited = time.monotonic() - started
    stop.set()
    greedy.join(10)
    assert waited < 2, "ten turns wait for ten of the other's, 20 ms each"


def test_one_that_fails_or_gives_up_passes_it_on() -> None:
    lock = FairLock()
    with pytest.raises(ZeroDivisionError), lock.held():
        raise ZeroDivisionError
    with lock.held():
        assert len(lock._queue) == 1
    assert not lock._queue
