"""What the library says beside its results, whatever handlers the command line or pytest have set up before."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


class _Kept(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(record.getMessage())


@contextmanager
def kept(logger: str) -> Iterator[list[str]]:
    """The lines that this logger gets within the context. A logger that the command line has set up passes nothing on,
    and pytest then listens to it directly: its own fixture would count a line once or twice, by the order of tests."""
    lines: list[str] = []
    handler = _Kept(lines)
    logging.getLogger(logger).addHandler(handler)
    try:
        yield lines
    finally:
        logging.getLogger(logger).removeHandler(handler)
