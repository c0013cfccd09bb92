"""``hybridmem demo``: the whole story on a small log, and a number for every claim.

Nothing in it is special to the log: it calls the same methods as any user. The questions are hand-written
(`examples/days/questions.json`); no training and no composing sees them.
"""

from __future__ import annotations

import platform
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table as RichTable

from hybridmem import metrics
from hybridmem.core.clock import utc_now
from hybridmem.core.records import Answer, DreamReport
from hybridmem.core.text.tokens import normalised
from hybridmem.evaluation import days as log
from hybridmem.evaluation.days import Asked, Days
from hybridmem.evaluation.report import Block, Figure, Table, write_report
from hybridmem.evaluation.terminal import retention_table
from hybridmem.importers import BrokenLine, ImportedTurn, read
from hybridmem.memory import HybridMemory
from hybridmem.metrics import Cell, is_correct
from hybridmem.models.prompts import is_refusal

if TYPE_CHECKING:
    from hybridmem.dreaming.cycle import Progress
    from hybridmem.models.base import LanguageModel

TARGET = 0.9
NEXT = (
    "hybridmem add --from YOUR_CHAT.jsonl",
    "hybridmem dream",
    'hybridmem ask "Something that you told it?"',
)


@dataclass
class Life:
    """One memory that lives through the days, and what was measured of it."""

    memory: HybridMemory
    recipe: str
    R: list[list[Cell]] = field(default_factory=list)
    held: list[list[Asked]] = field(default_factory=list)
    """Of each night's facts those that the dream took into the weights; the others stay with retrieval."""
    told: list[int] = field(default_factory=list)
    """How many facts each day stated."""
    nights: list[DreamReport] = field(default_factory=list)
    false_answers: float = 0.0

    def result(self) -> dict[str, Any]:
        """The figures in the form of the forgetting benchmark's output."""
        b: list[Cell] = [0.0] * len(self.R)
        return {
            "R": self.R,
            "acc": metrics.acc(self.R),
            "learning_gain": metrics.learning_gain(self.R, b),
            "bwt": metrics.bwt(self.R),
            "forgetting": metrics.forgetting(self.R),
            "drift_nats": self.memory.drift(),
            "false_answer_rate": self.false_answers,
            "seconds_per_night": [night.seconds for night in self.nights],
            "trained_tokens_per_night": [night.trained_tokens for night in self.nights],
        }


def run(
    folder: Path,
    console: Console,
    *,
    quick: bool = False,
    model: str | None = None,
    embedder: str | None = None,
) -> dict[str, Any]:
    """Tell the story in `folder`, which keeps the memory and the report; returns every figure, as JSON values.

    `model` and `embedder` are names as `HybridMemory.open` takes them; by default the bundled ones.

    `quick` leaves out the third night and the nights without replay."""
    started = time.monotonic()
    days = log.load()
    nights = 2 if quick else len(days.logs)
    teller = DemoConsole(console)
    with HybridMemory.open(folder / "memory", namespace=("demo", "nora"), model=model, embedder=embedder) as memory:
        life = Life(memory, "default")
        teller.say("One memory, some days, some nights", opening(memory))
        first_day(teller, memory, days)
        for night in range(nights):
            if night:
                teller.add(memory, days.logs[night])
            live(teller, life, days, night, after=show_weights if night == 0 else None)
        teller.console.print(retention_table(life.R, title="What each night kept, with replay"))
        lives = {"replay": life}
        if not quick:
            lives["naive"] = without_replay(teller, folder, memory.model, embedder, days)
        routes, by_router = left_to_the_router(memory, days, nights)
        change = a_fact_changes(teller, memory, days)
        deletion = a_memory_is_deleted(teller, memory, days, folder)
        refused, life.false_answers = unanswerable(teller, memory, days)
        tokens = prompt_tokens(memory, days, nights)
        figures = judged(life, lives.get("naive"), by_router, change, deletion, refused)
        seconds = time.monotonic() - started
        results = {name: each.result() for name, each in lives.items()}
        report = write_report(
            folder / "report.html",
            "hybridmem: a few days and nights",
            teller.blocks,
            figures,
            results=results,
            routes=[routes],
            prompt_tokens=tokens,
            environment=environment(memory, seconds),
        )
        if naive := lives.get("naive"):
            naive.memory.close()
    closing(teller, figures, report, seconds)
    return {
        "figures": {f.name: f.value for f in figures},
        "met": {f.name: f.met for f in figures if f.met is not None},
        "results": results,
        "routes": routes,
        "prompt_tokens": tokens,
        "seconds": seconds,
        "report": str(report),
    }


class DemoConsole:
    """Says things in the terminal, and keeps them for the report."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.blocks: list[Block] = []

    def say(self, title: str, body: str, table: Table | None = None) -> None:
        self.console.rule(f"[bold]{title}", align="left")
        self.console.print(body, highlight=False)
        if table:
            shown = RichTable(*table.columns, box=None, padding=(0, 2, 0, 0))
            for row in table.rows:
                shown.add_row(*map(str, row))
            self.console.print(shown)
        self.console.print()
        self.blocks.append(Block(title, body, table))

    @contextmanager
    def bars(self, title: str) -> Iterator[Progress]:
        """Progress bars, one for each step that is told."""
        columns = (TextColumn("  {task.description:<10}"), BarColumn(30), TextColumn("{task.completed}/{task.total}"))
        with Bars(*columns, TimeElapsedColumn(), console=self.console, transient=True) as progress:
            tasks: dict[str, Any] = {}
            self.console.print(f"[dim]{title}[/dim]")

            def told(step: str, done: int, total: int) -> None:
                if step not in tasks:
                    tasks[step] = progress.add_task(step, total=total)
                progress.update(tasks[step], completed=done, total=total)

            yield told

    def add(self, memory: HybridMemory, path: Path) -> int:
        """Import one day as a user would; returns its turns."""
        turns: list[ImportedTurn] = []
        for entry in read(path):
            if isinstance(entry, BrokenLine):
                self.console.print(f"[yellow]{path.name}, line {entry.number}: {entry.reason}")
            else:
                turns.append(entry)
        added = memory.add_turns(turns)
        self.console.print(f"[dim]$ hybridmem add --from examples/days/{path.name}    # {len(added)} turns")
        return len(added)


def opening(memory: HybridMemory) -> str:
    model = memory.model
    return (
        f"The agent's own model is {model.name}. Everything below runs on this machine, without a network. The "
        f"questions are in wordings that no training sees."
    )


def first_day(teller: DemoConsole, memory: HybridMemory, days: Days) -> None:
    """Import the first day, and answer by reading what was stored."""
    turns = teller.add(memory, days.logs[0])
    questions = [fact.questions[0] for fact in days.facts[0][:4]]
    answers = memory.answer_many(questions)
    teller.say(
        "Day one: stored, and found again",
        f"{turns} turns of a chat are in the ledger, word for word; no model was asked to store them. "
        f"Questions are answered by finding the memories and reading them in the prompt.",
        answers_table(questions, answers),
    )


def answers_table(questions: Sequence[str], answers: Sequence[Answer]) -> Table:
    rows = tuple(
        (q, a.text, a.route, f"{a.confidence:.2f}", a.prompt_tokens) for q, a in zip(questions, answers, strict=True)
    )
    return Table(("question", "answer", "route", "confidence", "prompt tokens"), rows)


def live(
    teller: DemoConsole,
    life: Life,
    days: Days,
    night: int,
    after: Callable[[DemoConsole, HybridMemory, Days], None] | None = None,
) -> None:
    """One night, and the test of every night so far."""
    with teller.bars(f"$ hybridmem dream --recipe {life.recipe}    # night {night + 1}") as progress:
        report = life.memory.dream(recipe=life.recipe, progress=progress)
    life.nights.append(report)
    life.held.append(in_weights(life.memory, days.facts[night]))
    life.told.append(len(days.facts[night]))
    life.R.append([asked_of_weights(life.memory, facts) for facts in life.held])
    row = " ".join(f"{value:.2f}" for value in life.R[-1] if value is not None)
    teller.say(
        f"Night {night + 1}, {'with' if life.recipe == 'default' else 'without'} replay: {report.status}",
        f"{len(life.held[-1])} of the day's {life.told[-1]} facts went into the weights, which hold "
        f"{report.held_facts} now; {report.seconds:.0f} s, "
        f"{report.trained_tokens:,} tokens trained{': ' + report.reason if report.reason else ''}. "
        f"Right answers from the weights alone, by the day the facts were told: {row}.",
    )
    if after:
        after(teller, life.memory, days)


def in_weights(memory: HybridMemory, facts: Sequence[Asked]) -> list[Asked]:
    """Those of `facts` that the active adapter was trained on."""
    active = memory.adapters.active()
    trained = set(active.facts) if active else set()
    held = {
        (normalised(f.subject), normalised(f.object)) for f in memory.ledger.facts(memory.namespace) if f.id in trained
    }
    return [f for f in facts if (normalised(f.subject), normalised(f.answer)) in held]


def asked_of_weights(memory: HybridMemory, facts: Sequence[Asked]) -> float | None:
    """Share of right closed-book answers, each fact counting the same; None for no facts."""
    if not facts:
        return None
    questions = [question for fact in facts for question in fact.questions]
    answers = iter(memory.answer_many(questions, route="weights"))
    shares = [sum(is_correct(next(answers).text, f.answer) for _ in f.questions) / len(f.questions) for f in facts]
    return sum(shares) / len(shares)


def show_weights(teller: DemoConsole, memory: HybridMemory, days: Days) -> None:
    """The questions of the first day again, and what they cost now."""
    questions = [fact.questions[0] for fact in days.facts[0][:4]]
    read_again = memory.answer_many(questions, route="retrieval")
    recalled = memory.answer_many(questions, route="weights")
    rows = tuple(
        (q, w.text, w.prompt_tokens, r.text, r.prompt_tokens)
        for q, w, r in zip(questions, recalled, read_again, strict=True)
    )
    teller.say(
        "Recalled from the weights",
        "The same questions with nothing but the question in the prompt, beside the answers by reading.",
        Table(("question", "from the weights", "tokens", "by reading", "tokens"), rows),
    )


def without_replay(teller: DemoConsole, folder: Path, model: LanguageModel, embedder: str | None, days: Days) -> Life:
    """The same days and nights in a second memory, with nothing but the new facts in each training."""
    where = folder / "without-replay"
    naive = Life(HybridMemory.open(where, namespace=("demo", "nora"), model=model, embedder=embedder), "naive")
    for night, day in enumerate(days.logs):
        teller.add(naive.memory, day)
        live(teller, naive, days, night)
    teller.console.print(retention_table(naive.R, title="What each night kept, without replay"))
    return naive


def left_to_the_router(memory: HybridMemory, days: Days, nights: int) -> tuple[dict[str, float], float]:
    """How many of the questions each route answers when the router chooses; and the share of the questions on all
    facts, in the weights or not, that are answered rightly so."""
    asked = [(q, fact.answer) for facts in days.facts[:nights] for fact in facts for q in fact.questions]
    answers = memory.answer_many([*(question for question, _ in asked), *days.unanswerable])
    shares = {
        route: float(sum(a.route == route for a in answers)) for route in ("weights", "retrieval", "both", "abstain")
    }
    return shares, metrics.proportion(is_correct(a.text, value) for a, (_, value) in zip(answers, asked, strict=False))


def a_fact_changes(teller: DemoConsole, memory: HybridMemory, days: Days) -> dict[str, float]:
    """The next day a fact changes: read at once, dreamt later, and the old value does not come back."""
    teller.add(memory, days.later)
    before = memory.answer_many(list(days.changed.questions))
    teller.say(
        "A fact changes",
        f"{days.changed.questions[0]} It was {days.stale}; since this morning it is {days.changed.answer}. The weights "
        f"know only the old value, so the router reads.",
        answers_table(days.changed.questions, before),
    )
    return {"fresh": metrics.proportion(is_correct(a.text, days.changed.answer) for a in before)}


def a_memory_is_deleted(teller: DemoConsole, memory: HybridMemory, days: Days, folder: Path) -> dict[str, float | None]:
    """Delete a memory, dream, and look for it everywhere: search, history, export, and the weights themselves."""
    target = days.deleted
    pairs = [(question, target.answer) for question in target.questions]
    before = memory.probe(pairs)
    found = next(hit for hit in memory.search(target.questions[0]) if target.answer in hit.text)
    source = next(e for e in memory.list(limit=1000, kind="episode") if target.answer in e.text)
    receipt = memory.delete(source.id)
    removed = ", ".join(f"{place} {count}" for place, count in receipt.removed.items() if count)
    at_once = memory.answer_many(list(target.questions))
    with teller.bars("$ hybridmem dream    # rebuilds the adapter without it") as progress:
        report = memory.dream(progress=progress)
    after = memory.probe(pairs)
    forced = memory.answer_many(list(target.questions), route="weights")
    memory.export(folder / "export.jsonl")
    exported = target.answer in (folder / "export.jsonl").read_text(encoding="utf-8")
    searched = any(target.answer in hit.text for hit in memory.search(target.questions[0], limit=20))
    changed = memory.answer_many(list(days.changed.questions), route="weights")
    routed = memory.answer_many(list(days.changed.questions))
    rows = tuple(
        (b.question, b.answer, f"{b.probability:.4f}", a.answer, f"{a.probability:.6f}", f"{a.base_probability:.6f}")
        for b, a in zip(before, after, strict=True)
    )
    teller.say(
        "A memory is deleted",
        f"“{found.text}” is erased ({removed}). {receipt.pending}. Before that dream the router "
        f"{'abstains' if all(a.route == 'abstain' for a in at_once) else 'answers: ' + at_once[0].text}. "
        f"The dream took {report.seconds:.0f} s ({report.status}) and rebuilt the adapter from the bare base. "
        f"The probe asks the weights before and after it.",
        Table(("question", "before", "p", "after", "p", "p of the bare base"), rows),
    )
    teller.say(
        "The changed fact, after the dream",
        "The weights hold the new value now; the old one does not come back.",
        answers_table(days.changed.questions, routed),
    )
    return {
        "recalled_before": metrics.proportion(p.recalled for p in before),
        "recalled_after": metrics.proportion(p.recalled for p in after),
        "answered": metrics.proportion(is_correct(a.text, target.answer) for a in [*at_once, *forced]),
        "found": float(searched or exported),
        "changed": metrics.proportion(is_correct(a.text, days.changed.answer) for a in [*changed, *routed]),
        "stale": metrics.proportion(is_correct(a.text, days.stale) for a in [*changed, *routed]),
        "night_one_after": asked_of_weights(
            memory, [f for f in in_weights(memory, days.facts[0]) if f.answer not in (days.stale, target.answer)]
        ),
    }


def unanswerable(teller: DemoConsole, memory: HybridMemory, days: Days) -> tuple[float, float]:
    """(share refused by the router, share answered by the weights alone) of questions that nothing answers."""
    answers = memory.answer_many(list(days.unanswerable))
    refused = metrics.proportion(is_refusal(a.text) for a in answers)
    alone = memory.answer_many(list(days.unanswerable), route="weights")
    teller.say(
        "What it does not know",
        f"{len(answers)} questions that nothing in the memory answers; {refused:.0%} are refused.",
        answers_table(days.unanswerable[:4], answers[:4]),
    )
    return refused, metrics.proportion(not is_refusal(a.text) for a in alone)


def prompt_tokens(memory: HybridMemory, days: Days, nights: int) -> dict[str, float]:
    """Mean prompt tokens of a question, by reading and from the weights."""
    questions = [fact.questions[0] for facts in days.facts[:nights] for fact in facts]
    means = {}
    for name, route in (("by reading", "retrieval"), ("from the weights", "weights")):
        answers = memory.answer_many(questions, route=route)  # type: ignore[arg-type]
        means[name] = statistics.fmean(a.prompt_tokens for a in answers)
    return means


def judged(
    life: Life,
    naive: Life | None,
    by_router: float,
    change: dict[str, float],
    deletion: dict[str, float | None],
    refused: float,
) -> list[Figure]:
    """Every promise of the demo with its target."""
    figures = []
    for n, row in enumerate(life.R):
        figures.append(Figure(f"night {n + 1}: facts taken into the weights", len(life.held[n]) / life.told[n]))
        figures.append(Figure(f"night {n + 1}: new facts from the weights", row[n], TARGET))
    last = len(life.R)
    figures.append(Figure(f"first night's facts after night {last}, with replay", life.R[-1][0], TARGET))
    if naive:
        figures.append(Figure(f"first night's facts after night {last}, without replay", naive.R[-1][0]))
    return [
        *figures,
        Figure("all facts, by the route that the router chose", by_router),
        Figure("unanswerable questions refused", refused, TARGET),
        Figure("changed fact: new value, before the dream", change["fresh"], 1.0),
        Figure("changed fact: new value, after the dream", deletion["changed"], 1.0),
        Figure("changed fact: old value", deletion["stale"], 0.0, higher_is_better=False),
        Figure("deleted memory: recalled by the weights before", deletion["recalled_before"]),
        Figure(
            "deleted memory: recalled by the weights after", deletion["recalled_after"], 0.0, higher_is_better=False
        ),
        Figure("deleted memory: answered by any route", deletion["answered"], 0.0, higher_is_better=False),
        Figure(
            "deleted memory: in search or export",
            deletion["found"],
            0.0,
            higher_is_better=False,
        ),
        Figure("first night's other facts after the rebuild", deletion["night_one_after"], TARGET),
    ]


def environment(memory: HybridMemory, seconds: float) -> dict[str, object]:
    import os

    import torch

    return {
        "date": utc_now().date().isoformat(),
        "machine": f"{platform.machine()}, {os.cpu_count()} cores, {platform.system()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "model": memory.model.name,
        "base sha256": memory.model.sha256[:16],
        "seed": 0,
        "seconds": round(seconds),
    }


def closing(teller: DemoConsole, figures: Sequence[Figure], report: Path, seconds: float) -> None:
    table = RichTable("figure", "value", "target", "", title=f"The figures of this run ({seconds:.0f} s)", box=None)
    for figure in figures:
        verdict = "" if figure.met is None else "[green]met" if figure.met else "[red]missed"
        table.add_row(figure.name, "–" if figure.value is None else f"{figure.value:.2f}", figure.bound, verdict)
    teller.console.print(table)
    teller.console.print(f"\nThe report, with plots: [bold]{report}", soft_wrap=True)
    teller.console.print("\nTry it on your own data:")
    for command in NEXT:
        teller.console.print(f"  {command}", highlight=False)
