"""A text as sentences.

>>> sentences("It rained. We left!\\nWhy?")
['It rained.', 'We left!', 'Why?']
"""

from __future__ import annotations

import re

_BETWEEN = re.compile(r"(?<=[.!?])\s+|(?<=[。！？｡])\s*|\n+")


def sentences(text: str) -> list[str]:
    """`text` cut after ., ! or ? followed by space, after their full-width forms, and at line breaks."""
    return [part.strip() for part in _BETWEEN.split(text) if part.strip()]
