"""Server-sent events, as OpenAI's streams use them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

LONGEST = 2**20
"""Most bytes of one event, and of the text that is kept; the rest is ignored."""


def event(value: Mapping[str, Any]) -> bytes:
    """One event whose data is `value` as JSON."""
    return b"data: " + json.dumps(value).encode() + b"\n\n"


class Listener:
    """Collects the `text` of a stream as it passes, and notes when the stream is `done`.

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
        """Read the next bytes of the stream, wherever they were cut."""
        *whole, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > LONGEST:
            self._rest = b""
        for line in whole:
            if not line.startswith(b"data:"):
                continue
            data = line.removeprefix(b"data:").strip()
            self.done = self.done or data == b"[DONE]"
            if len(self.text) < LONGEST:
                self.text += _content(data)


def _content(data: bytes) -> str:
    try:
        chunk = json.loads(data)
    except ValueError:
        return ""
    choices = chunk.get("choices") if isinstance(chunk, Mapping) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    delta = first.get("delta") if isinstance(first, Mapping) else None
    content = delta.get("content") if isinstance(delta, Mapping) else None
    return content if isinstance(content, str) else ""
