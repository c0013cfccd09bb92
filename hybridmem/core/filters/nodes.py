"""A filter after it was read: conditions on fields, joined by and, or and not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hybridmem.core.filters.fields import Field


@dataclass(frozen=True, slots=True)
class Condition:
    """One operator on one field; the operand is of the type that the operator takes on it."""

    field: Field
    operator: str
    operand: Any


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds; without parts, everything does."""

    parts: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of the parts holds."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold."""

    part: Filter


Filter = Condition | AllOf | AnyOf | Not
EVERYTHING = AllOf()


def all_of(*filters: Filter) -> Filter:
    """Memories that satisfy each of `filters`."""
    parts = tuple(filter for filter in filters if filter != EVERYTHING)
    return parts[0] if len(parts) == 1 else AllOf(parts)
