"""What time it is for what is about to be recorded."""

from __future__ import annotations

from datetime import datetime

from hybridmem.core.clock import Clock
from hybridmem.core.namespace import Namespace
from hybridmem.stores.ledger.memories import Memories


def present(ledger: Memories, namespace: Namespace, clock: Clock) -> datetime:
    """The clock's time, or that of the last memory where the clock was set back since: what is said last stays last,
    as in a hybrid logical clock (Kulkarni et al. 2014)."""
    now = clock()
    return max(now, ledger.last_recorded(namespace) or now)
