"""Server-sent events, as OpenAI's streams use them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

LONGEST = 2**20
"""Bytes of one event, and of the text that is remembered; what is longer passes unheard."""


def event(value: Mapping[str, Any]) -> bytes:
    """One event whose data is `value` as JSON."""
    return b"data: " + json.dumps(value).encode() + b"\n\n"


class Listener:
    """Hears what is said in a stream that passes by: its `text` so far, and whether it is `done`.

    >>> listener = Listener()
    >>> for piece in (b'data: {"choices": [{"delta": {"con', b'tent": "Porto."}}]}\\n\\ndata: [DONE]\\n\\n'):
    ...     listener.hear(piece)
    >>> listener.text, listener.done
    ('Porto.', True)
    """

    def __init__(self) -> None:
        self.text = ""
        self.done = False
        self._rest = b""

    def hear(self, piece: bytes) -> None:
        """Take in the next bytes of the stream, wherever they were cut."""
        *whole, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > LONGEST:
            self._rest = b""
        for line in whole:
            if not line.startswith(b"data:"):
                continue
            data = line.removeprefix(b"data:").strip()
            self.done = self.done or data == b"[DONE]"
            if len(self.text) < LONGEST:
                self.text += _said(data)


def _said(data: bytes) -> str:
    try:
        told = json.loads(data)
    except ValueError:
        return ""
    choices = told.get("choices") if isinstance(told, Mapping) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    delta = first.get("delta") if isinstance(first, Mapping) else None
    content = delta.get("content") if isinstance(delta, Mapping) else None
    return content if isinstance(content, str) else ""
