"""A stream of invented facts with every kind of question about them.

Questions are split into parts by subject, so that no fact that something was fitted on is asked of in the test.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from hybridmem.core.records import to_json
from hybridmem.evaluation.routing.question import Moment, RouterQuestion
from hybridmem.evaluation.stream import StreamDelete, StreamFact

FIRST_DAY = date(2026, 3, 1)
"""The day before the first night."""


def day_of(night: int) -> date:
    """The day before that night, counted from 1."""
    return FIRST_DAY + timedelta(days=night - 1)


@dataclass(frozen=True, slots=True)
class Quarantine:
    """A wish that a fact be set aside, out of every search and every dream."""

    night: int
    fact: str


@dataclass(frozen=True, slots=True)
class RouterStream:
    """What happens day by day, and what is asked."""

    seed: int
    nights: int
    events: tuple[StreamFact | StreamDelete, ...]
    quarantines: tuple[Quarantine, ...]
    """They come after the other events of their day."""
    questions: tuple[RouterQuestion, ...]

    @property
    def facts(self) -> tuple[StreamFact, ...]:
        return tuple(event for event in self.events if isinstance(event, StreamFact))

    def on(self, night: int) -> tuple[StreamFact | StreamDelete, ...]:
        """What is told and deleted on the day before that night, in order."""
        return tuple(event for event in self.events if event.night == night)

    def quarantined_on(self, night: int) -> tuple[str, ...]:
        """Ids of the facts that are set aside on the day before that night."""
        return tuple(event.fact for event in self.quarantines if event.night == night)

    def asked(self, night: int, moment: Moment) -> tuple[RouterQuestion, ...]:
        """The questions of one moment."""
        return tuple(each for each in self.questions if each.night == night and each.moment == moment)

    def until(self, night: int) -> RouterStream:
        """The stream as if it ended with that night."""
        return replace(
            self,
            nights=min(night, self.nights),
            events=tuple(event for event in self.events if event.night <= night),
            quarantines=tuple(event for event in self.quarantines if event.night <= night),
            questions=tuple(each for each in self.questions if each.night <= night),
        )

    @property
    def sha256(self) -> str:
        """Of all that happens and is asked: equal streams have equal digests."""
        told: Mapping[str, Any] = to_json(self)
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
