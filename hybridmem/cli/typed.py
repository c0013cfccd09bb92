"""A text that somebody typed as an argument, or pipes in."""

from __future__ import annotations

import sys

from hybridmem.cli.invocation import STDOUT
from hybridmem.core.errors import EmptyText, InvalidEncoding


def typed(text: str) -> str:
    """The text of an argument, or of the standard input for ``-``. Raises `InvalidEncoding`."""
    if text == STDOUT:
        return _stdin()
    # The terminal's bytes that are no UTF-8 come as halves of surrogate pairs: stored, they would be lost for good.
    escaped = next((place for place, each in enumerate(text) if "\udc80" <= each <= "\udcff"), None)
    if escaped is not None:
        raise InvalidEncoding(f"the text is not valid Unicode at character {escaped}: pass it as UTF-8")
    return text


def _stdin() -> str:
    """The whole standard input as text. Raises `EmptyText` or `InvalidEncoding`."""
    raw = sys.stdin.buffer.read()
    if not raw.strip():
        raise EmptyText("standard input is empty: pipe the text into the command, or pass it as TEXT")
    try:
        return raw.decode("utf-8-sig").rstrip("\r\n")
    except UnicodeDecodeError as error:
        raise InvalidEncoding(f"standard input is not UTF-8 at byte {error.start + 1}: convert it to UTF-8") from None
