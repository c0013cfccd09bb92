"""Namespaces: whose memory it is, as a tuple of non-empty strings. Nothing crosses from one to another."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from hybridmem.core.errors import InvalidNamespace

Namespace = tuple[str, ...]


def checked_namespace(name: Sequence[str] | str) -> Namespace:
    """`name` as a namespace; a string is split at ``/``. Raises `InvalidNamespace`.

    >>> checked_namespace("users/ana")
    ('users', 'ana')
    """
    if not isinstance(name, Sequence) or isinstance(name, bytes | bytearray):
        raise InvalidNamespace(f"the namespace is a {type(name).__name__}: pass users/ana, or a tuple of texts")
    split = tuple(name.split("/")) if isinstance(name, str) else tuple(name)
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


def namespace_digest(namespace: Namespace, length: int) -> str:
    """The first `length` hex digits of the namespace's sha256, which name its files, tables and collections.

    >>> namespace_digest(("users", "ana"), 16)
    '31b23b213c0783d1'
    """
    return hashlib.sha256("/".join(namespace).encode()).hexdigest()[:length]


def adapter_folder(namespace: Namespace) -> str:
    """The name of the folder for a namespace's adapters: readable, because people open it, and unique by a digest.

    The digest differs from `namespace_digest`. Memories on disk have both, so neither can change.

    >>> adapter_folder(("users", "ana"))
    'users-ana-36bbc6fb6214'
    """
    readable = re.sub(r"[^a-z0-9]+", "-", "-".join(namespace).lower()).strip("-")[:40]
    digest = hashlib.sha256("\x00".join(namespace).encode()).hexdigest()[:12]
    return f"{readable}-{digest}" if readable else digest
