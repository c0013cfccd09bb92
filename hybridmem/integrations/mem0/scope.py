"""The owner of the memories in a call, and the ids that Mem0's callers use.

A user's memories are in the namespace ``users/USER``, those of an agent without a user in ``agents/AGENT``, and those
of a run alone in ``runs/RUN``. An agent and a run narrow a user's memories; no call reaches into another namespace.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote

from hybridmem.core.errors import InvalidInput, InvalidNamespace
from hybridmem.core.namespace import Namespace, checked_namespace, same_names

OWNERS = {"user_id": "users", "agent_id": "agents", "run_id": "runs"}
"""The first given one names the namespace."""


@dataclass(frozen=True, slots=True)
class Scope:
    """The ids of a call."""

    user_id: str | None = None
    agent_id: str | None = None
    run_id: str | None = None

    @classmethod
    def of(cls, user_id: object, agent_id: object, run_id: object, filters: Mapping[str, Any] | None = None) -> Scope:
        """From a call's arguments, or from its `filters` as in Mem0 2. Raises `InvalidInput` if no owner is given."""
        given = {"user_id": user_id, "agent_id": agent_id, "run_id": run_id}
        for name in OWNERS:
            inner = (filters or {}).get(name)
            if inner is not None and given[name] is not None and inner != given[name]:
                raise InvalidInput(f"{name} is given twice, as {given[name]!r} and as {inner!r}: give it once")
            given[name] = inner if given[name] is None else given[name]
        scope = cls(**{name: _checked(name, value) for name, value in given.items()})
        if not any(scope.ids().values()):
            raise InvalidInput("no owner is named: pass at least one of user_id, agent_id, run_id")
        return scope

    def ids(self) -> dict[str, str | None]:
        return {"user_id": self.user_id, "agent_id": self.agent_id, "run_id": self.run_id}

    def narrowing(self) -> dict[str, str]:
        """The given ids without the one that names the namespace."""
        return dict(list(self._given().items())[1:])

    def within(self, namespace: Namespace) -> dict[str, str] | None:
        """The ids that a memory in the namespace of an owner must have to be in this scope beyond what the namespace
        says; None where it says otherwise.

        >>> Scope(run_id="r1").within(("users", "ana")), Scope(run_id="r1").within(("runs", "r1"))
        ({'run_id': 'r1'}, {})
        >>> Scope(user_id="bob", run_id="r1").within(("users", "ana")) is None
        True
        """
        if same_names(self.namespace, (namespace,)) == namespace:
            return self.narrowing()
        ids = self._given()
        (owner,) = owner_of(namespace)
        return None if owner in ids or "user_id" in ids else ids

    def _given(self) -> dict[str, str]:
        return {name: value for name, value in self.ids().items() if value is not None}

    @property
    def namespace(self) -> Namespace:
        name, value = next(iter(self._given().items()))
        return checked_namespace((OWNERS[name], _part(value)))


def owner_of(namespace: Namespace) -> dict[str, str]:
    """The id that `namespace` stands for, under Mem0's name.

    >>> owner_of(("users", "ana"))
    {'user_id': 'ana'}
    """
    name = next(name for name, folder in OWNERS.items() if folder == namespace[0])
    return {name: unquote(namespace[1])}


def is_owned(namespace: Namespace) -> bool:
    """Whether `namespace` is one that a `Scope` can name."""
    return len(namespace) == 2 and namespace[0] in OWNERS.values()


def public_id(namespace: Namespace, id: str) -> str:
    """The id for callers. It holds the namespace, so that a memory is found by its id alone.

    >>> public_id(("users", "ana"), "ep_1")
    'ep_1:users:ana'
    """
    return ":".join([id, *namespace])


def parsed_id(memory_id: object) -> tuple[Namespace, str] | None:
    """(namespace, the ledger's id) of a `public_id`; None for anything else."""
    parts = str(memory_id).split(":")
    if len(parts) != 3 or not all(parts):
        return None
    try:
        namespace = checked_namespace(parts[1:])
    except InvalidNamespace:
        return None
    return (namespace, parts[0]) if is_owned(namespace) else None


def _checked(name: str, value: object) -> str | None:
    if value is None:
        return None
    text = str(value).strip()
    if not text or any(character.isspace() for character in text):
        raise InvalidInput(f"{name} {str(value)[:40]!r} is empty or has a space in it: name one owner")
    return text


def _part(id: str) -> str:
    """`id` as one part of a namespace: characters that a namespace cannot have are percent-encoded."""
    try:
        part = "".join(c if c.isprintable() and c not in "/\\%:" else quote(c, safe="") for c in id)
    except UnicodeEncodeError:
        raise InvalidInput(f"the id {id[:40]!r} is not valid Unicode: decode it as UTF-8") from None
    return part.replace(".", "%2E") if part in {".", ".."} else part
