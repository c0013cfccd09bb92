"""Namespaces: whose memory it is, as a tuple of non-empty strings. Nothing crosses from one to another."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence

from hybridmem.core.arguments import kind_of
from hybridmem.core.errors import InvalidNamespace
from hybridmem.core.text.tokens import composed

Namespace = tuple[str, ...]
_JOINERS = "\u200c\u200d"
"""Zero-width non-joiner and joiner."""


def checked_namespace(name: Sequence[str] | str) -> Namespace:
    """`name` as a namespace; a string is split at ``/``. Raises `InvalidNamespace`.

    >>> checked_namespace("users/ana")
    ('users', 'ana')
    """
    if not isinstance(name, Iterable) or isinstance(name, bytes | bytearray):
        raise InvalidNamespace(f"the namespace is {kind_of(name)}: pass users/ana, or a tuple of texts")
    split = tuple(name.split("/")) if isinstance(name, str) else tuple(name)
    if not split:
        raise InvalidNamespace("the namespace has no parts: name at least one, as in users/ana")
    for part in split:
        if not isinstance(part, str):
            instead = "name it" if part is None else f"write {str(part)!r}"
            raise InvalidNamespace(
                f"the namespace part {part!r} is of type {type(part).__name__}, and parts are texts: {instead}"
            )
        if not part.strip() or not part.strip(_JOINERS):
            raise InvalidNamespace(f"the namespace {'/'.join(map(str, split))!r} has an empty part: write users/ana")
        if part != part.strip() or part in {".", ".."} or "/" in part or "\\" in part or not _is_printable(part):
            raise InvalidNamespace(
                f"the namespace part {part!r} has a slash, a control character or space around it, or is a path step"
            )
        if len(part) > 128:
            raise InvalidNamespace(f"the namespace part {part[:20]!r}... is longer than 128 characters")
    return split


def same_names(given: Namespace, known: Iterable[Namespace]) -> Namespace:
    """The one of the `known` namespaces that `given` means: itself, or the same letters composed otherwise, as file
    systems and keyboards do; else `given` in Unicode's NFC.

    >>> same_names(("jose\u0301",), [("jos\u00e9",)]) == ("jos\u00e9",)
    True
    """
    composed = _composed(given)
    others = tuple(known)
    if given in others or composed in others:
        return given if given in others else composed
    return next((other for other in others if _composed(other) == composed), composed)


def _composed(namespace: Namespace) -> Namespace:
    return tuple(map(composed, namespace))


def _is_printable(part: str) -> bool:
    """Whether `part` has no control character. The joiners are letters' glue in Persian names and in emoji."""
    return all(char.isprintable() or char in _JOINERS for char in part)


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
