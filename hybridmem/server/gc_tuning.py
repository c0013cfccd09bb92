"""Python's full garbage collections stop every thread, for longer the more there is to look at."""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Generator

LONG_SECONDS = 0.02


@contextlib.contextmanager
def short_collections() -> Generator[None]:
    """Within it, what has survived a collection of more than `LONG_SECONDS` is not looked at again: the modules, and
    the indexes that are kept in memory. It is still freed when nothing refers to it, unless it refers to itself."""
    started = 0.0

    def watch(phase: str, info: dict[str, int]) -> None:
        nonlocal started
        if phase == "start":
            started = time.perf_counter()
        elif info["generation"] == 2 and time.perf_counter() - started > LONG_SECONDS:
            gc.freeze()

    gc.collect()
    gc.freeze()
    gc.callbacks.append(watch)
    try:
        yield
    finally:
        gc.callbacks.remove(watch)
        gc.unfreeze()
