"""What the library has to say beside a command's result: one plain line on stderr, whatever logging is set up."""

from __future__ import annotations

import logging
import sys


class _Plain(logging.Handler):
    """Looks for stderr as it writes, which may be another one by then."""

    def emit(self, record: logging.LogRecord) -> None:
        print(f"note: {record.getMessage()}", file=sys.stderr, flush=True)  # noqa: T201


def to_stderr(*names: str) -> None:
    """Have the loggers of these names write their warnings as lines of the command line's."""
    for logger in map(logging.getLogger, names):
        if not any(isinstance(handler, _Plain) for handler in logger.handlers):
            logger.addHandler(_Plain(logging.WARNING))
            logger.propagate = False  # A server's root logger would write it a second time, in its own form.
