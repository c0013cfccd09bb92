"""Whether a memory satisfies a filter: the only place that decides it.

- A value that is missing or null has nothing to compare: it equals null alone, so that ``ne`` and ``nin`` hold.
- A list satisfies a condition by one of its elements, or as a whole where ``eq`` names a list.
- A text is the same however its letters are composed (Unicode's NFC and NFD).
- Numbers are compared with numbers, times with times (whatever their offsets), texts with texts; values of two types
  are neither equal nor in any order.
"""

from __future__ import annotations

import operator
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from hybridmem.core.filters.fields import METADATA, Field, view
from hybridmem.core.filters.moments import Moment, moment_in
from hybridmem.core.filters.nodes import AllOf, AnyOf, Condition, Filter, Not
from hybridmem.core.records import Episode, Fact
from hybridmem.core.text.tokens import composed, has_other_forms

_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}


def admits(filter: Filter, record: Episode | Fact, sources: Sequence[Episode] = ()) -> bool:
    """Whether `record` satisfies `filter`. A fact does where it does beside one of its `sources`."""
    if isinstance(record, Episode) or not sources:
        return holds(filter, view(record))
    return any(holds(filter, view(record, source)) for source in sources)


def holds(filter: Filter, values: Mapping[str, Any]) -> bool:
    """Whether `values`, by field as `view` gives them, satisfy `filter`."""
    if isinstance(filter, AllOf):
        return all(holds(part, values) for part in filter.parts)
    if isinstance(filter, AnyOf):
        return any(holds(part, values) for part in filter.parts)
    if isinstance(filter, Not):
        return not holds(filter.part, values)
    return _satisfies(filter, list(_found(filter.field, values)))


def _found(field: Field, values: Mapping[str, Any]) -> Iterator[Any]:
    """The values at `field` that are not null: one, none, or several where the place is inside a list of objects."""
    if field.type == "json":
        yield from _inside(values.get(METADATA), field.path)
    elif (value := values.get(field.name)) is not None and value != ():
        yield value


def _inside(value: Any, path: str) -> Iterator[Any]:
    if isinstance(value, list | tuple):
        for each in value:
            if isinstance(each, Mapping | list | tuple):
                yield from _inside(each, path)
        return
    if not isinstance(value, Mapping):
        return
    if not path.isascii():
        # A name is the same however its letters are composed.
        path = unicodedata.normalize("NFC", path)
        value = {unicodedata.normalize("NFC", key): each for key, each in value.items()}
    if path in value:
        # A key may have dots of its own.
        if value[path] is not None:
            yield value[path]
        return
    name, dot, rest = path.partition(".")
    if dot and name in value:
        yield from _inside(value[name], rest)


def _satisfies(condition: Condition, found: Sequence[Any]) -> bool:
    name, operand = condition.operator, condition.operand
    if name == "exists":
        return bool(found) is operand
    if name == "eq":
        return _is_one(found, operand)
    if name == "ne":
        return not _is_one(found, operand)
    if name in ("in", "nin"):
        return any(_is_one(found, each) for each in operand) is (name == "in")
    if name in ("contains", "icontains"):
        return any(_contains(value, operand, folded=name == "icontains") for value in found)
    return any(_is_ordered(name, each, operand) for value in found for each in _elements(value))


def _is_one(found: Sequence[Any], wanted: Any) -> bool:
    if wanted is None:
        return not found
    return any(_equals(value, wanted) or any(_equals(each, wanted) for each in _elements(value)) for value in found)


def _elements(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list | tuple) else (value,)


def _equals(value: Any, wanted: Any) -> bool:
    if isinstance(wanted, tuple):
        return (
            isinstance(value, list | tuple)
            and len(value) == len(wanted)
            and all(_equals(mine, theirs) for mine, theirs in zip(value, wanted, strict=True))
        )
    if isinstance(wanted, Moment):
        time = _time(value)
        return time is not None and wanted.holds(time)
    if isinstance(wanted, bool) or wanted is None:
        return value is wanted
    if isinstance(wanted, str):
        if not isinstance(value, str):
            return False
        return _same_letters(value, wanted) or _same_time(value, wanted)
    return _is_number(value) and bool(value == wanted)


def _same_letters(value: str, wanted: str) -> bool:
    return value == wanted or (has_other_forms(wanted) and composed(value) == composed(wanted))


def _same_time(value: str, wanted: str) -> bool:
    moment, time = moment_in(wanted), _time(value)
    return moment is not None and time is not None and moment.holds(time)


def _is_ordered(name: str, value: Any, bound: Any) -> bool:
    moment = bound if isinstance(bound, Moment) else moment_in(bound)
    if moment is not None and (time := _time(value)) is not None:
        return moment.compare(name, time)
    if isinstance(bound, str):
        return isinstance(value, str) and _ORDER[name](value, bound)
    return _is_number(bound) and _is_number(value) and _ORDER[name](value, bound)


def _contains(value: Any, part: Any, *, folded: bool) -> bool:
    if isinstance(value, str):
        if not isinstance(part, str):
            return False
        part, value = composed(part), composed(value)
        return part.casefold() in value.casefold() if folded else part in value
    if not isinstance(value, list | tuple):
        return False
    if folded:
        wanted = composed(part).casefold()
        return any(isinstance(each, str) and composed(each).casefold() == wanted for each in value)
    return any(_equals(each, part) for each in value)


def _time(value: Any) -> datetime | None:
    """`value` as a time: a date in metadata is the beginning of its day."""
    if isinstance(value, datetime):
        return value
    moment = moment_in(value)
    return moment.start if moment is not None else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
