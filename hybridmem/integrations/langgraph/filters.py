"""Which values a search's filter admits."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from hybridmem.core.errors import InvalidInput

_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "$gt": operator.gt,
    "$gte": operator.ge,
    "$lt": operator.lt,
    "$lte": operator.le,
}


def admits(filter: Mapping[str, Any] | None, value: Mapping[str, Any]) -> bool:
    """Whether each field that `filter` names is in `value` as it says: equal, or as ``$eq``, ``$ne``, ``$gt``,
    ``$gte``, ``$lt`` and ``$lte`` ask. What cannot be compared, or is not there, is neither above nor below anything.

    >>> admits({"kind": "note", "stars": {"$gte": 3, "$lt": 5}}, {"kind": "note", "stars": 4})
    True

    Raises `InvalidInput` for another operator."""
    return all(_agrees(value.get(name), wanted) for name, wanted in (filter or {}).items())


def _agrees(held: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        if any(str(name).startswith("$") for name in wanted):
            return all(_holds(held, name, bound) for name, bound in wanted.items())
        return isinstance(held, Mapping) and all(_agrees(held.get(name), inner) for name, inner in wanted.items())
    if isinstance(wanted, list | tuple):
        return (
            isinstance(held, list | tuple)
            and len(held) == len(wanted)
            and all(_agrees(mine, theirs) for mine, theirs in zip(held, wanted, strict=True))
        )
    return bool(held == wanted)


def _holds(held: Any, name: str, bound: Any) -> bool:
    if name == "$eq":
        return bool(held == bound)
    if name == "$ne":
        return bool(held != bound)
    if name not in _ORDER:
        raise InvalidInput(f"there is no filter operator {name!r}: use $eq, $ne, {', '.join(_ORDER)}")
    numbers = _number(held), _number(bound)
    if None not in numbers:
        return _ORDER[name](*numbers)
    return isinstance(held, str) and isinstance(bound, str) and _ORDER[name](held, bound)


def _number(value: Any) -> float | None:
    """`value` as a number, also where it is written as a text."""
    if not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None
