"""Questions that the ledger alone decides for the weights, so that their answer can begin before the search has ended.

One of these is asked in the words of an exercise on a fact of the active adapter, which answered every audit question
on that fact rightly; nothing that the adapter holds was deleted or superseded since, and nothing that no dream has read
yet has a word in common with the question or the fact. What the weights say is then told as they say it, as far as it
is the fact's own value and its confidence so far settles the answer.
"""

from __future__ import annotations

import hashlib
from collections.abc import MutableMapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from hybridmem.core.namespace import Namespace
from hybridmem.core.records import AdapterRecord, Episode, Fact
from hybridmem.core.text.periods import time_phrases
from hybridmem.core.text.subjects import names_subject
from hybridmem.core.text.tokens import normalised
from hybridmem.core.text.topics import topic
from hybridmem.models.base import Generation
from hybridmem.router.calibration import Calibration
from hybridmem.router.decision import is_settled
from hybridmem.router.signals import SIGNALS, Evidence, vector
from hybridmem.router.snapshot import Snapshot
from hybridmem.stores.ledger.base import Ledger

MOST_UNREAD = 50
"""Episodes that no dream has read yet and that are looked through; where there are more, the search decides."""
NAMESPACES_KEPT = 64
_ENDS = " .,!"
Derived = MutableMapping[tuple[str, Namespace], object]
"""What a process has derived of its namespaces, by kind."""


@dataclass(frozen=True, slots=True)
class AuditedQuestions:
    """The exercises on what an adapter holds."""

    KEY: ClassVar[str] = "audited_questions"

    version: str
    """The adapter's."""
    facts: dict[bytes, str]
    """The fact that a question is on, by the question's digest: a text that is deleted is not kept here."""

    @classmethod
    def of(cls, ledger: Ledger, adapter: AdapterRecord, derived: Derived) -> AuditedQuestions:
        """As `derived` has them, or read. Exercises stay as they are while an adapter holds their fact."""
        kept = derived.get((cls.KEY, adapter.namespace))
        if isinstance(kept, cls) and kept.version == adapter.version:
            return kept
        facts: dict[bytes, str] = {}
        for item in ledger.items(adapter.namespace, adapter.facts):
            if item.kind == "question":
                asked = _digest(item.question)
                # What is asked of two facts decides for neither.
                facts[asked] = item.fact if facts.get(asked, item.fact) == item.fact else ""
        while len(derived) >= NAMESPACES_KEPT:
            derived.pop(next(iter(derived)), None)
        made = derived[cls.KEY, adapter.namespace] = cls(adapter.version, facts)
        return made


def decided(question: str, snapshot: Snapshot, ledger: Ledger, derived: Derived, asked_on: datetime) -> Evidence | None:
    """The evidence for `question` where the ledger alone decides for the weights; None where the search has to."""
    adapter = snapshot.adapter
    if adapter is None or snapshot.is_tainted or time_phrases(question, asked_on.date()):
        return None
    id = AuditedQuestions.of(ledger, adapter, derived).facts.get(_digest(question), "")
    audit = snapshot.audits.get(id)
    if id not in adapter.facts or audit is None or not audit.asked or audit.right < audit.asked:
        return None
    fact = ledger.get_many(adapter.namespace, [id]).get(id)
    if not isinstance(fact, Fact) or not names_subject(question, fact.subject):
        return None
    unread = ledger.unextracted(adapter.namespace, MOST_UNREAD + 1, at=asked_on)
    if len(unread) > MOST_UNREAD or _bears_on(unread, topic(question) | topic(fact.text)):
        return None
    return Evidence(fact=id, value=fact.object, names_subject=True, consolidated=True, audited=1.0)


def may_be_told(said: Generation, known: Evidence, calibration: Calibration) -> bool:
    """Whether what the weights have `said` so far is how the known value begins, and settles the answer."""
    text = said.text.rstrip(_ENDS).casefold()
    if not text or not (known.value or "").casefold().startswith(text):
        return False
    # How far the next fact is, only the search can say.
    margin = next(signal for signal in SIGNALS if signal.name == "margin")
    confidence = min(
        calibration.confidence("weights", vector(replace(known, margin=at), said)) for at in (margin.low, margin.high)
    )
    return is_settled(confidence, calibration.threshold)


def _bears_on(unread: Sequence[Episode], about: frozenset[str]) -> bool:
    return any(about & topic(episode.text) for episode in unread)


def _digest(question: str) -> bytes:
    return hashlib.sha256(normalised(question).encode()).digest()
