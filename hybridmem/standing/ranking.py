"""Which facts a profile may show, and in which order: by use and stability, with a decay.

A fact's weight is how often it was said and used; it halves with its section's half-life. The rank is the logarithm of
that, so that it does not depend on the day on which it is looked at:

    score = log2(evidence + uses) + days / half-life

What is known of the user stands for long, what it is worked at passes soon.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from hybridmem.core.namespace import Namespace
from hybridmem.core.records import TRAINABLE_TRUST, Episode, Fact
from hybridmem.core.text.first_person import SPEAKER_WORDS, is_first_person
from hybridmem.core.text.tokens import normalised
from hybridmem.stores.ledger.base import Ledger

Section = Literal["user", "work"]
"""What a line is about: the user, or what the user is at."""
SECTIONS: tuple[Section, ...] = ("user", "work")
HALF_LIFE: Mapping[Section, timedelta] = {"user": timedelta(days=365), "work": timedelta(days=14)}
_START = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Ranked:
    """A fact's place in its section."""

    id: str
    score: float
    position: int
    """In the ledger: of equal scores, the later fact comes first."""

    @property
    def order(self) -> tuple[float, int]:
        """Ascending: the best comes first."""
        return -self.score, -self.position


def is_known(fact: Fact) -> bool:
    """Whether a profile may show `fact` while it holds: it is believed, and the user or the agent vouches for it. What
    tools and web pages say is found by those who look for it, and is never in front of a conversation by itself."""
    return fact.current and not fact.quarantined and fact.trust in TRAINABLE_TRUST


def ranked(ledger: Ledger, namespace: Namespace, facts: Iterable[Fact]) -> list[tuple[Section, Ranked]]:
    """The section and the place of each of `facts`, by the uses that are counted now, of its episodes among them."""
    known = list(facts)
    about = [*_is_users_own(ledger, namespace, known)]
    ids = dict.fromkeys(id for fact in known for id in (fact.id, *fact.sources))
    uses = ledger.uses(namespace, list(ids)) if ids else {}
    placed = []
    for fact, own in zip(known, about, strict=True):
        section: Section = "user" if own else "work"
        used = sum(uses[id] for id in (fact.id, *fact.sources))
        days = (fact.recorded_at - _START) / HALF_LIFE[section]
        placed.append((section, Ranked(fact.id, math.log2(fact.evidence + used) + days, fact.position)))
    return placed


def _is_users_own(ledger: Ledger, namespace: Namespace, facts: list[Fact]) -> Iterable[bool]:
    """Whether each of `facts` is about the user: in the first person, or under the name by which the user signs."""
    doubtful = {
        fact.id: fact for fact in facts if fact.sources and not _speaks_of_user(fact) and normalised(fact.subject)
    }
    said = list(dict.fromkeys(id for fact in doubtful.values() for id in fact.sources))
    # Nothing to look up, which is usual by day, costs no transaction.
    sources = ledger.get_many(namespace, said) if said else {}
    for fact in facts:
        signed = (sources.get(id) for id in fact.sources) if fact.id in doubtful else ()
        yield _speaks_of_user(fact) or any(
            isinstance(said, Episode)
            and (said.role, said.trust) == ("user", "user")
            and said.speaker is not None
            and normalised(said.speaker) == normalised(fact.subject)
            for said in signed
        )


def _speaks_of_user(fact: Fact) -> bool:
    return normalised(fact.subject) in SPEAKER_WORDS or is_first_person(fact.question, plural=False)
