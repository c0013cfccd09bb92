"""Authorisation: bearer tokens bound to namespaces. Only the sha256 of a token is kept."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybridmem.core.errors import InvalidInput, InvalidNamespace
from hybridmem.core.namespace import Namespace, checked_namespace

SHORTEST = 16
"""Fewest characters of a token that the user chooses."""
_DIGEST = re.compile(r"[0-9a-f]{64}")
_KEYS = {"name", "sha256", "namespaces", "read_only", "metrics"}


@dataclass(frozen=True, slots=True)
class Grant:
    """What one token permits."""

    sha256: str
    namespaces: tuple[Namespace, ...] = ()
    """The namespaces that it opens, with all below them; the first is the default."""
    read_only: bool = False
    metrics: bool = False
    """Whether ``/metrics`` shows it the figures of every namespace, and not only of its own."""

    def covers(self, namespace: Namespace) -> bool:
        """Whether `namespace` is one of its own or below one."""
        return any(namespace[: len(own)] == own for own in self.namespaces)


class Tokens:
    """The grants of a server.

    >>> tokens = Tokens.of("a-token-of-my-own", ("users", "ana"))
    >>> grant = tokens.grant("a-token-of-my-own")
    >>> grant is not None and grant.covers(("users", "ana", "work")), tokens.grant("another")
    (True, None)
    """

    def __init__(self, grants: Iterable[Grant]) -> None:
        self._grants = tuple(grants)

    @classmethod
    def of(cls, token: str, namespace: Namespace) -> Tokens:
        """One token for one namespace. Raises `InvalidInput` for a token that is too short to be a secret."""
        if len(token) < SHORTEST or not token.isascii() or not token.isprintable() or " " in token:
            raise InvalidInput(f"the token must have {SHORTEST} or more letters, digits and signs, without a space")
        return cls([Grant(digest(token), (namespace,))])

    @classmethod
    def read(cls, path: Path) -> Tokens:
        """The grants of a JSON or TOML file (``tokens``: a list of objects). Raises `InvalidInput`."""
        try:
            raw = path.read_bytes().decode("utf-8")
            content = tomllib.loads(raw) if path.suffix == ".toml" else json.loads(raw)
        except OSError as error:
            raise InvalidInput(f"the token file {path} cannot be read ({error.strerror}): check its path") from None
        except ValueError as error:
            raise InvalidInput(f"the token file {path} is neither JSON nor TOML ({error})") from None
        if not isinstance(content, Mapping) or not isinstance(content.get("tokens"), list) or not content["tokens"]:
            raise InvalidInput(f'the token file {path} names no tokens: write {{"tokens": [{{"sha256": ...}}]}}')
        grants = [_grant(entry, f"token {number} of {path}") for number, entry in enumerate(content["tokens"], start=1)]
        if len({grant.sha256 for grant in grants}) < len(grants):
            raise InvalidInput(f"the token file {path} names a token twice: give each its namespaces in one entry")
        return cls(grants)

    def grant(self, token: str) -> Grant | None:
        """The grant of `token`, or None. The time it takes reveals nothing about any token."""
        presented = digest(token)
        found = None
        for grant in self._grants:
            if hmac.compare_digest(grant.sha256, presented):
                found = grant
        return found


def digest(token: str) -> str:
    """The sha256 of a token, which is all that is kept of it."""
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def new_token() -> str:
    """A fresh secret of 256 bits."""
    return f"hm-{secrets.token_urlsafe(32)}"


def _grant(entry: Any, where: str) -> Grant:
    if not isinstance(entry, Mapping):
        raise InvalidInput(f"{where} is not an object: write sha256, namespaces and perhaps read_only and metrics")
    if unknown := sorted(set(entry) - _KEYS):
        raise InvalidInput(f"{where} has an unknown key {unknown[0]!r}: the keys are {', '.join(sorted(_KEYS))}")
    sha256, named = entry.get("sha256"), entry.get("namespaces", [])
    if not isinstance(sha256, str) or not _DIGEST.fullmatch(sha256):
        raise InvalidInput(f"{where} has no sha256 of 64 hex digits: printf %s TOKEN | sha256sum prints it")
    flags = {key: entry.get(key, False) for key in ("read_only", "metrics")}
    for key, value in flags.items():
        if not isinstance(value, bool):
            raise InvalidInput(f"{where}: {key} is true or false, not {value!r}")
    if not isinstance(named, Sequence) or isinstance(named, str):
        raise InvalidInput(f'{where}: namespaces is a list, as in ["users/ana"]')
    if not named and not flags["metrics"]:
        raise InvalidInput(f"{where} opens no namespace: name at least one")
    try:
        namespaces = tuple(checked_namespace(namespace) for namespace in named)
    except InvalidNamespace as error:
        raise InvalidInput(f"{where}: {error}") from None
    return Grant(sha256, namespaces, **flags)
