"""How good the router is: its choice of route, its confidence, and its refusals, on a stream that it dreamt.

A memory lives through a synthetic stream; then every test question is asked four times: with the router choosing, and
forced to the weights, to retrieval, and to both. An oracle that always picks a right route, where there is one, bounds
what any router could reach.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybridmem import metrics
from hybridmem.core.records import ROUTES, Answer, Route
from hybridmem.dreaming import recipes
from hybridmem.evaluation.economics import economics
from hybridmem.evaluation.expectations import standing
from hybridmem.evaluation.lifecycle import Lifecycle
from hybridmem.evaluation.stream import make_stream
from hybridmem.memory import HybridMemory
from hybridmem.metrics import is_correct
from hybridmem.models.base import LanguageModel
from hybridmem.models.prompts import is_refusal

if TYPE_CHECKING:
    from hybridmem.core.progress import Progress

FORCED: tuple[Route, ...] = ("weights", "retrieval", "both")


def run(
    *,
    model: str | LanguageModel | None,
    seed: int,
    progress: Progress,
    nights: int = 3,
    facts_per_night: int = 10,
    embedder: str | None = None,
) -> dict[str, Any]:
    """The router's figures after `nights` nights; `model` and `embedder` as `HybridMemory.open` takes them."""
    stream = make_stream(seed, nights, facts_per_night)
    asked = [(q, fact.answer) for fact in standing(stream, nights) for q in fact.test_questions]
    answerable = [question for question, _ in asked]
    unanswerable = stream.questions("unanswerable")
    with (
        tempfile.TemporaryDirectory(prefix="hybridmem-bench-") as folder,
        HybridMemory.open(Path(folder) / "memory", namespace=("bench",), model=model, embedder=embedder) as memory,
    ):
        life = Lifecycle(memory, recipes.load(recipes.DEFAULT, memory.model.name))
        for night in stream.nights:
            life.live(night, stream.on(night), progress=progress)
        chosen = memory.answer_many([*answerable, *unanswerable])
        forced = {route: memory.answer_many(answerable, route=route) for route in FORCED}
        name, sha256, threshold = memory.model.name, memory.model.sha256, memory.router.calibration().threshold
    costs = economics((night.seconds for night in life.nights), forced["weights"], forced["retrieval"])
    return {
        **_figures(chosen, [answer for _, answer in asked], forced),
        "threshold": threshold,
        "economics": dataclasses.asdict(costs),
        "break_even_questions": costs.break_even_questions,
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
        route: [is_correct(answer.text, value) for answer, value in zip(said, expected, strict=True)]
        for route, said in forced.items()
    }
    answered = [n for n, answer in enumerate(answers) if answer.route != "abstain"]
    figures: dict[str, Any] = {
        "accuracy": metrics.mean(correct),
        "oracle_accuracy": metrics.mean(any(marks) for marks in zip(*by_route.values(), strict=True)),
        "refused_answerable": 1 - len(answered) / max(1, len(answers)),
        "false_answer_rate": metrics.false_answer_rate([is_refusal(a.text) for a in refusals]),
        "prompt_tokens": metrics.mean([a.prompt_tokens for a in answers]),
    }
    for route, marks in by_route.items():
        figures[f"accuracy_{route}"] = metrics.mean(marks)
        figures[f"prompt_tokens_{route}"] = metrics.mean([a.prompt_tokens for a in forced[route]])
    for route in ROUTES:
        figures[f"share_{route}"] = metrics.mean([a.route == route for a in answers])
    if answered:
        confidence = [answers[n].confidence for n in answered]
        figures["ece"] = metrics.ece(confidence, [correct[n] for n in answered], bins=5)
        figures["brier"] = metrics.brier(confidence, [correct[n] for n in answered])
    return figures
