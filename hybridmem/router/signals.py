"""What the router looks at: first what the ledger knows of the question, then how sure the model was.

A model's own certainty is least safe right after it was trained, so the ledger's evidence comes first: is the nearest
fact about this subject and about what is asked of it, did it hold at the time that the question names, is it in the
active adapter, did it pass its audit, and has nothing been said since?
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from hybridmem.core.records import AdapterRecord, Audit, Episode, Fact, Hit
from hybridmem.core.text.mentions import mentions
from hybridmem.core.text.periods import TimePhrase, period_asked, time_phrases
from hybridmem.core.text.subjects import names_subject
from hybridmem.core.text.tokens import normalised
from hybridmem.core.text.topics import topic
from hybridmem.models.base import Generation
from hybridmem.router.second_look import Agreement

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
    wording: float = 1.0
    """Share of the words in which the question asks of the subject that the fact has, or an exercise on it; 1 where it
    asks in none. Looked at where the fact is consolidated."""
    holds_then: bool = True
    """Whether the fact holds at some of the time that the question names; true where it names none. Looked at where the
    fact is consolidated."""

    @property
    def weights_may_answer(self) -> bool:
        """Whether the weights are to be asked at all: they answer whatever they are asked of a subject that they know,
        and say what holds now."""
        return (
            self.consolidated
            and self.names_subject
            and self.audited > 0
            and self.fresh
            and self.wording > 0
            and self.holds_then
        )


def evidence(
    question: str,
    hits: Sequence[Hit],
    records: Mapping[str, Episode | Fact],
    active: AdapterRecord | None,
    audits: Mapping[str, Audit],
    last_dream: float,
    asked_on: date,
    exercises: Callable[[str], Iterable[str]],
) -> Evidence:
    """The ledger's evidence for `question`, from its search `hits` (best first) and their `records`.

    `last_dream` is the POSIX time at which the last dream began: an episode recorded since is news to the weights.
    `exercises` gives the questions that the dreams asked about a fact, by its id.
    """
    facts = [(hit, record) for hit in hits if isinstance(record := records.get(hit.id), Fact)]
    # By their own scores: that a message of theirs is a hit too says nothing against them.
    facts.sort(key=lambda pair: -pair[0].score_alone)
    named = [pair for pair in facts[:FACTS_LOOKED_AT] if names_subject(question, pair[1].subject)]
    if not facts:
        return Evidence()
    hit, fact = (named or facts)[0]
    rivals = [h.score_alone for h, f in facts if f.slot != fact.slot]
    consolidated = active is not None and fact.id in active.facts and fact.id not in active.tainted
    audit = audits.get(fact.id)
    times = time_phrases(question, asked_on) if consolidated else []
    news = [
        h
        for h in hits
        if isinstance(episode := records.get(h.id), Episode)
        and episode.recorded_at.timestamp() > last_dream
        and (h.score >= hit.score_alone or (h.matches and names_subject(h.quoted, fact.subject)))
    ]
    return Evidence(
        fact=fact.id,
        value=fact.object,
        names_subject=bool(named),
        consolidated=consolidated,
        audited=audit.right / audit.asked if audit and audit.asked else 0.0,
        fresh=not news,
        similarity=hit.raw.get("dense", 0.0),
        margin=hit.score_alone - max(rivals, default=0.0),
        wording=_wording(question, times, fact, exercises(fact.id)) if consolidated else 1.0,
        holds_then=not consolidated or _holds_then(question, times, fact, asked_on),
    )


def _wording(question: str, times: Sequence[TimePhrase], fact: Fact, exercises: Iterable[str]) -> float:
    for phrase in times:
        question = question.replace(phrase.words, " ")
    asked = topic(question) - topic(fact.subject)
    if not asked:
        return 1.0
    return len(asked & topic(fact.text).union(*map(topic, exercises))) / len(asked)


def _holds_then(question: str, times: Sequence[TimePhrase], fact: Fact, asked_on: date) -> bool:
    period = period_asked(question, asked_on, times)
    if period is None:
        return True
    begins_in_time = fact.valid_from.date() <= period.last
    return begins_in_time and (fact.valid_to is None or fact.valid_to.date() >= period.first)


def supported(question: str, answer: str, memories: Sequence[str], facts: Sequence[Fact] = ()) -> bool:
    """Whether the memories that hold `answer` are about what `question` asks of.

    Where some of the `facts` state the answer, the question must name the subject of one of these. Otherwise a memory
    that holds the answer must share a name with the question, if that has any. A small reader answers "What does Ana
    play?" from what Ivo plays, when that is the nearest thing in its prompt."""
    named = mentions(question).names
    value = normalised(answer)
    stating = [fact for fact in facts if normalised(fact.object) == value]
    if stating:
        return any(names_subject(question, fact.subject) for fact in stating)
    return not named or any(
        value in normalised(memory) and any(name in normalised(memory) for name in named) for memory in memories
    )


@dataclass(frozen=True, slots=True)
class Support:
    """What the memories that were read say for an answer."""

    stands: bool = True
    """Whether those that hold the answer are about what the question asks of."""
    agreement: Agreement | None = None
    """What they said when each was read alone; None where they were not."""


STANDS = Support()
Head = Literal["weights", "retrieval"]
"""A route with a calibrated head: P(correct | weights), P(correct | retrieval)."""


@dataclass(frozen=True, slots=True)
class Signal:
    """One feature of the calibrated heads, declared once."""

    name: str
    text: str
    """What it measures, in one line."""
    measure: Callable[[Evidence, Generation, Support], float]
    """Its value from the ledger's evidence, the completion, and what the memories say for that."""
    prior: Mapping[Head, float]
    """Its weight in each head while nothing was audited."""
    low: float = -1.0
    """Its smallest value: a lower one, or none that is a number, counts as this."""
    high: float = 1.0
    """Its largest value."""
    higher_is_better: bool = True
    """Whether a higher value speaks for the answer."""


def _agreeing(of: Callable[[Agreement], float]) -> Callable[[Evidence, Generation, Support], float]:
    """A measure of what single memories say, where they were asked."""
    return lambda known, said, support: of(support.agreement) if support.agreement else 0.0


SIGNALS: tuple[Signal, ...] = (
    Signal(
        "names_subject",
        "Whether the question names the subject of the nearest fact.",
        lambda known, said, support: 1.0 if known.names_subject else -1.0,
        {"weights": 0.8, "retrieval": 0.6},
    ),
    Signal(
        "audited",
        "Share of the fact's audit questions that the adapter answered rightly; -1 for none, 1 for all.",
        lambda known, said, support: 2 * known.audited - 1,
        {"weights": 1.0, "retrieval": 0.0},
    ),
    Signal(
        "wording",
        "Share of the words of the question, beside its subject, that the fact or an exercise on it has; -1 for none.",
        lambda known, said, support: 2 * known.wording - 1,
        {"weights": 0.5, "retrieval": 0.0},
    ),
    Signal(
        "supported",
        "Whether the memories that hold the answer are about what the question asks of.",
        lambda known, said, support: 1.0 if support.stands else -1.0,
        {"weights": 0.0, "retrieval": 1.2},
    ),
    Signal(
        "margin",
        "Distance in retrieval score from the fact to the next one of another slot.",
        lambda known, said, support: known.margin,
        {"weights": 0.1, "retrieval": 0.1},
        low=-2.0,
        high=2.0,
    ),
    Signal(
        "certainty",
        "Probability of the answer's least likely token; -1 for 0, 1 for 1.",
        lambda known, said, support: 2 * said.min_probability - 1,
        {"weights": 1.2, "retrieval": 1.4},
    ),
    Signal(
        "logprob",
        "Log-probability of the whole answer, in nats.",
        lambda known, said, support: said.logprob,
        {"weights": 0.5, "retrieval": 0.6},
        low=-2.0,
        high=0.0,
    ),
    Signal(
        "spread",
        "Smallest difference in log-probability between the best token and the second best, squashed by tanh.",
        lambda known, said, support: math.tanh(said.margin) if math.isfinite(said.margin) else 1.0,
        {"weights": 0.3, "retrieval": 0.3},
    ),
    Signal(
        "looked_again",
        "Whether the memories were read one by one, because the answer over all of them was unsure.",
        lambda known, said, support: 1.0 if support.agreement else 0.0,
        {"weights": 0.0, "retrieval": -1.1},
        low=0.0,
        higher_is_better=False,
    ),
    Signal(
        "alone",
        "Probability of the answer over one memory alone; -1 for 0, 1 for 1, 0 where none was read alone.",
        _agreeing(lambda agreement: 2 * agreement.alone - 1),
        {"weights": 0.0, "retrieval": 0.4},
    ),
    Signal(
        "rival",
        "Probability of the surest other answer over one memory; -1 for 0, 1 for 1, 0 where none was read alone.",
        _agreeing(lambda agreement: 2 * agreement.rival - 1),
        {"weights": 0.0, "retrieval": -0.3},
        higher_is_better=False,
    ),
    Signal(
        "later",
        "Probability of the surest other answer of its kind over a memory that is later than all that give this one.",
        _agreeing(lambda agreement: agreement.later),
        {"weights": 0.0, "retrieval": -1.0},
        low=0.0,
        higher_is_better=False,
    ),
    Signal(
        "together",
        "Whether all memories together give the answer that one gives alone; 0 where none was read alone.",
        _agreeing(lambda agreement: agreement.together),
        {"weights": 0.0, "retrieval": 0.8},
    ),
    Signal(
        "first",
        "Whether the memory that the search ranks first gives the answer alone; 0 where none was read alone.",
        _agreeing(lambda agreement: 1.0 if agreement.first else -1.0),
        {"weights": 0.0, "retrieval": 0.6},
    ),
)
"""What the heads see. A new signal is one more entry: until the next dream fits it, it has its prior weight."""

BIAS: Mapping[Head, float] = {"weights": 0.4, "retrieval": -0.2}
"""Log-odds of a right answer whose signals are all 0, while nothing was audited."""


def vector(evidence: Evidence, said: Generation, support: Support = STANDS) -> dict[str, float]:
    """The value of every signal, within its range, by name."""
    return {
        # In this order a value that is no number counts as the smallest one.
        signal.name: min(signal.high, max(signal.low, signal.measure(evidence, said, support)))
        for signal in SIGNALS
    }


def prior_heads() -> dict[str, dict[str, float]]:
    """The weights of every head while nothing was audited, by signal, with the bias."""
    return {
        head: {"bias": bias, **{signal.name: signal.prior[head] for signal in SIGNALS}} for head, bias in BIAS.items()
    }
