"""What the router costs beside the search and the model: reading its state, the evidence, the heads, the choice."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from hybridmem.core.records import Answer
from hybridmem.models.base import Generation, LanguageModel, generate_answers
from hybridmem.models.prompts import Message
from hybridmem.router.policy import Router

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Overhead:
    """Of one answer, in seconds."""

    wall: float
    processor: float
    """Of the thread that answers: another job beside it changes this little."""


def answered(router: Router, question: str) -> tuple[Answer, Overhead]:
    """The router's answer, and what it took beside the search and the model."""
    beside = _Stopwatch()
    reader = router.reader and _Timed(router.reader, beside)
    timed = replace(router, find=beside.of(router.find), model=_Timed(router.model, beside), reader=reader)
    whole = _Stopwatch()
    (answer,) = whole.of(timed.answer)([question])
    return answer, Overhead(whole.wall - beside.wall, whole.processor - beside.processor)


def overhead_figures(measured: Sequence[Overhead]) -> dict[str, Any]:
    """Medians and 95th percentiles in milliseconds, and of how many answers."""
    figures: dict[str, Any] = {"of": len(measured)}
    for name in ("wall", "processor"):
        taken = [1000 * getattr(each, name) for each in measured]
        p50, p95 = np.quantile(taken, [0.5, 0.95]) if taken else (None, None)
        figures |= {f"{name}_ms_p50": p50 and float(p50), f"{name}_ms_p95": p95 and float(p95)}
    return figures


class _Stopwatch:
    def __init__(self) -> None:
        self.wall = self.processor = 0.0

    def of(self, work: Callable[..., T]) -> Callable[..., T]:
        """`work`, timed."""

        def timed(*given: Any, **named: Any) -> T:
            wall, processor = time.perf_counter(), time.thread_time()
            try:
                return work(*given, **named)
            finally:
                self.wall += time.perf_counter() - wall
                self.processor += time.thread_time() - processor

        return timed


class _Timed:
    """A model or a reader whose completions are timed."""

    def __init__(self, model: Any, stopwatch: _Stopwatch) -> None:
        self._model = model
        self._stopwatch = stopwatch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def generate(self, prompts: Sequence[Sequence[Message]], **settings: Any) -> Any:
        return self._stopwatch.of(self._model.generate)(prompts, **settings)

    def generate_answers(self, prompts: Sequence[Sequence[Message]]) -> list[Generation]:
        model: LanguageModel = self._model
        return self._stopwatch.of(generate_answers)(model, prompts)
