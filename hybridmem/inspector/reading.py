"""The reading of a night for a review, in a thread of its own, so that no page waits for it."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial

from hybridmem.core.errors import DreamBusy, DreamInterrupted, HybridMemError
from hybridmem.core.namespace import Namespace
from hybridmem.memory import HybridMemory

FAILED = "This reading failed. The terminal that runs the inspector shows why."


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a night is read, or why it could not be."""

    namespace: Namespace
    done: int = 0
    total: int = 0
    """Episodes; 0 where it is not known yet."""
    problem: str = ""
    """Empty while it is read."""


class Readings:
    """Reads one night at a time. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._last: Reading | None = None
        self._over = threading.Event()

    def of(self, namespace: Namespace) -> Reading | None:
        """The reading of `namespace` that runs, or that failed last; None where it is done, or never began."""
        last = self._last
        return last if last is not None and last.namespace == namespace else None

    def start(self, memory: HybridMemory) -> None:
        """Begin to read, unless that namespace is being read. Raises `DreamBusy` while another one is."""
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                if self._last is not None and self._last.namespace != memory.namespace:
                    other = "/".join(self._last.namespace)
                    raise DreamBusy(f"a night of {other} is being read: wait until it is done, then try again")
                return
            self._last = Reading(memory.namespace)
            self._thread = threading.Thread(target=self._read, args=(memory,), daemon=True)
            self._thread.start()

    def wait(self) -> None:
        """Until what is being read is done."""
        if self._thread is not None:
            self._thread.join()

    def end(self) -> None:
        """Stop what is being read, and wait until it has stopped."""
        self._over.set()
        self.wait()

    def _read(self, memory: HybridMemory) -> None:
        ended: Reading | None = Reading(memory.namespace, problem=FAILED)
        try:
            memory.review_dream(progress=partial(self._tell, memory.namespace))
            ended = None
        except HybridMemError as error:
            ended = Reading(memory.namespace, problem=str(error))
        finally:
            self._last = ended

    def _tell(self, namespace: Namespace, step: str, done: int, total: int) -> None:
        if self._over.is_set():
            raise DreamInterrupted("the inspector was ended while it read: nothing was changed")
        self._last = Reading(namespace, done, total)
