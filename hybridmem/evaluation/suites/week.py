"""Weeks of real life: how much a memory answers rightly before a dream and after it, and what it believes.

Every message of a week is added with its time, as the agent's user said it; the questions are asked when the week is
over, then the memory dreams, then the same questions are asked again.
"""

from __future__ import annotations

import statistics
import tempfile
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybridmem.evaluation.week import Week
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
        total[when] = dict(counted)
    return {"weeks": lived, "total": total}


def _live(
    week: Week, model: str | LanguageModel | None, embedder: str | None, reader: Any, recipe: str, dream: bool
) -> dict[str, Any]:
    over = max(at for at, _ in week.messages) + timedelta(days=1)

    def clock() -> datetime:
        return over

    with (
        tempfile.TemporaryDirectory(prefix="hybridmem-bench-") as folder,
        HybridMemory.open(
            Path(folder) / "memory",
            namespace=("bench",),
            model=model,
            embedder=embedder,
            reader=reader,
            clock=clock,
        ) as memory,
    ):
        for at, text in week.messages:
            memory.add(text, at=at, speaker=week.speaker or None)
        result: dict[str, Any] = {"before": _ask(memory, week)}
        if dream:
            report = memory.dream(recipe=recipe)
            active = memory.adapters.active()
            held = set(active.facts) if active else set()
            facts = memory.ledger.facts(memory.namespace)
            result |= {
                "dream": {"status": report.status, "reason": report.reason, "seconds": round(report.seconds, 1)},
                "after": _ask(memory, week),
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
