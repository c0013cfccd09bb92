"""A dream that runs beside the adds, searches and answers of its own process leaves them room.

Three things make a call wait for a dream in another thread. Whatever runs in Python holds the interpreter's lock, by
default for 5 ms each time that the call wants it back, and a search wants it back a dozen times. A training takes every
core. And a product of matrices that numpy shares out to every core waits for the core that the dream has. So Python's
threads take turns faster while a dream runs, a training keeps to half the cores while somebody calls, and numpy
multiplies on one core. The operating system's priorities are left alone: a thread of low priority that holds the lock
would keep it for as long as other processes keep the thread from running.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from threadpoolctl import threadpool_limits

from hybridmem.core.progress import Progress
from hybridmem.core.recent_calls import RecentCalls
from hybridmem.models.base import LanguageModel
from hybridmem.models.trainable import SharesCores

TURN_SECONDS = 0.0001
"""How long a thread keeps the interpreter's lock from another one while a dream runs."""
QUIET_SECONDS = 5.0
"""So long after the last call, a training takes every core again."""

_taking_turns = threading.Lock()
_dreams = 0
_usual = ExitStack()


@contextmanager
def beside(calls: RecentCalls, model: LanguageModel, progress: Progress) -> Iterator[Progress]:
    """Within this context, which is the dream's, its thread and the process leave room for the `calls` that come. The
    dream calls what it yields in the place of `progress`, and the cores are shared out anew each time.

    A training whose cores change rounds otherwise: its adapter is as good as another one, but not the same bits."""
    began = calls.now()
    cores = model if isinstance(model, SharesCores) else None

    def tell(step: str, done: int, total: int) -> None:
        if cores is not None:
            cores.share_cores(calls.since(max(began, calls.now() - QUIET_SECONDS)))
        progress(step, done, total)

    with _room_for_calls():
        try:
            yield tell
        finally:
            if cores is not None:
                cores.share_cores(False)


@contextmanager
def _room_for_calls() -> Iterator[None]:
    """Faster turns, and one core for numpy, for as long as some dream of this process runs."""
    global _dreams
    with _taking_turns:
        if not _dreams:
            interval = sys.getswitchinterval()
            _usual.callback(sys.setswitchinterval, interval)
            sys.setswitchinterval(min(interval, TURN_SECONDS))
            _usual.enter_context(threadpool_limits(1, user_api="blas"))
        _dreams += 1
    try:
        yield
    finally:
        with _taking_turns:
            _dreams -= 1
            if not _dreams:
                _usual.close()
