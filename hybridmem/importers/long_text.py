"""Documents that are longer than one memory, cut where their paragraphs end."""

from __future__ import annotations

from collections.abc import Iterator

from hybridmem.core.records import MAX_TEXT, checked_text


def passages(text: str, longest: int = MAX_TEXT) -> Iterator[str]:
    """`text` in pieces of at most `longest` characters, cut at the last blank line, line end or space before that;
    nothing for a text without words. Raises `InvalidEncoding`.

    >>> list(passages("one two three", 8))
    ['one two', 'three']
    """
    start = 0
    while start < len(text):
        end = min(start + longest, len(text))
        if end < len(text):
            cuts = (text.rfind(mark, start + 1, end) for mark in ("\n\n", "\n", " "))
            end = next((cut for cut in cuts if cut > start), end)
        piece = text[start:end].strip()
        if piece:
            yield checked_text(piece)
        start = end
