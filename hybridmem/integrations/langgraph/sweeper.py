"""A thread that regularly removes expired items."""

from __future__ import annotations

import contextlib
import logging
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future, InvalidStateError

from hybridmem.core.errors import HybridMemError

_log = logging.getLogger(__name__)


class Sweeper:
    """Calls `sweep` every `seconds` until it is stopped or its future is cancelled. A failed sweep (a busy store, a
    full disk) is logged, and the next one tries again."""

    def __init__(self, sweep: Callable[[], int], seconds: float) -> None:
        self.future: Future[None] = Future()
        self._sweep, self._seconds = sweep, seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hybridmem-ttl-sweeper", daemon=True)
        self.future.add_done_callback(lambda _: self._stopped.set())
        self._thread.start()

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def stop(self, timeout: float | None) -> bool:
        """Stop the thread; returns whether it ended within `timeout` seconds."""
        self._stopped.set()
        self._thread.join(timeout)
        return not self.running

    def _run(self) -> None:
        try:
            while not self._stopped.wait(self._seconds):
                try:
                    self._sweep()
                except HybridMemError as error:
                    _log.warning("expired items were not removed: %s", error)
        finally:
            broken = sys.exception()
            with contextlib.suppress(InvalidStateError):  # it was cancelled
                self.future.set_result(None) if broken is None else self.future.set_exception(broken)
