"""A share of cases, and how sure it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hybridmem.metrics import wilson_interval


@dataclass(frozen=True, slots=True)
class Proportion:
    """`value` is the share of `of` cases; it lies between `low` and `high` at 95% (Wilson)."""

    value: float
    low: float
    high: float
    of: int


def observed_proportion(marks: Iterable[bool]) -> Proportion | None:
    """The share of `marks` that are true; None where there are none."""
    counted = list(marks)
    if not counted:
        return None
    low, high = wilson_interval(sum(counted), len(counted))
    return Proportion(sum(counted) / len(counted), low, high, len(counted))
