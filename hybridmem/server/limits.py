"""How much work one server accepts at a time."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Requests above these limits are refused with 413, 408, 429 or 503, and never queued without end."""

    body_bytes: int = 8 * 2**20
    """Most bytes of a body. A memory has up to a million characters, and JSON may need six bytes for each."""
    head_seconds: float = 10.0
    """From the first byte of a request to the end of its headers."""
    body_seconds: float = 20.0
    """From the end of the headers to the end of the body."""
    request_seconds: float = 120.0
    """From the end of the body to the first byte of the response. A stream may go on as long as the client reads it."""
    stall_seconds: float = 20.0
    """A client that reads nothing of a response for so long is disconnected."""
    in_flight: int = 128
    """Requests at a time, over all tokens."""
    in_flight_per_token: int = 64
    searchers: int = 4
    """Threads that search, and wait for the indexes to follow what was written."""
    readers: int = 2
    """Threads that read the ledger and wait for nothing."""
    writers: int = 2
    """Threads that write. A ledger has one writer at a time, so that more would only wait."""
    answerers: int = 8
    """Threads that answer. What waits while the model is busy is answered in one batch."""
    erasers: int = 8
    """Threads that erase. The slowest part, making the bytes unreadable, is done once for all that wait."""
