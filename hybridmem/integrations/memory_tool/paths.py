"""Checks of the virtual tree's paths.

No path touches a file system, so none can leave the memory. Tricks are refused all the same: if two readers understand
a path differently, it deceives one of them.
"""

from __future__ import annotations

import re
import unicodedata

from hybridmem.core.errors import InvalidInput

ROOT = "/memories"
MAX_PATH = 1024
"""Most characters of a path."""
MAX_PART = 255
"""Most UTF-8 bytes of one part, as on a disk."""
_ENCODED = re.compile(r"%[0-9A-Fa-f]{2}")
_LOOKALIKES = frozenset("⁄∕⧸╱⟋∖⧵╲⟍․‥…。｡")
"""Characters that look like a slash, a backslash or a dot and that Unicode does not count as compatible with them."""


def checked_path(path: object) -> str:
    """`path` in its canonical spelling, without a slash at the end. Raises `InvalidInput`.

    >>> checked_path("/memories/notes/")
    '/memories/notes'
    """
    if not isinstance(path, str):
        raise InvalidInput("Error: the path is not a string: write it as /memories/notes.txt")
    if len(path) > MAX_PATH:
        raise InvalidInput(f"Error: the path has {len(path):,} characters and may have {MAX_PATH:,}: shorten it")
    quoted = repr(path[:80])
    trimmed = path[:-1] if path.endswith("/") and path != "/" else path
    if trimmed != ROOT and not trimmed.startswith(f"{ROOT}/"):
        raise InvalidInput(f"Error: the path {quoted} is not under {ROOT}: write it as {ROOT}/notes.txt")
    for part in trimmed.split("/")[1:]:
        if wrong := _wrong_with(part):
            raise InvalidInput(f"Error: the path {quoted} {wrong}: write it as {ROOT}/notes.txt")
    return trimmed


def _wrong_with(part: str) -> str | None:
    if not part:
        return "has an empty part"
    if part in {".", ".."}:
        return "has a step in it"
    if "\\" in part:
        return "has a backslash"
    if _ENCODED.search(part):
        return "is percent-encoded"
    if not part.isprintable():
        return "has a character that cannot be seen"
    if part != part.strip():
        return "has space around a part"
    compatible = unicodedata.normalize("NFKC", part)
    if not _LOOKALIKES.isdisjoint(part) or any(compatible.count(c) != part.count(c) for c in "/\\."):
        return "has a character that only looks like a slash or a dot"
    if len(part.encode("utf-8")) > MAX_PART:
        return f"has a part of more than {MAX_PART} bytes"
    return None


def parents(path: str) -> list[str]:
    """The directories above `path`, the root first.

    >>> parents("/memories/a/b.txt")
    ['/memories', '/memories/a']
    """
    parts = path.split("/")
    return ["/".join(parts[:length]) for length in range(2, len(parts))]
