"""The items of a LangGraph store: a namespace, a key and a value each."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import checked_text
from hybridmem.core.roles import trust_of
from hybridmem.importers.base import Entry, ImportedTurn, LeftOut
from hybridmem.importers.times import moment_or_none

SOURCE = "langgraph"
_ROLE = "assistant"
_TEXTS = ("text", "content", "memory", "data", "value")


def recognises(value: object) -> bool:
    """Whether `value` is one item."""
    return (
        isinstance(value, Mapping)
        and isinstance(value.get("namespace"), (list, str))
        and isinstance(value.get("key"), str)
        and isinstance(value.get("value"), Mapping)
    )


class Reader:
    def __init__(self, path: Path) -> None:
        """Nothing of the file's name is needed."""

    def read(self, number: int, value: Any) -> list[Entry]:
        if isinstance(value, Mapping) and {"namespace", "key"} <= value.keys() and value.get("value") is None:
            return [LeftOut("no words")]
        if not recognises(value):
            raise InvalidInput("it is no item of a store: it takes namespace, key and value")
        inner = value["value"]
        if not inner:
            return [LeftOut("no words")]
        space = value["namespace"]
        namespace = [str(part) for part in space] if isinstance(space, list) else [space]
        about: dict[str, Any] = {"namespace": namespace, "key": value["key"]}
        text = _text(inner)
        if text is None:
            # a value of no particular shape: as it is, with the key that names it
            text = f"{value['key']}: {json.dumps(inner, ensure_ascii=False)}"
        else:
            about |= {k: v for k, v in inner.items() if k not in _TEXTS and isinstance(v, (str, int, float, bool))}
        if not text.strip():
            return [LeftOut("no words")]
        turn = ImportedTurn(
            checked_text(text.strip()),
            _ROLE,
            source=SOURCE,
            at=moment_or_none(value.get("created_at")) or moment_or_none(value.get("updated_at")),
            trust=trust_of(_ROLE),
            metadata=about,
            key=json.dumps([*namespace, value["key"]]),
        )
        return [turn]


def _text(value: Mapping[str, Any]) -> str | None:
    """The words of a value: in one of its fields, or in one of these again, as LangMem has them."""
    for name in _TEXTS:
        found = value.get(name)
        if isinstance(found, str):
            return found
        if isinstance(found, Mapping) and (inner := _text(found)) is not None:
            return inner
    return None
