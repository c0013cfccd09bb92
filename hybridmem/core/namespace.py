"""Namespaces: whose memory it is. A tuple of non-empty strings; nothing crosses from one to another."""

from __future__ import annotations

from collections.abc import Sequence

from hybridmem.core.errors import InvalidNamespace

Namespace = tuple[str, ...]


def checked_namespace(parts: Sequence[str] | str) -> Namespace:
    """`parts` as a namespace; a string is split at ``/``. Raises `InvalidNamespace`.

    >>> checked_namespace("users/ana")
    ('users', 'ana')
    """
    split = tuple(parts.split("/")) if isinstance(parts, str) else tuple(parts)
    if not split:
        raise InvalidNamespace("the namespace has no parts: name at least one, as in users/ana")
    for part in split:
        if not isinstance(part, str) or not part.strip():
            raise InvalidNamespace(f"the namespace {'/'.join(map(str, split))!r} has an empty part: write users/ana")
        if part != part.strip() or part in {".", ".."} or "/" in part or "\\" in part or not part.isprintable():
            raise InvalidNamespace(
                f"the namespace part {part!r} has a slash, a control character or space around it, or is a path step"
            )
        if len(part) > 128:
            raise InvalidNamespace(f"the namespace part {part[:20]!r}... is longer than 128 characters")
    return split
