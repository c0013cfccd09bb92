"""What a memory learns from a stream, night by night, and what it forgets: the benchmark behind `bench forgetting`.

`run` returns one JSON object. `R`, `b` and all figures are as `hybridmem.metrics` defines them; null (None) stands
where nothing was measured.

    R                        list of rows: R[i][j] = accuracy on the facts of the j-th night after the i-th; above the
                             diagonal only R[j - 1][j] is measured, before the facts of night j were stated
    acc, bwt, forgetting, fwt, learning_gain, half_life      of R and b
    drift_nats               after the last night, nats per token; null after a training that diverged
    locality, false_answer_rate, stale_answer_rate, deleted_answer_rate      after the last night, shares of questions
    seconds_per_night        list: adding, deleting and dreaming, without the test
    trained_tokens_per_night list
    gate                     list of verdicts: promoted | rejected | nothing
    seed, strategy, model, base_sha256

and, beyond what the contract asks for:

    b                        list: accuracy on the facts of each night before any night
    acc_interval             [low, high]: 95% bootstrap interval of acc over facts, or null
    label_shuffled           whether the texts held other facts' values (the control)
    recipe                   the recipe of the dreams, or null
    gated                    whether a gate could refuse a night, or null without dreams
    mean_kl                  KL(base || adapted) after the last night, nats per token; null for a fake model
    capabilities             object: base and adapted, the proportion of 200 general questions answered rightly before
                             the first and after the last night; null for a fake model
    economics                object: what a night and an answer by either route cost, or null without an adapter
    break_even_questions     answers from the weights that pay for a night, in seconds, or null where it never pays
    texts_left_out           texts that the last prompts had no room for, or null where prompts do not hold all of them
    nights                   list of objects, one a night: night, told (facts stated), deleted, adapter, parent (the
                             adapter that the night went on from; null where it began at the bare base), checks (the
                             gate's, each name, value, bound, passed), locality, locality_right, false_answer_rate,
                             stale_answer_rate, deleted_answer_rate, prompt_tokens and answer_seconds (means over the
                             questions asked), answer_loss_median and answer_loss_mean (nats a token, of the answers to
                             the first question of each fact of an earlier night that stands; null where answers do not
                             come from the weights), texts_left_out
    learning_rate            of the recipe, or null
    token_budget             trained tokens a night at most, or null where none was set
    accuracy_by_fact         list of objects, one a night: the accuracy on each of its facts after the last night, by id

The accuracy on a night's facts is the mean over its facts of the share of their questions answered right. The questions
of a superseded fact expect the new value; a deleted fact leaves R and counts for `deleted_answer_rate` alone.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from hybridmem import metrics
from hybridmem.continual import registry as strategies
from hybridmem.continual.base import AnswerSource
from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import Answer
from hybridmem.dreaming import recipes
from hybridmem.dreaming.recipes import Recipe
from hybridmem.evaluation import answer_sources, economics, lifecycle
from hybridmem.evaluation.answer_loss import answer_loss
from hybridmem.evaluation.answer_sources import Source, answer_source
from hybridmem.evaluation.capabilities import Capabilities, capabilities
from hybridmem.evaluation.economics import Economics
from hybridmem.evaluation.expectations import Expectation, expectations, label_shuffled, standing
from hybridmem.evaluation.lifecycle import Lifecycle, Night, dream_recipe
from hybridmem.evaluation.side_effects import mean_kl
from hybridmem.evaluation.stream import Stream, StreamFact
from hybridmem.metrics import Cell
from hybridmem.models.prompts import is_refusal

Answers = Mapping[str, Answer]
"""By question."""
_RATES = ("locality", "false_answer_rate", "stale_answer_rate", "deleted_answer_rate")


class Adapters(Protocol):
    """The part of `memory.adapters` that the benchmark looks at."""

    def active(self) -> Any: ...

    def path(self, version: str, /) -> Path: ...


class Memory(lifecycle.Memory, answer_sources.Memory, Protocol):
    """The part of `HybridMemory` that the benchmark drives."""

    @property
    def adapters(self) -> Adapters: ...

    def drift(self) -> float: ...


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """How a strategy spends its nights and where it takes its answers from."""

    strategy: str
    answers: AnswerSource
    recipe: Recipe | None
    """None: it never dreams."""

    @property
    def gated(self) -> bool | None:
        return None if self.recipe is None else self.recipe.gate is not None


def bench_plan(
    strategy: str | None,
    recipe: str | Path | Recipe | None = None,
    gate: bool | None = None,
    model: str | None = None,
    *,
    seed: int = 0,
    learning_rate: float | None = None,
    token_budget: int | None = None,
) -> BenchPlan:
    """The plan of the strategy of that name, or for None of the recipe's own.

    Its dreams use `recipe` (for None the default one of `model`, a base's name), with or without a gate, at
    `learning_rate`, within `token_budget` a night; None leaves each of them to the recipe. `seed` is added to the
    recipe's. Raises `InvalidInput`."""
    base = recipe if isinstance(recipe, Recipe) else recipes.load(recipe or recipes.DEFAULT, model)
    chosen = strategies.get(base.strategy if strategy is None else strategy)
    if chosen.trains:
        varied = _varied(base, seed, learning_rate, token_budget)
        return BenchPlan(chosen.name, chosen.answers, dream_recipe(chosen, varied, gate=gate))
    if recipe is not None and strategy is not None:
        raise InvalidInput(f"the strategy {chosen.name} never dreams: leave the recipe {str(recipe)!r} out")
    for name, value in (("gate", gate), ("learning rate", learning_rate), ("token budget", token_budget)):
        if value is not None:
            raise InvalidInput(f"the strategy {chosen.name} never dreams: leave the {name} out")
    return BenchPlan(chosen.name, chosen.answers, None)


def _varied(recipe: Recipe, seed: int, learning_rate: float | None, token_budget: int | None) -> Recipe:
    if learning_rate is not None and not (math.isfinite(learning_rate) and learning_rate > 0):
        raise InvalidInput(f"a learning rate of {learning_rate}: pass a number above 0")
    if token_budget is not None and token_budget < 1:
        raise InvalidInput(f"a budget of {token_budget} tokens a night: pass 1 or more")
    train = dataclasses.replace(
        recipe.train,
        learning_rate=recipe.train.learning_rate if learning_rate is None else learning_rate,
        token_budget=recipe.train.token_budget if token_budget is None else token_budget,
    )
    return dataclasses.replace(recipe, seed=recipe.seed + seed, train=train)


def run(
    stream: Stream,
    strategy: str | None,
    open_memory: Callable[[], AbstractContextManager[Memory]],
    progress: Callable[[str], None] | None = None,
    *,
    seed: int = 0,
    recipe: str | Path | Recipe | None = None,
    gate: bool | None = None,
    shuffle_labels: bool = False,
    learning_rate: float | None = None,
    token_budget: int | None = None,
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Any]:
    """Live through `stream` with a fresh memory and test it before the first and after every night.

    `strategy`, a name in `hybridmem.continual`, `seed`, `recipe`, `gate`, `learning_rate` and `token_budget` are as
    `bench_plan` takes them. `progress` is called with one line a night. With `shuffle_labels`, the memory is given
    other facts' values while the test stays: the accuracy that is left was not learned. Raises `InvalidInput` for an
    unknown strategy, or a memory that has an adapter already.
    """
    varied: dict[str, Any] = {"seed": seed, "learning_rate": learning_rate, "token_budget": token_budget}
    bench_plan(strategy, recipe, gate, **varied)  # what cannot be asked for is refused before a model is loaded
    given = label_shuffled(stream, seed) if shuffle_labels else stream
    with open_memory() as memory:
        if memory.adapters.active() is not None:
            raise InvalidInput("the memory has an adapter already: run the benchmark in a fresh memory folder")
        plan = bench_plan(strategy, recipe, gate, memory.model.name, **varied)
        test = _Test(stream, memory, plan.answers)
        life = Lifecycle(memory, plan.recipe, clock=clock)
        for index, night in enumerate(stream.nights):
            lived = life.live(night, given.on(night))
            test.after(index)
            if progress is not None:
                progress(test.line(index, lived))
        at_the_end = _measured_at_the_end(memory, stream, life)
    return {
        **_retention(test),
        "drift_nats": at_the_end.drift,
        **{name: test.nights[-1][name] for name in _RATES},
        "seconds_per_night": [lived.seconds for lived in life.nights],
        "trained_tokens_per_night": [lived.trained_tokens for lived in life.nights],
        "gate": [lived.verdict for lived in life.nights],
        "seed": seed,
        "strategy": plan.strategy,
        "model": at_the_end.model,
        "base_sha256": at_the_end.base_sha256,
        "b": test.b,
        "acc_interval": test.interval(seed),
        "label_shuffled": shuffle_labels,
        "recipe": plan.recipe.name if plan.recipe else None,
        "gated": plan.gated,
        "mean_kl": at_the_end.mean_kl,
        "capabilities": dataclasses.asdict(at_the_end.capabilities) if at_the_end.capabilities else None,
        "economics": dataclasses.asdict(at_the_end.economics) if at_the_end.economics else None,
        "break_even_questions": at_the_end.economics.break_even_questions if at_the_end.economics else None,
        "texts_left_out": test.nights[-1]["texts_left_out"],
        "nights": [{**_row(lived), **tested} for lived, tested in zip(life.nights, test.nights, strict=True)],
        "learning_rate": plan.recipe.train.learning_rate if plan.recipe else None,
        "token_budget": (plan.recipe.train.token_budget or None) if plan.recipe else None,
        "accuracy_by_fact": test.accuracy_by_fact,
    }


@dataclass(frozen=True, slots=True)
class _Measured:
    """What is measured once, after the last night."""

    drift: Cell
    mean_kl: Cell
    capabilities: Capabilities | None
    economics: Economics | None
    model: str
    base_sha256: str


def _measured_at_the_end(memory: Memory, stream: Stream, life: Lifecycle) -> _Measured:
    active = memory.adapters.active()
    adapter = memory.adapters.path(active.version) if active is not None else None
    costs = None
    if active is not None:
        questions = [fact.test_questions[0] for fact in standing(stream, stream.nights[-1])]
        dreams = [night.report.seconds for night in life.nights if night.report]
        costs = economics.measured(memory, questions, dreams)
    return _Measured(
        drift=metrics.finite(memory.drift()) if active is not None else 0.0,
        mean_kl=metrics.finite(mean_kl(memory.model, adapter)),
        capabilities=capabilities(memory.model, adapter),
        economics=costs,
        model=memory.model.name,
        base_sha256=memory.model.sha256,
    )


def _retention(test: _Test) -> dict[str, Any]:
    R, b = test.R, test.b
    return {
        "R": R,
        "acc": metrics.acc(R),
        "bwt": metrics.bwt(R),
        "forgetting": metrics.forgetting(R),
        "fwt": metrics.fwt(R, b),
        "learning_gain": metrics.learning_gain(R, b),
        "half_life": metrics.half_life(R, b),
    }


def _row(lived: Night) -> dict[str, Any]:
    checks = [dataclasses.asdict(check) for check in lived.report.gate] if lived.report else []
    counts = {"night": lived.night, "told": lived.added, "deleted": lived.deleted}
    parent = lived.report.parent if lived.report else None
    return {**counts, "adapter": lived.adapter, "parent": parent, "checks": checks}


class _Test:
    """Asks the questions, and keeps what came of them."""

    def __init__(self, stream: Stream, memory: Memory, kind: AnswerSource) -> None:
        self._stream, self._source = stream, answer_source(memory, kind)
        self._memory, self._kind = memory, kind
        self._nights = stream.nights
        self._facts = [tuple(fact for fact in stream.facts if fact.night == night) for night in self._nights]
        self._answers_of_base = _asked(answer_source(memory, "weights"), stream.questions("locality"))
        before = _asked(self._source, [q for fact in stream.facts for q in fact.test_questions])
        self.b: list[Cell] = [metrics.mean(_accuracies(facts, {}, before).values()) for facts in self._facts]
        self.R: list[list[Cell]] = []
        self.nights: list[dict[str, Any]] = []
        self.accuracy_by_fact: list[dict[str, float]] = []
        """Of each night, after the last one tested."""

    def after(self, index: int) -> None:
        """Test after the night at `index`: all facts up to then, those of the next night, and the probes."""
        expected = expectations(self._stream, self._nights[index])
        asked = self._facts[: index + 2]
        probes = [probe.question for probe in self._stream.probes]
        questions = [q for facts in asked for fact in facts for q in fact.test_questions]
        answers = _asked(self._source, questions + probes)
        self.accuracy_by_fact = [_accuracies(facts, expected, answers) for facts in asked]
        row: list[Cell] = [metrics.mean(accuracies.values()) for accuracies in self.accuracy_by_fact]
        self.R.append(row + [None] * (len(self._nights) - len(row)))
        self.nights.append(
            {
                **self._side_effects(expected, answers),
                **self._answer_loss(self._nights[index]),
                "texts_left_out": self._source.left_out,
            }
        )

    def interval(self, seed: int) -> list[float] | None:
        """Of ACC, over facts."""
        measured = [list(accuracies.values()) for accuracies in self.accuracy_by_fact]
        return list(metrics.bootstrap_interval(measured, seed=seed)) if any(measured) else None

    def line(self, index: int, lived: Night) -> str:
        row = self.R[index][: index + 1]
        left_out = self._source.left_out
        return (
            f"night {lived.night} ({index + 1} of {len(self._nights)}): {lived.verdict}, {lived.seconds:.1f} s, "
            f"tonight's facts {_short(row[-1])}, all nights {_short(metrics.mean(row))}"
            + (f", {left_out} texts left out of the prompt" if left_out else "")
        )

    def _answer_loss(self, night: int) -> dict[str, Cell]:
        """Of the answers that hold still and were told before `night`."""
        old = [fact for fact in standing(self._stream, night) if fact.night < night]
        active = self._memory.adapters.active()
        found = None
        if self._kind == "weights":
            found = answer_loss(
                self._memory.model,
                self._memory.adapters.path(active.version) if active is not None else None,
                [fact.test_questions[0] for fact in old],
                [fact.answer for fact in old],
            )
        return {
            "answer_loss_median": metrics.finite(found.median) if found else None,
            "answer_loss_mean": metrics.finite(found.mean) if found else None,
        }

    def _side_effects(self, expected: Mapping[str, Expectation], answers: Answers) -> dict[str, Any]:
        unanswerable = self._stream.questions("unanswerable")
        stale = self._banned(answers, {id: one.stale for id, one in expected.items()})
        deleted = self._banned(answers, {id: one.deleted for id, one in expected.items()})
        return {
            **self._locality(answers),
            "false_answer_rate": metrics.false_answer_rate([refused(answers[question]) for question in unanswerable])
            if unanswerable
            else None,
            "stale_answer_rate": metrics.stale_answer_rate(*stale) if stale[0] else None,
            "deleted_answer_rate": metrics.deleted_answer_rate(*deleted) if deleted[0] else None,
            "prompt_tokens": metrics.mean(float(answer.prompt_tokens) for answer in answers.values()),
            "answer_seconds": metrics.mean(answer.seconds for answer in answers.values()),
        }

    def _locality(self, answers: Answers) -> dict[str, Any]:
        local = [probe for probe in self._stream.probes if probe.kind == "locality"]
        known = [probe for probe in local if probe.answer]
        said = [answers[probe.question].text for probe in local]
        of_base = [self._answers_of_base[probe.question].text for probe in local]
        return {
            "locality": metrics.locality(said, of_base) if local else None,
            "locality_right": metrics.mean(metrics.is_correct(answers[one.question].text, one.answer) for one in known),
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


def _asked(source: Source, questions: Sequence[str]) -> dict[str, Answer]:
    """Each question asked once."""
    once = list(dict.fromkeys(questions))
    return dict(zip(once, source.answer(once), strict=True)) if once else {}


def _short(accuracy: Cell) -> str:
    return "-" if accuracy is None else f"{accuracy:.2f}"


def _accuracies(facts: Sequence[StreamFact], expected: Mapping[str, Expectation], answers: Answers) -> dict[str, float]:
    """By id of each fact that was not deleted, the share of its questions answered right; one that is still to come
    expects its own value."""
    found = {}
    for fact in facts:
        value = expected[fact.id].answer if fact.id in expected else fact.answer
        if value is not None:
            said = [answers[question].text for question in fact.test_questions]
            found[fact.id] = metrics.proportion(metrics.is_correct(text, value) for text in said)
    return found
