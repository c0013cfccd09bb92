"""From the JSON of a filter to its nodes. Everything that can be wrong with one is found here, before any search."""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import date
from typing import Any

from hybridmem.core.errors import InvalidDate, InvalidInput
from hybridmem.core.filters.fields import Field, field_named
from hybridmem.core.filters.moments import Moment
from hybridmem.core.filters.nodes import EVERYTHING, AllOf, AnyOf, Condition, Filter, Not, all_of
from hybridmem.core.roles import is_role, role_of

ORDERED = ("gt", "gte", "lt", "lte")
LISTED = ("in", "nin")
OPERATORS = ("eq", "ne", *ORDERED, *LISTED, "contains", "icontains", "exists")
JOINS = ("and", "or", "not")
MOST = 10_000
"""The most conditions and values in one filter."""
DEEPEST = 32
"""The deepest nesting of ``and``, ``or`` and ``not``."""

TAKES: Mapping[str, tuple[str, ...]] = {
    "text": ("eq", "ne", *ORDERED, *LISTED, "contains", "icontains", "exists"),
    "choice": ("eq", "ne", *LISTED),
    "time": ("eq", "ne", *ORDERED, *LISTED, "exists"),
    "number": ("eq", "ne", *ORDERED, *LISTED, "exists"),
    "flag": ("eq", "ne"),
    "tags": ("eq", "ne", *LISTED, "contains", "icontains", "exists"),
    "json": OPERATORS,
}
"""The operators on each type of field."""
_TYPES = {"text": "a text", "tags": "a text", "number": "a number", "flag": "true or false"}


def parse(filters: Mapping[str, Any] | None) -> Filter:
    """The filter that `filters` write down; None and {} are everything. Raises `InvalidInput`, which names the field,
    the operator or the value that is wrong.

    A key is a field with a value (``{"role": "user"}``), a list of values (one of them), or operators
    (``{"at": {"gte": "2026-03-01"}}``), or it is ``and`` or ``or`` with a list of filters, or ``not`` with one filter
    (or a list, of which none may hold). All keys of one object must hold."""
    if filters is None:
        return EVERYTHING
    return _Reader().read(filters, 0)


class _Reader:
    """One reading, which counts what the filter holds."""

    def __init__(self) -> None:
        self._held = 0

    def read(self, filters: object, depth: int) -> Filter:
        if not isinstance(filters, Mapping):
            raise InvalidInput(
                f"the filter {_short(filters)} is no object: write it as {{'role': 'user'}}, with a field and a value"
            )
        if depth > DEEPEST:
            raise InvalidInput(f"the filter is nested more than {DEEPEST} deep: flatten it")
        return all_of(*(self._key(key, value, depth) for key, value in filters.items()))

    def _key(self, key: object, value: Any, depth: int) -> Filter:
        if key not in JOINS:
            return self._field(field_named(key), value)
        if key == "not" and isinstance(value, Mapping):
            return Not(self.read(value, depth + 1))
        if not isinstance(value, list | tuple) or not value:
            raise InvalidInput(f"the filter {key!r} is no list of filters: write {{'{key}': [{{...}}, {{...}}]}}")
        parts = tuple(self.read(each, depth + 1) for each in value)
        return AllOf(parts) if key == "and" else AnyOf(parts) if key == "or" else Not(AnyOf(parts))

    def _field(self, field: Field, wanted: Any) -> Filter:
        if isinstance(wanted, Mapping):
            if not wanted:
                raise InvalidInput(f"the filter on {field.name!r} is empty: use one of {', '.join(TAKES[field.type])}")
            return all_of(*(self._condition(field, operator, operand) for operator, operand in wanted.items()))
        # A list of values of a list-valued place is the list itself only where it is asked for with eq.
        return self._condition(field, "in" if isinstance(wanted, list | tuple | Set) else "eq", wanted)

    def _condition(self, field: Field, operator: object, operand: Any) -> Filter:
        if operator not in OPERATORS:
            raise InvalidInput(
                f"the filter on {field.name!r} has no known operator {_short(operator)}: use {', '.join(OPERATORS)}"
            )
        if operator not in TAKES[field.type]:
            raise InvalidInput(
                f"the filter on {field.name!r} takes no {operator!r}: use {', '.join(TAKES[field.type])}"
            )
        return Condition(field, str(operator), self._operand(field, str(operator), operand))

    def _operand(self, field: Field, operator: str, operand: Any) -> Any:
        if operator == "exists":
            if not isinstance(operand, bool):
                raise InvalidInput(f"the filter 'exists' on {field.name!r} takes true or false, not {_short(operand)}")
            return operand
        if operator in LISTED:
            if not isinstance(operand, list | tuple | Set):
                raise InvalidInput(f"the filter {operator!r} on {field.name!r} needs a list of values")
            return tuple(self._value(field, operator, each) for each in operand)
        if operator in ("contains", "icontains"):
            is_text = isinstance(operand, str)
            if not is_text and (operator == "icontains" or field.type != "json"):
                raise _wrong(field, operator, operand, "a text")
        if operator in ORDERED and (operand is None or isinstance(operand, bool | list | tuple | Set | Mapping)):
            raise _wrong(field, operator, operand, "a number, a text or a time")
        return self._value(field, operator, operand)

    def _value(self, field: Field, operator: str, value: Any) -> Any:
        """`value` as the type of `field` has it."""
        self._held += 1
        if self._held > MOST:
            raise InvalidInput(f"the filter holds more than {MOST:,} values: split it")
        if value is None and operator in ("eq", "ne", *LISTED) and field.type not in ("choice", "flag"):
            return None
        if field.type == "time":
            return _moment(field, value)
        if field.type == "choice" and value not in field.choices:
            raise InvalidInput(f"there is no {field.name} {_short(value)}: choose among {', '.join(field.choices)}")
        if field.type == "json":
            return _json(field, value, listed=operator in ("eq", "ne"))
        is_right = {"number": _is_number(value), "flag": isinstance(value, bool)}.get(
            field.type, isinstance(value, str)
        )
        if not is_right:
            raise _wrong(field, operator, value, _TYPES.get(field.type, "a text"))
        if field.name == "role" and operator in ("eq", "ne", *LISTED) and is_role(value):
            # Stored roles have one spelling: another one would match nothing.
            return role_of(value)
        return value


def _moment(field: Field, value: Any) -> Moment:
    if isinstance(value, str | date):
        try:
            return Moment.of(value)
        except InvalidDate as error:
            raise InvalidDate(f"the filter on {field.name!r}: {error}") from None
    raise InvalidDate(
        f"the filter on {field.name!r} takes a time, not {_short(value)}: write it as 2026-03-01T09:00:00Z"
    )


def _json(field: Field, value: Any, *, listed: bool) -> Any:
    """What metadata can be compared with: a scalar, a time, or where it may be `listed` a list of them."""
    if isinstance(value, date):
        return Moment.of(value)
    if value is None or isinstance(value, str | bool) or _is_number(value):
        return value
    if listed and isinstance(value, list | tuple):
        return tuple(_json(field, each, listed=False) for each in value)
    raise InvalidInput(
        f"the filter on {field.name!r} cannot compare with {_short(value)}: use a text, a number, true, false or null"
    )


def _is_number(value: Any) -> bool:
    # An infinite bound is a common way to say none. Not-a-number equals nothing, not even itself.
    return isinstance(value, int | float) and not isinstance(value, bool) and value == value


def _wrong(field: Field, operator: str, value: Any, right: str) -> InvalidInput:
    return InvalidInput(f"the filter {operator!r} on {field.name!r} takes {right}, not {_short(value)}")


def _short(value: object) -> str:
    written = repr(value)
    return written if len(written) <= 60 else f"{written[:57]}..."
