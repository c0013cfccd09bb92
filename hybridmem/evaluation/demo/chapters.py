"""The chapters of the demo: each does what a user would, says what came of it, and returns the figures.

Nothing in them is special to the log: they call the same methods as any user. The questions are hand-written
(`examples/days/questions.json`); no training and no composing sees them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hybridmem import metrics
from hybridmem.core.records import ROUTES, Answer
from hybridmem.dreaming.steps.unlearn import Probe
from hybridmem.evaluation.demo.arm import Arm, accuracy_of_weights, in_weights
from hybridmem.evaluation.demo.console import DemoConsole, answers_table
from hybridmem.evaluation.demo.days import Days
from hybridmem.evaluation.economics import Economics, economics
from hybridmem.evaluation.report import Table
from hybridmem.memory import HybridMemory
from hybridmem.metrics import is_correct
from hybridmem.models.prompts import is_refusal


def opening(memory: HybridMemory) -> str:
    model = memory.model
    return (
        f"The agent's own model is {model.name}. Everything below runs on this machine, without a network. The "
        f"questions are in wordings that no training sees."
    )


def first_day(console: DemoConsole, memory: HybridMemory, days: Days) -> None:
    """Import the first day, and answer by reading what was stored."""
    turns = console.add(memory, days.logs[0])
    questions = [fact.questions[0] for fact in days.facts[0][:4]]
    answers = memory.answer_many(questions)
    console.say(
        "Day one: stored, and found again",
        f"{turns} turns of a chat are in the ledger, word for word; no model was asked to store them. "
        f"Questions are answered by finding the memories and reading them in the prompt.",
        answers_table(questions, answers),
    )


def night(console: DemoConsole, arm: Arm, days: Days, number: int) -> None:
    """The night after day `number` (from 0), and the test of every night so far."""
    recipe = arm.recipe
    title = f"$ hybridmem dream    # night {number + 1}, strategy {recipe.strategy}{'' if recipe.gate else ', no gate'}"
    with console.bars(title) as progress:
        report = arm.dream(days.facts[number], progress)
    row = " ".join(f"{value:.2f}" for value in arm.R[-1] if value is not None)
    console.say(
        f"Night {number + 1}, {recipe.strategy}: {report.status}",
        f"{len(arm.in_weights[-1])} of the day's {arm.stated[-1]} facts went into the weights, which hold "
        f"{report.held_facts} now; {report.seconds:.0f} s, "
        f"{report.trained_tokens:,} tokens trained{': ' + report.reason if report.reason else ''}. "
        f"Right answers from the weights alone, by the day that stated the facts: {row}.",
    )


def weights_alone(console: DemoConsole, memory: HybridMemory, days: Days) -> None:
    """The questions of the first day again, and what they cost now."""
    questions = [fact.questions[0] for fact in days.facts[0][:4]]
    read_again = memory.answer_many(questions, route="retrieval")
    recalled = memory.answer_many(questions, route="weights")
    rows = tuple(
        (q, w.text, w.prompt_tokens, r.text, r.prompt_tokens)
        for q, w, r in zip(questions, recalled, read_again, strict=True)
    )
    console.say(
        "Recalled from the weights",
        "The same questions with nothing but the question in the prompt, beside the answers by reading.",
        Table(("question", "from the weights", "tokens", "by reading", "tokens"), rows),
    )


def left_to_the_router(memory: HybridMemory, days: Days, nights: int) -> tuple[dict[str, float], float]:
    """How many questions each route answers when the router chooses; and the proportion of the questions on all facts,
    in the weights or not, that are then answered rightly."""
    asked = [(q, fact.answer) for facts in days.facts[:nights] for fact in facts for q in fact.questions]
    answers = memory.answer_many([*(question for question, _ in asked), *days.unanswerable])
    counts: dict[str, float] = {route: float(sum(a.route == route for a in answers)) for route in ROUTES}
    return counts, metrics.proportion(is_correct(a.text, value) for a, (_, value) in zip(answers, asked, strict=False))


def a_fact_changes(console: DemoConsole, memory: HybridMemory, days: Days) -> float:
    """The next day a fact changes. Returns the proportion of right answers before any dream has read of it."""
    console.add(memory, days.later)
    before = memory.answer_many(list(days.changed.questions))
    console.say(
        "A fact changes",
        f"{days.changed.questions[0]} It was {days.stale}; since this morning it is {days.changed.answer}. The weights "
        f"know only the old value, so the router reads.",
        answers_table(days.changed.questions, before),
    )
    return metrics.proportion(is_correct(a.text, days.changed.answer) for a in before)


@dataclass(frozen=True, slots=True)
class Deletion:
    """What is left of a deleted memory, and of the facts beside it; proportions from 0 to 1."""

    recalled_before: float
    """By the weights."""
    recalled_after: float
    answered: float
    """By any route, at once and from the rebuilt weights."""
    found: float
    """1 if a search or an export still holds it."""
    changed: float
    """The changed fact's new value, answered after the dream."""
    stale: float
    """Its old value."""
    others: float | None
    """The first night's other facts, from the rebuilt weights."""


def a_memory_is_deleted(console: DemoConsole, memory: HybridMemory, days: Days, folder: Path) -> Deletion:
    """Delete a memory, dream, and look for it everywhere: search, history, export, and the weights themselves."""
    target = days.deleted
    pairs = [(question, target.answer) for question in target.questions]
    before = memory.probe(pairs)
    found = next(hit for hit in memory.search(target.questions[0]) if target.answer in hit.text)
    source = next(e for e in memory.list(limit=1000, kind="episode") if target.answer in e.text)
    receipt = memory.delete(source.id)
    removed = ", ".join(f"{place} {count}" for place, count in receipt.removed.items() if count)
    at_once = memory.answer_many(list(target.questions))
    with console.bars("$ hybridmem dream    # rebuilds the adapter without it") as progress:
        report = memory.dream(progress=progress)
    after = memory.probe(pairs)
    console.say(
        "A memory is deleted",
        f"“{found.text}” is erased ({removed}). {receipt.pending}. Before that dream the router "
        f"{'abstains' if all(a.route == 'abstain' for a in at_once) else 'answers: ' + at_once[0].text}. "
        f"The dream took {report.seconds:.0f} s ({report.status}) and rebuilt the adapter from the bare base. "
        f"The probe asks the weights before and after it.",
        _probes_table(before, after),
    )
    return _what_is_left(console, memory, days, folder, (before, after), at_once)


def _probes_table(before: Sequence[Probe], after: Sequence[Probe]) -> Table:
    rows = tuple(
        (b.question, b.answer, f"{b.probability:.4f}", a.answer, f"{a.probability:.6f}", f"{a.base_probability:.6f}")
        for b, a in zip(before, after, strict=True)
    )
    return Table(("question", "before", "p", "after", "p", "p of the bare base"), rows)


def _what_is_left(
    console: DemoConsole,
    memory: HybridMemory,
    days: Days,
    folder: Path,
    probes: tuple[Sequence[Probe], Sequence[Probe]],
    at_once: Sequence[Answer],
) -> Deletion:
    """Ask every route and place after the rebuild, also about the fact that changed."""
    target, changed = days.deleted, days.changed
    forced = memory.answer_many(list(target.questions), route="weights")
    memory.export(folder / "export.jsonl")
    exported = target.answer in (folder / "export.jsonl").read_text(encoding="utf-8")
    searched = any(target.answer in hit.text for hit in memory.search(target.questions[0], limit=20))
    by_weights = memory.answer_many(list(changed.questions), route="weights")
    by_router = memory.answer_many(list(changed.questions))
    console.say(
        "The changed fact, after the dream",
        "The weights hold the new value now; the old one does not come back.",
        answers_table(changed.questions, by_router),
    )
    others = [f for f in in_weights(memory, days.facts[0]) if f.answer not in (days.stale, target.answer)]
    return Deletion(
        recalled_before=metrics.proportion(p.recalled for p in probes[0]),
        recalled_after=metrics.proportion(p.recalled for p in probes[1]),
        answered=metrics.proportion(is_correct(a.text, target.answer) for a in [*at_once, *forced]),
        found=float(searched or exported),
        changed=metrics.proportion(is_correct(a.text, changed.answer) for a in [*by_weights, *by_router]),
        stale=metrics.proportion(is_correct(a.text, days.stale) for a in [*by_weights, *by_router]),
        others=accuracy_of_weights(memory, others),
    )


def unanswerable(console: DemoConsole, memory: HybridMemory, days: Days) -> float:
    """Proportion of the questions that nothing answers which the router refuses."""
    answers = memory.answer_many(list(days.unanswerable))
    refused = metrics.proportion(is_refusal(a.text) for a in answers)
    console.say(
        "What it does not know",
        f"{len(answers)} questions that nothing in the memory answers; {refused:.0%} are refused.",
        answers_table(days.unanswerable[:4], answers[:4]),
    )
    return refused


def costs(memory: HybridMemory, days: Days, arm: Arm) -> Economics:
    """What a night costs, and a question by reading and from the weights."""
    questions = [fact.questions[0] for facts in days.facts[: len(arm.nights)] for fact in facts]
    weights = memory.answer_many(questions, route="weights")
    retrieval = memory.answer_many(questions, route="retrieval")
    return economics((report.seconds for report in arm.reports), weights, retrieval)
