"""The place of a store's items in the ledger: LangGraph's namespaces and keys as hybridmem's, and back."""

from __future__ import annotations

import hashlib
import json
from urllib.parse import unquote

from hybridmem.core.namespace import Namespace

Path = tuple[str, ...]
"""A namespace of LangGraph: any non-empty labels."""

ROOT = "@store"
"""The part of a ledger's namespace after which a store's labels begin: the memory above it holds no items."""

_LONGEST = 128
_DIGEST = "%~"
"""Marks the digest of a label that is too long. It is no escape: those have two hexadecimal digits after the sign."""


def home(namespace: Namespace, path: Path) -> Namespace:
    """The ledger's namespace for the items under `path` in the store of the memory `namespace`.

    >>> home(("users", "ana"), ("notes", "a/b "))
    ('users', 'ana', '@store', 'notes', 'a%2Fb%20')
    """
    return (*namespace, ROOT, *map(_part, path))


def path_of(namespace: Namespace, depth: int) -> Path | None:
    """The path after the first `depth` parts of a namespace that `home` made. None if a label was too long: then only
    an item has the path.

    >>> path_of(('users', 'ana', '@store', 'notes', 'a%2Fb%20'), 3)
    ('notes', 'a/b ')
    """
    parts = namespace[depth:]
    if any(part.startswith(_DIGEST) for part in parts):
        return None
    return tuple(unquote(part, errors="surrogatepass") for part in parts)


def item_id(namespace: Namespace, key: str) -> str:
    """The id of the episode with the item `key` in the ledger's `namespace`, which needs no search."""
    return "item_" + hashlib.sha256(json.dumps([namespace, key]).encode()).hexdigest()[:40]


def _part(label: str) -> str:
    """`label` as a part that the ledger takes; different labels give different parts."""
    inner = len(label) - 1
    part = "".join(
        _escaped(sign) if _is_unsafe(sign) or (sign == " " and place in {0, inner}) else sign
        for place, sign in enumerate(label)
    )
    part = part if part not in {".", ".."} else part.replace(".", "%2E")
    return part if len(part) <= _LONGEST else _DIGEST + hashlib.sha256(part.encode()).hexdigest()


def _is_unsafe(sign: str) -> bool:
    return sign in "%/\\" or not sign.isprintable()


def _escaped(sign: str) -> str:
    return "".join(f"%{byte:02X}" for byte in sign.encode("utf-8", "surrogatepass"))
