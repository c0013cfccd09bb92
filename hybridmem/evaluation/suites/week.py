"""Weeks of real life: how much a memory answers rightly before a dream and after it, and what it believes.

Every message of a week is added with its time, as the agent's user said it; the questions are asked when the week is
over, then the memory dreams, then the same questions are asked again. Before and after, it is also measured what a
search finds: the messages that hold the answers, and every message by its own words.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from hybridmem.core.records import Episode, Fact, Hit
from hybridmem.evaluation.temporary import temporary_memory
from hybridmem.evaluation.week import AT, RECALL, Week
from hybridmem.memory import HybridMemory
from hybridmem.models.base import LanguageModel

if TYPE_CHECKING:
    from hybridmem.core.progress import Progress


def run(
    weeks: Sequence[Week],
    *,
    model: str | LanguageModel | None,
    progress: Progress,
    embedder: str | None = None,
    reader: Any = None,
    recipe: str = "default",
    dream: bool = True,
) -> dict[str, Any]:
    """The figures of each week, by its name, and over all of them."""
    lived = {}
    for number, week in enumerate(weeks, start=1):
        lived[week.name] = _live(week, model, embedder, reader, recipe, dream)
        progress("week", number, len(weeks))
    total: dict[str, Any] = {}
    for when in ("before", "after") if dream else ("before",):
        counted: Counter[str] = Counter()
        for figures in lived.values():
            counted.update({k: v for k, v in figures[when].items() if isinstance(v, int)})
        recalls = [recall for figures in lived.values() for recall in figures[when]["recalls"].values()]
        total[when] = {**counted, RECALL: round(statistics.fmean(recalls), 4) if recalls else None}
    return {"weeks": lived, "total": total}


def _live(
    week: Week, model: str | LanguageModel | None, embedder: str | None, reader: Any, recipe: str, dream: bool
) -> dict[str, Any]:
    over = max(at for at, _ in week.messages) + timedelta(days=1)

    def clock() -> datetime:
        return over

    with temporary_memory(
        namespace=("bench",),
        model=model,
        embedder=embedder,
        reader=reader,
        clock=clock,
    ) as memory:
        said = [memory.add(text, at=at, speaker=week.speaker or None)[0] for at, text in week.messages]
        result: dict[str, Any] = {"before": _ask(memory, week) | _find(memory, week, said)}
        if dream:
            report = memory.dream(recipe=recipe)
            active = memory.adapters.active()
            held = set(active.facts) if active else set()
            facts = memory.ledger.facts(memory.namespace)
            result |= {
                "dream": {"status": report.status, "reason": report.reason, "seconds": round(report.seconds, 1)},
                "after": _ask(memory, week) | _find(memory, week, said),
                "facts": [
                    {
                        "text": fact.text,
                        "subject": fact.subject,
                        "relation": fact.relation,
                        "object": fact.object,
                        "in_weights": fact.id in held,
                    }
                    for fact in facts
                ],
            }
    return result


def _find(memory: HybridMemory, week: Week, said: Sequence[Episode]) -> dict[str, Any]:
    """What searches bring of the week's messages, `said`."""
    recalls = {}
    for question in week.questions:
        if evidence := {said[place].id for place in week.evidence(question)}:
            hits = memory.search(question.text, limit=AT)
            shown = {id for hit in hits for id in _shown(memory, hit)}
            recalls[question.text] = len(evidence & shown) / len(evidence)
    first = hidden = 0
    for episode in said:
        ids = [hit.id for hit in memory.search(episode.text, limit=len(said), kinds=("episode",))]
        first += ids[:1] == [episode.id]
        hidden += episode.id not in ids
    return {
        RECALL: round(statistics.fmean(recalls.values()), 4) if recalls else None,
        "recalls": recalls,
        "messages": len(said),
        "first_by_own_words": first,
        "hidden": hidden,
    }


def _shown(memory: HybridMemory, hit: Hit) -> Collection[str]:
    """The episodes whose words a hit shows: a fact quotes those that it was read from."""
    record = memory.get(hit.id) if hit.kind == "fact" else None
    return record.sources if isinstance(record, Fact) else (hit.id,)


def _ask(memory: HybridMemory, week: Week) -> dict[str, Any]:
    answers = [memory.answer(question.text) for question in week.questions]
    verdicts = [q.verdict(a.text) for q, a in zip(week.questions, answers, strict=True)]
    answerable = [v for q, v in zip(week.questions, verdicts, strict=True) if q.answerable]
    refusable = [v for q, v in zip(week.questions, verdicts, strict=True) if not q.answerable]
    return {
        "answerable": len(answerable),
        "right": answerable.count("right"),
        "wrong": answerable.count("wrong"),
        "refused": answerable.count("refused"),
        "unanswerable": len(refusable),
        "unanswerable_refused": refusable.count("right"),
        "median_seconds": round(statistics.median(answer.seconds for answer in answers), 3),
        "answers": [
            {
                "question": question.text,
                "expected": " / ".join(question.expected) or "REFUSE",
                "said": answer.text,
                "verdict": verdict,
                "route": answer.route,
                "confidence": round(answer.confidence, 3),
            }
            for question, answer, verdict in zip(week.questions, answers, verdicts, strict=True)
        ],
    }
