"""The last texts' vectors: made once, given to whoever asks next, forgotten in the order of their use."""

from __future__ import annotations

import threading

import numpy as np

from hybridmem.embedding.recent import RecentVectors, Vector


def test_a_text_is_embedded_once_while_it_is_among_the_last() -> None:
    made: list[str] = []

    def make(text: str) -> Vector:
        made.append(text)
        return np.full(3, len(text), dtype=np.float32)

    recent = RecentVectors(2)
    for text in ("one", "three", "one", "fifteen", "one", "three"):
        assert recent.of(text, make)[0] == len(text)
    assert made == ["one", "three", "fifteen", "three"]
    assert len(recent) == 2


def test_no_text_is_kept() -> None:
    recent = RecentVectors(2)
    recent.of("a secret", lambda text: np.zeros(1, dtype=np.float32))
    assert "secret" not in repr(vars(recent))


def test_who_finds_a_vector_does_not_wait_for_one_that_is_made() -> None:
    recent = RecentVectors(8)
    recent.of("known", lambda text: np.zeros(1, dtype=np.float32))
    begun, go_on = threading.Event(), threading.Event()

    def slow(text: str) -> Vector:
        begun.set()
        assert go_on.wait(10)
        return np.ones(1, dtype=np.float32)

    maker = threading.Thread(target=lambda: recent.of("new", slow))
    maker.start()
    assert begun.wait(10)
    found = recent.of("known", slow)
    assert maker.is_alive()
    go_on.set()
    maker.join(10)
    assert found[0] == 0
    assert recent.of("new", slow)[0] == 1
