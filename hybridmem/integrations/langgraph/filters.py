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
    """Whether `value` satisfies each field of `filter`: by equality, or by ``$eq``, ``$ne``, ``$gt``, ``$gte``,
    ``$lt`` and ``$lte``. Missing values and values of other types are neither above nor below anything.

    >>> admits({"kind": "note", "stars": {"$gte": 3, "$lt": 5}}, {"kind": "note", "stars": 4})
    True

    Raises `InvalidInput` for another operator."""
    return all(_equals(value.get(name), wanted) for name, wanted in (filter or {}).items())


def _equals(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, Mapping):
        if any(str(name).startswith("$") for name in wanted):
            return all(_satisfies(value, name, bound) for name, bound in wanted.items())
        return isinstance(value, Mapping) and all(_equals(value.get(name), inner) for name, inner in wanted.items())
    if isinstance(wanted, list | tuple):
        return (
            isinstance(value, list | tuple)
            and len(value) == len(wanted)
            and all(_equals(mine, theirs) for mine, theirs in zip(value, wanted, strict=True))
        )
    return bool(value == wanted)


def _satisfies(value: Any, name: str, bound: Any) -> bool:
    if name == "$eq":
        return bool(value == bound)
    if name == "$ne":
        return bool(value != bound)
    if name not in _ORDER:
        raise InvalidInput(f"there is no filter operator {name!r}: use $eq, $ne, {', '.join(_ORDER)}")
    numbers = _number(value), _number(bound)
    if None not in numbers:
        return _ORDER[name](*numbers)
    return isinstance(value, str) and isinstance(bound, str) and _ORDER[name](value, bound)


def _number(value: Any) -> float | None:
    """`value` as a number, also if it is a text with one; else None."""
    if not isinstance(value, int | float | str):
        return None
    try:
        return float(value)
    except (ValueError, OverflowError):
        return None
