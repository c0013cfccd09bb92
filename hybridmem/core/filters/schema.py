"""The JSON Schema of a filter, from the tables that the parser goes by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hybridmem.core.filters.fields import FIELDS, METADATA, Field
from hybridmem.core.filters.parse import LISTED, ORDERED, TAKES

_TEXT = {"type": "string"}
_SCALAR = {"type": ["string", "number", "boolean", "null"]}
_TIME = {"type": "string", "anyOf": [{"format": "date-time"}, {"format": "date"}]}
_JSON = Field(METADATA, "json")


def filter_schema(reference: str) -> dict[str, Any]:
    """The schema; `reference` is where it will be found, as it refers to itself."""
    inner = {"$ref": reference}
    several = {"type": "array", "minItems": 1, "items": inner}
    return {
        "type": "object",
        "description": "Conditions on fields, all of which must hold: a value, a list of which one must be there, or "
        "operators; with and, or and not. Metadata is metadata.KEY. docs/filters.md explains each.",
        "properties": {
            **{name: _condition(field) for name, field in FIELDS.items()},
            "and": several,
            "or": several,
            "not": {"anyOf": [inner, several]},
        },
        "patternProperties": {rf"^{METADATA}\.[\s\S]+$": _condition(_JSON)},
        "additionalProperties": False,
    }


def _condition(field: Field) -> dict[str, Any]:
    takes = TAKES[field.type]
    operators = {name: _operand(field, name) for name in takes}
    value = [_value(field), *([{"type": "array", "items": _value(field)}] if "in" in takes else [])]
    return {
        "anyOf": [
            *value,
            {"type": "object", "minProperties": 1, "additionalProperties": False, "properties": operators},
        ]
    }


def _operand(field: Field, operator: str) -> dict[str, Any]:
    if operator == "exists":
        return {"type": "boolean"}
    if operator in LISTED:
        return {"type": "array", "items": _value(field)}
    if operator == "icontains" or (operator == "contains" and field.type != "json"):
        return _TEXT
    if operator in ORDERED:
        ordered: Mapping[str, dict[str, Any]] = {"time": _TIME, "number": {"type": "number"}, "text": _TEXT}
        return ordered.get(field.type, {"type": ["string", "number"]})
    if field.type == "json" and operator in ("eq", "ne"):
        return {"anyOf": [_SCALAR, {"type": "array", "items": _SCALAR}]}
    return _value(field)


def _value(field: Field) -> dict[str, Any]:
    """What ``eq`` compares with."""
    if field.type == "choice":
        return {"enum": list(field.choices)}
    if field.type == "flag":
        return {"type": "boolean"}
    if field.type == "time":
        return {"anyOf": [_TIME, {"type": "null"}]}
    if field.type == "number":
        return {"type": ["number", "null"]}
    return _SCALAR if field.type == "json" else {"type": ["string", "null"]}
