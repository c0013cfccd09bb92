"""Small state that an owner keeps in the ledger: one record of each kind in a namespace, with a version.

A kind of record is a frozen dataclass that its owner declares beside the code that uses it:

    >>> from dataclasses import dataclass
    >>> from typing import Any, ClassVar
    >>> @dataclass(frozen=True, slots=True)
    ... class Bookmark:
    ...     KEY: ClassVar[str] = "bookmark"
    ...     VERSION: ClassVar[int] = 2
    ...     page: int
    ...
    ...     def to_json(self) -> dict[str, Any]:
    ...         return {"page": self.page}
    ...
    ...     @classmethod
    ...     def from_json(cls, content: Mapping[str, Any], version: int) -> "Bookmark | None":
    ...         return cls(content["page"] if version == 2 else content["sheet"] * 2)
    >>> encoded(Bookmark(7))
    {'page': 7, 'version': 2}
    >>> decoded(Bookmark, {"version": 1, "sheet": 3})
    Bookmark(page=6)
    >>> decoded(Bookmark, {"version": 3, "chapter": 1}) is None
    True
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, Self, TypeVar

from hybridmem.core.namespace import Namespace
from hybridmem.core.plain_json import plain_json

_VERSION = "version"


class StateRecord(Protocol):
    """A kind of small state: ids and figures, never texts."""

    KEY: ClassVar[str]
    """Its name in the ledger, which no other kind has."""
    VERSION: ClassVar[int]
    """From 1 up, by one with each change of the JSON. What was written before versions were is of version 0."""

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values without a key `version`, which the ledger adds."""
        ...

    @classmethod
    def from_json(cls, content: Mapping[str, Any], version: int) -> Self | None:
        """The record from what `version` (at most `VERSION`) wrote; None to read it as absent. The record says here how
        each older version is migrated."""
        ...


Record = TypeVar("Record", bound=StateRecord)


class State(Protocol):
    """The part of a ledger that keeps small state."""

    def get_state(self, namespace: Namespace, kind: type[Record]) -> Record | None:
        """None where there is none, and for what a newer release wrote."""
        ...

    def put_state(self, namespace: Namespace, record: StateRecord) -> None:
        """Store `record` in place of the one of its kind. Raises `InvalidInput` for what JSON does not hold."""
        ...

    def remove_state(self, namespace: Namespace, kind: type[StateRecord]) -> None:
        """None of this kind is left; there need not have been one."""
        ...


class JsonState(ABC):
    """`State` for a ledger that keeps a JSON object under a name."""

    @abstractmethod
    def get_state(self, namespace: Namespace, kind: type[Record]) -> Record | None: ...

    def put_state(self, namespace: Namespace, record: StateRecord) -> None:
        self._write_json(namespace, record.KEY, encoded(record))

    def remove_state(self, namespace: Namespace, kind: type[StateRecord]) -> None:
        self._write_json(namespace, kind.KEY, None)

    @abstractmethod
    def _write_json(self, namespace: Namespace, key: str, content: dict[str, Any] | None) -> None:
        """Durable when it returns; None removes what is there."""
        ...


def encoded(record: StateRecord) -> dict[str, Any]:
    """What the ledger stores of `record`. Raises `InvalidInput`."""
    return {**plain_json(record.to_json(), f"the state {record.KEY!r}"), _VERSION: record.VERSION}


def decoded(kind: type[Record], stored: Mapping[str, Any]) -> Record | None:
    """The record that was `stored`; None for what a newer release wrote, and for a version that is no number."""
    version = stored.get(_VERSION, 0)
    if type(version) is not int or not 0 <= version <= kind.VERSION:
        return None
    return kind.from_json({name: value for name, value in stored.items() if name != _VERSION}, version)
