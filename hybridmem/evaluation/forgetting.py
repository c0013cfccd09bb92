"""What a memory learns from a stream, night by night, and what it forgets: the benchmark behind `bench forgetting`.

`run` returns one JSON object. `R`, `b` and all figures are as `hybridmem.metrics` defines them; null (None) stands
where nothing was measured.

    R                        list of rows: R[i][j] = accuracy on the facts of the j-th night after the i-th; above the
                             diagonal only R[j - 1][j] is measured, before the facts of night j were told
    acc, bwt, forgetting, fwt, learning_gain, half_life      of R and b
    drift_nats               after the last night, nats per token
    locality, false_answer_rate, stale_answer_rate, deleted_answer_rate      after the last night, shares of questions
    seconds_per_night        list: telling, deleting and dreaming, without the test
    trained_tokens_per_night list
    gate                     list of verdicts: promoted | rejected | nothing
    seed, strategy, model, base_sha256

and, beyond what the contract asks for:

    b                        list: accuracy on the facts of each night before any night
    acc_interval             [low, high]: 95% bootstrap interval of acc over facts, or null
    label_shuffled           whether the texts held other facts' values (the control)
    recipe                   the recipe of the dreams, or null
    nights                   list of objects, one a night: night, told, deleted, adapter, checks (the gate's, each name,
                             value, bound, passed), locality, locality_right, false_answer_rate, stale_answer_rate,
                             deleted_answer_rate, prompt_tokens and answer_seconds (means over the questions asked)

The accuracy on a night's facts is the mean over its facts of the share of their questions answered right. The questions
of a superseded fact expect the new value; a deleted fact leaves R and counts for `deleted_answer_rate` alone.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

from hybridmem import metrics
from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import Answer, DreamReport, Episode, Route
from hybridmem.evaluation.expectations import Expectation, expectations, label_shuffled
from hybridmem.evaluation.stream import Stream, StreamFact
from hybridmem.metrics import Cell
from hybridmem.models.prompts import is_refusal

Strategy = Literal["replay", "naive", "retrieval", "noop"]
STRATEGIES: tuple[Strategy, ...] = get_args(Strategy)

Answers = Mapping[str, Answer]
"""By question."""


class Adapters(Protocol):
    """The part of `memory.adapters` that the benchmark looks at."""

    def active(self) -> Any: ...


class Model(Protocol):
    """The part of `memory.model` that the benchmark looks at."""

    @property
    def name(self) -> str: ...

    @property
    def sha256(self) -> str: ...


class Memory(Protocol):
    """The part of `HybridMemory` that the benchmark drives."""

    @property
    def adapters(self) -> Adapters: ...

    @property
    def model(self) -> Model: ...

    def add(self, text: str, /) -> list[Episode]: ...

    def delete(self, id: str, /) -> Any: ...

    def dream(self, *, recipe: str) -> DreamReport: ...

    def answer_many(self, questions: Sequence[str], /, *, route: Route) -> list[Answer]: ...

    def drift(self) -> float: ...


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """How a strategy spends its nights and where it takes its answers from."""

    route: Route
    recipe: str | None
    """None: it never dreams."""


def plan_for(strategy: str, recipe: str | None = None) -> BenchPlan:
    """The plan of `strategy`; `recipe` replaces the one that its dreams use. Raises `InvalidInput`."""
    if recipe and strategy in ("retrieval", "noop"):
        raise InvalidInput(f"the strategy {strategy} never dreams: leave the recipe {recipe!r} out")
    match strategy:
        case "replay":
            return BenchPlan("weights", recipe or "default")
        case "naive":
            return BenchPlan("weights", recipe or "naive")
        case "retrieval":
            return BenchPlan("retrieval", None)
        case "noop":
            return BenchPlan("weights", None)
    raise InvalidInput(f"no strategy is called {strategy!r}: choose one of {', '.join(STRATEGIES)}")


def run(
    stream: Stream,
    strategy: str,
    open_memory: Callable[[], AbstractContextManager[Memory]],
    progress: Callable[[str], None] | None = None,
    *,
    seed: int = 0,
    recipe: str | None = None,
    shuffle_labels: bool = False,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Any]:
    """Live through `stream` with a fresh memory and test it before the first and after every night.

    `progress` is called with one line a night. With `shuffle_labels`, the memory is told other facts' values while the
    test stays: the accuracy that is left was not learned. Raises `InvalidInput` for an unknown strategy, or a memory
    that has an adapter already.
    """
    plan = plan_for(strategy, recipe)
    told = label_shuffled(stream, seed) if shuffle_labels else stream
    with open_memory() as memory:
        if memory.adapters.active() is not None:
            raise InvalidInput("the memory has an adapter already: run the benchmark in a fresh memory folder")
        test = _Test(stream, memory, plan.route)
        life = _Life(told, memory, plan.recipe, clock)
        for index, night in enumerate(stream.nights):
            lived = life.through(night)
            test.after(index)
            if progress is not None:
                progress(test.line(index, lived))
        drift = memory.drift() if memory.adapters.active() is not None else 0.0
        model, base_sha256 = memory.model.name, memory.model.sha256
    last = test.nights[-1]
    return {
        "R": test.R,
        "acc": metrics.acc(test.R),
        "bwt": metrics.bwt(test.R),
        "forgetting": metrics.forgetting(test.R),
        "fwt": metrics.fwt(test.R, test.b),
        "learning_gain": metrics.learning_gain(test.R, test.b),
        "half_life": metrics.half_life(test.R, test.b),
        "drift_nats": drift,
        **{name: last[name] for name in _RATES},
        "seconds_per_night": [lived.seconds for lived in life.nights],
        "trained_tokens_per_night": [lived.trained_tokens for lived in life.nights],
        "gate": [lived.verdict for lived in life.nights],
        "seed": seed,
        "strategy": strategy,
        "model": model,
        "base_sha256": base_sha256,
        "b": test.b,
        "acc_interval": test.interval(seed),
        "label_shuffled": shuffle_labels,
        "recipe": plan.recipe,
        "nights": [{**lived.row(), **tested} for lived, tested in zip(life.nights, test.nights, strict=True)],
    }


_RATES = ("locality", "false_answer_rate", "stale_answer_rate", "deleted_answer_rate")


@dataclass(frozen=True, slots=True)
class _Night:
    """What a night did and cost."""

    night: int
    told: int
    deleted: int
    seconds: float
    report: DreamReport | None
    adapter: str | None

    @property
    def verdict(self) -> str:
        return self.report.status if self.report else "nothing"

    @property
    def trained_tokens(self) -> int:
        return self.report.trained_tokens if self.report else 0

    def row(self) -> dict[str, Any]:
        checks = [dataclasses.asdict(check) for check in self.report.gate] if self.report else []
        counts = {"night": self.night, "told": self.told, "deleted": self.deleted}
        return {**counts, "adapter": self.adapter, "checks": checks}


class _Life:
    """Tells a memory what happens, and lets it dream."""

    def __init__(self, stream: Stream, memory: Memory, recipe: str | None, clock: Callable[[], float]) -> None:
        self._stream, self._memory, self._recipe, self._clock = stream, memory, recipe, clock
        self._episodes: dict[str, list[str]] = {}
        self.nights: list[_Night] = []

    def through(self, night: int) -> _Night:
        started = self._clock()
        events = self._stream.on(night)
        for event in events:
            if isinstance(event, StreamFact):
                self._episodes[event.id] = [episode.id for episode in self._memory.add(event.text)]
            else:
                for id in self._episodes.pop(event.fact):
                    self._memory.delete(id)
        report = self._memory.dream(recipe=self._recipe) if self._recipe is not None else None
        told = sum(isinstance(event, StreamFact) for event in events)
        lived = _Night(
            night=night,
            told=told,
            deleted=len(events) - told,
            seconds=self._clock() - started,
            report=report,
            adapter=report.adapter if report and report.status == "promoted" else None,
        )
        self.nights.append(lived)
        return lived


class _Test:
    """Asks the questions, and keeps what came of them."""

    def __init__(self, stream: Stream, memory: Memory, route: Route) -> None:
        self._stream, self._memory, self._route = stream, memory, route
        self._nights = stream.nights
        self._facts = [tuple(fact for fact in stream.facts if fact.night == night) for night in self._nights]
        self._answers_of_base = self._asked(stream.questions("locality"), "weights")
        untold = self._asked([q for fact in stream.facts for q in fact.test_questions], route)
        self.b: list[Cell] = [metrics.mean(_accuracies(facts, {}, untold)) for facts in self._facts]
        self.R: list[list[Cell]] = []
        self.nights: list[dict[str, Any]] = []
        self._last: list[list[float]] = []

    def after(self, index: int) -> None:
        """Test after the night at `index`: all facts up to then, those of the next night, and the probes."""
        expected = expectations(self._stream, self._nights[index])
        asked = self._facts[: index + 2]
        probes = [probe.question for probe in self._stream.probes]
        answers = self._asked([q for facts in asked for fact in facts for q in fact.test_questions] + probes)
        self._last = [_accuracies(facts, expected, answers) for facts in asked]
        row: list[Cell] = [metrics.mean(accuracies) for accuracies in self._last]
        self.R.append(row + [None] * (len(self._nights) - len(row)))
        self.nights.append(self._side_effects(expected, answers))

    def interval(self, seed: int) -> list[float] | None:
        """Of ACC, over facts."""
        return list(metrics.bootstrap_interval(self._last, seed=seed)) if any(self._last) else None

    def line(self, index: int, lived: _Night) -> str:
        known = [cell for cell in self.R[index][: index + 1] if cell is not None]
        accuracy = f"{sum(known) / len(known):.2f}" if known else "-"
        tonight = self.R[index][index]
        learned = "-" if tonight is None else f"{tonight:.2f}"
        return (
            f"night {lived.night} ({index + 1} of {len(self._nights)}): {lived.verdict}, {lived.seconds:.1f} s, "
            f"tonight's facts {learned}, all nights {accuracy}"
        )

    def _asked(self, questions: Sequence[str], route: Route | None = None) -> dict[str, Answer]:
        once = list(dict.fromkeys(questions))
        return dict(zip(once, self._memory.answer_many(once, route=route or self._route), strict=True)) if once else {}

    def _side_effects(self, expected: Mapping[str, Expectation], answers: Answers) -> dict[str, Any]:
        unanswerable = self._stream.questions("unanswerable")
        local = [probe for probe in self._stream.probes if probe.kind == "locality"]
        known = [probe for probe in local if probe.answer]
        stale = self._banned(answers, {id: one.stale for id, one in expected.items()})
        deleted = self._banned(answers, {id: one.deleted for id, one in expected.items()})
        said = [answers[probe.question].text for probe in local]
        of_base = [self._answers_of_base[probe.question].text for probe in local]
        return {
            "locality": metrics.locality(said, of_base) if local else None,
            "locality_right": metrics.mean(
                [float(metrics.is_correct(answers[one.question].text, one.answer)) for one in known]
            ),
            "false_answer_rate": metrics.false_answer_rate([refused(answers[question]) for question in unanswerable])
            if unanswerable
            else None,
            "stale_answer_rate": metrics.stale_answer_rate(*stale) if stale[0] else None,
            "deleted_answer_rate": metrics.deleted_answer_rate(*deleted) if deleted[0] else None,
            "prompt_tokens": metrics.mean([float(answer.prompt_tokens) for answer in answers.values()]),
            "answer_seconds": metrics.mean([answer.seconds for answer in answers.values()]),
        }

    def _banned(
        self, answers: Answers, values: Mapping[str, tuple[str, ...]]
    ) -> tuple[list[str], list[tuple[str, ...]]]:
        """The answers to every question of the facts that have `values`, and those values."""
        pairs = [
            (answers[question].text, banned)
            for fact in self._stream.facts
            if (banned := values.get(fact.id, ()))
            for question in fact.test_questions
        ]
        return [answer for answer, _ in pairs], [banned for _, banned in pairs]


def refused(answer: Answer) -> bool:
    """Whether `answer` says that it does not know."""
    return answer.route == "abstain" or is_refusal(answer.text)


def _accuracies(facts: Sequence[StreamFact], expected: Mapping[str, Expectation], answers: Answers) -> list[float]:
    """For each fact that was not deleted, the share of its questions answered right; one not told yet expects its own
    value."""
    found = []
    for fact in facts:
        value = expected[fact.id].answer if fact.id in expected else fact.answer
        if value is not None:
            said = [answers[question].text for question in fact.test_questions]
            found.append(sum(metrics.is_correct(text, value) for text in said) / len(said))
    return found
