"""How much one server takes on at a time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What is more is refused, with 413, 408, 429 or 503; never queued without end."""

    body_bytes: int = 8 * 2**20
    """A memory takes a million characters, which JSON may write in six bytes each."""
    head_seconds: float = 10.0
    """From a connection's first byte of a request to the end of its headers."""
    body_seconds: float = 20.0
    """From there to the end of the body."""
    request_seconds: float = 120.0
    """From there to the first byte of the response; a stream may then go on for as long as somebody reads it."""
    stall_seconds: float = 20.0
    """A client that takes nothing of a response for so long is cut off."""
    in_flight: int = 128
    """Requests at a time, of everybody."""
    in_flight_per_token: int = 64
    searchers: int = 4
    """Threads that search, and wait for the indexes to follow what was written."""
    readers: int = 2
    """Threads that look at what the ledger holds, and wait for nothing."""
    writers: int = 2
    """Threads that change something: a ledger has one writer at a time, so that more would only wait."""
    erasers: int = 8
    """Threads that erase: what takes longest in it, to make the bytes unreadable, is done once for all that wait."""
