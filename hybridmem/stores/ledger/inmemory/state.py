"""Small state in a dictionary: the plainest twin of `sql/state.py`."""

from __future__ import annotations

from typing import Any

from hybridmem.core.namespace import Namespace
from hybridmem.stores.ledger.state import JsonState, Record, decoded


class InMemoryState(JsonState):
    """The part of `InMemoryLedger` that keeps small state."""

    def __init__(self) -> None:
        super().__init__()
        self._state: dict[tuple[Namespace, str], dict[str, Any]] = {}

    def get_state(self, namespace: Namespace, kind: type[Record]) -> Record | None:
        stored = self._state.get((namespace, kind.KEY))
        return None if stored is None else decoded(kind, stored)

    def _write_json(self, namespace: Namespace, key: str, content: dict[str, Any] | None) -> None:
        if content is None:
            self._state.pop((namespace, key), None)
        else:
            self._state[namespace, key] = content
