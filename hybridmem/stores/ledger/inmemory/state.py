"""Small state in a dictionary: the plainest twin of `sql/state.py`."""

from __future__ import annotations

from typing import Any

from hybridmem.core.namespace import Namespace
from hybridmem.stores.ledger.state import JsonState


class InMemoryState(JsonState):
    """The part of `InMemoryLedger` that keeps small state."""

    def __init__(self) -> None:
        super().__init__()
        self._state: dict[tuple[Namespace, str], dict[str, Any]] = {}

    def _read_json(self, namespace: Namespace, key: str) -> dict[str, Any] | None:
        return self._state.get((namespace, key))

    def _write_json(self, namespace: Namespace, key: str, content: dict[str, Any] | None) -> None:
        if content is None:
            self._state.pop((namespace, key), None)
        else:
            self._state[namespace, key] = content
