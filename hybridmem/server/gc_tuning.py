"""Python's full garbage collections stop every thread, and for longer the more objects there are."""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Generator

LONG_SECONDS = 0.02


@contextlib.contextmanager
def short_collections() -> Generator[None]:
    """Within the context, objects that survived a collection longer than `LONG_SECONDS` are not scanned again: modules,
    and indexes in memory. They are still freed once nothing refers to them, unless they are in a reference cycle."""
    started = 0.0
    frozen = gc.get_freeze_count() > 0

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
        if not frozen:  # `unfreeze` is all or nothing: what the program froze before stays frozen.
            gc.unfreeze()
