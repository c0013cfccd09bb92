"""What dates say about a hit: is it of the period that the question names, and does it tell when, where that is asked.

Both rank and hide nothing: people misremember dates, and a memory of another day may be the one that answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, MemoryRecord
from hybridmem.core.text.periods import Period, asks_when, period_asked, tells_when, time_phrases
from hybridmem.core.text.resolved import phrases
from hybridmem.stores.ledger.memories import Memories

READ = 4_000
"""Characters of a memory that are read for dates."""


@dataclass(frozen=True, slots=True)
class AskedTime:
    """What a question says about time."""

    period: Period | None = None
    """The period that it names."""
    when: bool = False
    """Whether it asks for a time."""

    @classmethod
    def of(cls, question: str, asked_on: date) -> AskedTime:
        """That of `question`, whose "last week" is seen from the day `asked_on`."""
        return cls(period_asked(question, asked_on, phrases(question, asked_on)), asks_when(question))

    def agreement(self, record: MemoryRecord) -> float:
        """How much of `record` lies in the period, from 0 to 1: 1 where it was said in it, or else the largest share of
        a time that it names."""
        if self.period is None:
            return 0.0
        if self.period.first <= _said_on(record) <= self.period.last:
            return 1.0
        named = (phrase.period for phrase in time_phrases(record.text[:READ], _said_on(record)))
        return max((period.shared(self.period) / period.days for period in named), default=0.0)

    def is_told_by(self, record: MemoryRecord) -> bool:
        """Whether the question asks for a time and `record` names one."""
        return self.when and tells_when(record.text[:READ])


def said_in(ledger: Memories, namespace: Namespace, period: Period, limit: int) -> dict[str, Episode]:
    """The last `limit` episodes of a period, which no other searcher may name: "what happened last week?" has no word
    of them. None of one with an open end."""
    if period.first == date.min or period.last == date.max:
        return {}
    end = datetime.combine(period.last + timedelta(days=1), time(), UTC)
    latest = ledger.latest(namespace, before=(end, 0), limit=limit)
    return {episode.id: episode for episode in latest if episode.at.date() >= period.first}


def _said_on(record: MemoryRecord) -> date:
    return (record.at if isinstance(record, Episode) else record.valid_from).date()
