"""Mem0's filters on metadata: equality, operators, wildcards, and AND, OR and NOT over them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from hybridmem.core.errors import InvalidInput

Check = Callable[[Any, Any], bool]


def _ordered(compare: Callable[[Any, Any], Any]) -> Check:
    def check(value: Any, bound: Any) -> bool:
        try:
            return value is not None and bool(compare(value, bound))
        except TypeError:  # a word is neither above nor below a number
            return False

    return check


def _contains(value: Any, part: Any) -> bool:
    if isinstance(value, str):
        return str(part) in value
    return isinstance(value, Sequence) and part in value


OPERATORS: Mapping[str, Check] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "in": lambda value, among: value in among,
    "nin": lambda value, among: value not in among,
    "gt": _ordered(operator.gt),
    "gte": _ordered(operator.ge),
    "lt": _ordered(operator.lt),
    "lte": _ordered(operator.le),
    "contains": _contains,
    "icontains": lambda value, part: isinstance(value, str) and str(part).casefold() in value.casefold(),
}


def matches(fields: Mapping[str, Any], filters: Mapping[str, Any]) -> bool:
    """Whether `fields` satisfy all of `filters`. Raises `InvalidInput` for a filter that is none.

    >>> matches({"kind": "food", "stars": 4}, {"kind": "food", "stars": {"gte": 3}})
    True
    >>> matches({"kind": "food"}, {"OR": [{"kind": "tea"}, {"NOT": [{"kind": "food"}]}]})
    False
    """
    return all(_satisfies(fields, key, wanted) for key, wanted in filters.items())


def _satisfies(fields: Mapping[str, Any], key: str, wanted: Any) -> bool:
    if key in {"AND", "OR", "NOT"}:
        if not isinstance(wanted, list) or not all(isinstance(each, Mapping) for each in wanted) or not wanted:
            raise InvalidInput(f"the filter {key} is no list of filters: write {{'{key}': [{{...}}, {{...}}]}}")
        satisfied = [matches(fields, each) for each in wanted]
        return all(satisfied) if key == "AND" else any(satisfied) is (key == "OR")
    value = fields.get(key)
    if wanted == "*":
        return value is not None
    if not isinstance(wanted, Mapping):
        return bool(value == wanted)
    if not wanted or (unknown := set(wanted) - OPERATORS.keys()):
        named = f"operator {sorted(map(str, unknown))[0]!r}" if wanted else "operator"
        raise InvalidInput(f"the filter on {key!r} has no known {named}: use {', '.join(OPERATORS)}")
    for name in wanted.keys() & {"in", "nin"}:
        if not isinstance(wanted[name], list | tuple | set):
            raise InvalidInput(f"the filter {name!r} on {key!r} needs a list of values")
    return all(OPERATORS[name](value, bound) for name, bound in wanted.items())
