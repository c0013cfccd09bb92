"""The filters of LangChain's and LangGraph's stores as the core's: operators with a dollar sign, and plain values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hybridmem.core.errors import InvalidInput
from hybridmem.core.filters.parse import JOINS, OPERATORS

_JOINS = {f"${join}": join for join in JOINS}
_OPERATORS = {f"${operator}": operator for operator in OPERATORS}


def translated(filters: Mapping[str, Any] | None, place: str) -> dict[str, Any]:
    """The core's filter that means what `filters` say about the fields within `place` of a memory.

    A plain value is equality (of a list with the whole list), an object with ``$eq``, ``$gte``, ``$in`` ... holds
    operators, any other object holds fields of its own, and ``$and``, ``$or`` and ``$not`` join filters. Raises
    `InvalidInput` for another operator.

    >>> translated({"stars": {"$gte": 3}, "author.name": "Ana"}, "metadata")
    {'and': [{'metadata.stars': {'gte': 3}}, {'metadata.author.name': {'eq': 'Ana'}}]}
    """
    parts = [_key(str(name), wanted, place) for name, wanted in (filters or {}).items()]
    return {"and": parts} if parts else {}


def _key(name: str, wanted: Any, place: str) -> dict[str, Any]:
    if name in _JOINS:
        if isinstance(wanted, Mapping):
            wanted = [wanted]
        if not isinstance(wanted, list | tuple) or not wanted or not all(isinstance(each, Mapping) for each in wanted):
            raise InvalidInput(f"the filter {name} is no list of filters: write {{'{name}': [{{...}}, {{...}}]}}")
        return {_JOINS[name]: [translated(each, place) for each in wanted]}
    if name.startswith("$"):
        raise InvalidInput(f"there is no filter operator {name!r} here: use {', '.join(_JOINS)}")
    field = f"{place}.{name}"
    if not isinstance(wanted, Mapping):
        return {field: {"eq": wanted}}
    if not any(str(key).startswith("$") for key in wanted):
        return {"and": [{field: {"exists": True}}, translated(wanted, field)]}
    if unknown := [str(key) for key in wanted if key not in _OPERATORS]:
        raise InvalidInput(f"there is no filter operator {unknown[0]!r}: use {', '.join(_OPERATORS)}")
    return {field: {_OPERATORS[key]: value for key, value in wanted.items()}}
