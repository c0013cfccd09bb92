"""What the router looks at: first what the ledger knows of the question, then how sure the model was.

A model's own certainty is least safe right after it was trained, so the ledger's evidence comes first: is the nearest
fact about this subject, is it in the active adapter, did it pass its audit, and has nothing been said since?
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hybridmem.core.records import AdapterRecord, Audit, Episode, Fact, Hit
from hybridmem.core.text.mentions import mentions
from hybridmem.core.text.tokens import normalised
from hybridmem.models.base import Generation

FIRST_PERSON = re.compile(r"\b(i|me|my|mine|i'm|i've|we|our)\b")
FACTS_LOOKED_AT = 3


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the ledger says about one question."""

    fact: str | None = None
    """The nearest current fact that the question seems to be about."""
    value: str | None = None
    """What that fact says: its object."""
    names_subject: bool = False
    consolidated: bool = False
    """The fact is in the active adapter, and neither deleted nor superseded since."""
    audited: float = 0.0
    """Share of its audit questions that the active adapter answered rightly."""
    fresh: bool = True
    """No episode that a dream has yet to read is a better hit than the fact, or a hit that names the fact's subject."""
    similarity: float = 0.0
    margin: float = 0.0
    """Distance in score to the next fact of another slot."""

    @property
    def weights_may_answer(self) -> bool:
        """Whether the weights are to be asked at all."""
        return self.consolidated and self.names_subject and self.audited > 0 and self.fresh


def names(question: str, subject: str) -> bool:
    """Whether `question` is about `subject`, by its words."""
    said = normalised(question)
    if subject == "I":
        return bool(FIRST_PERSON.search(said))
    return re.search(rf"(?<!\w){re.escape(normalised(subject))}(?!\w)", said) is not None


def evidence(
    question: str,
    hits: Sequence[Hit],
    records: Mapping[str, Episode | Fact],
    active: AdapterRecord | None,
    audits: Mapping[str, Audit],
    last_dream: float,
) -> Evidence:
    """The ledger's evidence for `question`, from its search `hits` (best first) and their `records`.

    `last_dream` is the POSIX time at which the last dream began: an episode recorded since is news to the weights.
    """
    facts = [(hit, record) for hit in hits if isinstance(record := records.get(hit.id), Fact)]
    named = [pair for pair in facts[:FACTS_LOOKED_AT] if names(question, pair[1].subject)]
    if not facts:
        return Evidence()
    hit, fact = (named or facts)[0]
    rivals = [h.score for h, f in facts if f.slot != fact.slot]
    held = active is not None and fact.id in active.facts and fact.id not in active.tainted
    audit = audits.get(fact.id)
    news = [
        h
        for h in hits
        if isinstance(episode := records.get(h.id), Episode)
        and episode.recorded_at.timestamp() > last_dream
        and (h.score >= hit.score or (h.matches and names(h.quoted, fact.subject)))
    ]
    return Evidence(
        fact=fact.id,
        value=fact.object,
        names_subject=bool(named),
        consolidated=held,
        audited=audit.right / audit.asked if audit and audit.asked else 0.0,
        fresh=not news,
        similarity=hit.raw.get("dense", 0.0),
        margin=hit.score - max(rivals, default=0.0),
    )


def supported(question: str, answer: str, memories: Sequence[str], facts: Sequence[Fact] = ()) -> bool:
    """Whether what the ledger holds of `answer` is about what `question` asks of.

    Where the answer is what some of the `facts` found say, the question must name the subject of one of these; else a
    memory that holds the answer must share a name with the question, if that has any. A small reader answers "What does
    Ana play?" from what Ivo plays, when that is the nearest thing in its prompt."""
    asked = mentions(question).names
    held = normalised(answer)
    told = [fact for fact in facts if normalised(fact.object) == held]
    if told:
        return any(names(question, fact.subject) for fact in told)
    return not asked or any(
        held in normalised(memory) and any(name in normalised(memory) for name in asked) for memory in memories
    )


def vector(evidence: Evidence, said: Generation, supported: bool = True) -> dict[str, float]:
    """The features of a calibrated head, each about within -2 and 2, by name."""
    return {
        "names_subject": 1.0 if evidence.names_subject else -1.0,
        "audited": 2 * evidence.audited - 1,
        "supported": 1.0 if supported else -1.0,
        "margin": max(-2.0, min(2.0, evidence.margin)),
        "certainty": 2 * said.min_probability - 1,
        "logprob": max(-2.0, said.logprob),
        "spread": math.tanh(said.margin) if math.isfinite(said.margin) else 1.0,
    }
