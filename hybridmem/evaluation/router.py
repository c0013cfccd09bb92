"""How good the router is: its choice of route, its confidence, and its refusals, on a stream that it dreamt.

A memory lives through a synthetic stream; then every test question is asked four times: with the router choosing, and
forced to the weights, to retrieval, and to both. An oracle that always picks a right route, where there is one, bounds
what any router could reach.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybridmem import metrics
from hybridmem.core.records import ROUTES, Answer, Route
from hybridmem.evaluation.stream import StreamDelete, StreamFact, make_stream
from hybridmem.memory import HybridMemory
from hybridmem.metrics import is_correct
from hybridmem.models.prompts import is_refusal

if TYPE_CHECKING:
    from hybridmem.dreaming.cycle import Progress

FORCED: tuple[Route, ...] = ("weights", "retrieval", "both")


def run(
    *, model: str | None, seed: int, progress: Progress, nights: int = 3, facts_per_night: int = 10
) -> dict[str, Any]:
    """The router's figures after `nights` nights; `model` as `HybridMemory.open` takes it."""
    stream = make_stream(seed, nights, facts_per_night)
    told = [event for event in stream.events if isinstance(event, StreamFact)]
    deleted = {event.fact for event in stream.events if isinstance(event, StreamDelete)}
    replaced = deleted | {fact.supersedes for fact in told}
    with (
        tempfile.TemporaryDirectory(prefix="hybridmem-bench-") as folder,
        HybridMemory.open(Path(folder) / "memory", namespace=("bench",), model=model) as memory,
    ):
        for night in range(1, nights + 1):
            for fact in told:
                if fact.night == night:
                    memory.add(fact.text)
            memory.dream(progress=progress)
        asked = [(q, f.answer) for f in told if f.id not in replaced for q in f.test_questions]
        answerable = [question for question, _ in asked]
        unanswerable = [probe.question for probe in stream.probes if probe.kind == "unanswerable"]
        chosen = memory.answer_many([*answerable, *unanswerable])
        forced = {route: memory.answer_many(answerable, route=route) for route in FORCED}
        name, sha256, threshold = memory.model.name, memory.model.sha256, memory.router.calibration().threshold
    return {
        **_figures(chosen, [answer for _, answer in asked], forced),
        "threshold": threshold,
        "questions": len(answerable),
        "unanswerable": len(unanswerable),
        "nights": nights,
        "facts_per_night": facts_per_night,
        "seed": seed,
        "model": name,
        "base_sha256": sha256,
    }


def _figures(chosen: Sequence[Answer], expected: Sequence[str], forced: dict[Route, list[Answer]]) -> dict[str, Any]:
    answers, refusals = chosen[: len(expected)], chosen[len(expected) :]
    correct = [is_correct(answer.text, value) for answer, value in zip(answers, expected, strict=True)]
    by_route = {
        route: [is_correct(a.text, value) for a, value in zip(told, expected, strict=True)]
        for route, told in forced.items()
    }
    answered = [n for n, answer in enumerate(answers) if answer.route != "abstain"]
    figures: dict[str, Any] = {
        "accuracy": metrics.mean(correct),
        "oracle_accuracy": metrics.mean([any(told[n] for told in by_route.values()) for n in range(len(expected))]),
        "refused_answerable": 1 - len(answered) / max(1, len(answers)),
        "false_answer_rate": metrics.false_answer_rate([is_refusal(a.text) for a in refusals]),
        "prompt_tokens": metrics.mean([a.prompt_tokens for a in answers]),
    }
    for route, told in by_route.items():
        figures[f"accuracy_{route}"] = metrics.mean(told)
        figures[f"prompt_tokens_{route}"] = metrics.mean([a.prompt_tokens for a in forced[route]])
    for route in ROUTES:
        figures[f"share_{route}"] = metrics.mean([a.route == route for a in answers])
    if answered:
        confidence = [answers[n].confidence for n in answered]
        figures["ece"] = metrics.ece(confidence, [correct[n] for n in answered], bins=5)
        figures["brier"] = metrics.brier(confidence, [correct[n] for n in answered])
    return figures
