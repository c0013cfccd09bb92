"""How long a namespace keeps what it is told, how age counts in its searches, and how many answers may be wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar, get_args

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import Trust

LONGEST = 1_000_000
"""Days at most: about as far as dates go."""
DEFAULT_RISK = 0.1


@dataclass(frozen=True, slots=True)
class MemoryPolicy:
    """What holds for a memory or a search that says nothing else."""

    KEY: ClassVar[str] = "policy"
    """Its name in the ledger."""
    VERSION: ClassVar[int] = 2

    half_life_days: float | None = None
    """In which age takes half of what it can from a rank; None for ranks that do not age."""
    expire_after_days: Mapping[str, float] = field(default_factory=dict)
    """By trust: days after which an episode expires, counted from when it was recorded; others last."""
    risk: float = DEFAULT_RISK
    """Share of all questions that may be answered wrongly: above it, the router says that it does not know."""

    @property
    def half_life(self) -> timedelta | None:
        return checked_half_life(self.half_life_days)

    def expiry(self, trust: str, now: datetime) -> datetime | None:
        """When an episode of this trust expires that is recorded `now`; None for never."""
        days = self.expire_after_days.get(trust)
        try:
            return None if days is None else now + timedelta(days=days)
        except OverflowError:  # after the year 9999
            return None

    def to_json(self) -> dict[str, Any]:
        return {
            "half_life_days": self.half_life_days,
            "expire_after_days": dict(self.expire_after_days),
            "risk": self.risk,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any], version: int) -> MemoryPolicy:
        return cls(content["half_life_days"], content["expire_after_days"], content.get("risk", DEFAULT_RISK))


def checked_policy(policy: MemoryPolicy) -> MemoryPolicy:
    """`policy` itself. Raises `InvalidInput`."""
    checked_half_life(policy.half_life_days)
    for trust, days in policy.expire_after_days.items():
        if trust not in get_args(Trust):
            raise InvalidInput(f"there is no trust {str(trust)[:40]!r}: choose among {', '.join(get_args(Trust))}")
        if not _is_length(days):
            raise InvalidInput(
                f"{trust!r} cannot expire after {str(days)[:40]} days: give a number above 0, such as 30"
            )
    checked_risk(policy.risk)
    return policy


def checked_risk(risk: float) -> float:
    """`risk` itself, a share. Raises `InvalidInput`."""
    if not isinstance(risk, int | float) or isinstance(risk, bool) or not 0 < risk < 1:
        raise InvalidInput(
            f"the risk {str(risk)[:40]} is no share between 0 and 1: pass 0.05 for one wrong answer in 20"
        )
    return risk


def checked_half_life(days: float | None) -> timedelta | None:
    """The half-life of a rank. Raises `InvalidInput`."""
    if days is None:
        return None
    if not _is_length(days):
        raise InvalidInput(f"the half-life {str(days)[:40]} is no number of days above 0 and up to a million: pass 90")
    return timedelta(days=days)


def _is_length(days: object) -> bool:
    return isinstance(days, int | float) and not isinstance(days, bool) and 0 < days <= LONGEST
