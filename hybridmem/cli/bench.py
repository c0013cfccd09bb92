"""``hybridmem bench``: the benchmarks of `hybridmem.evaluation`, from one run on this machine."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import RenderableType

from hybridmem.cli import comparisons, errors, output, routing, sessions
from hybridmem.cli.invocation import Invocation, command
from hybridmem.cli.progress import bars
from hybridmem.continual import registry as strategies
from hybridmem.core import arguments
from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import to_json
from hybridmem.evaluation.conversations.registry import SUITES
from hybridmem.evaluation.published import registry as protocols

if TYPE_CHECKING:
    from hybridmem.memory import HybridMemory

EVERY = "all"
"""What names every registered strategy."""


def _strategies() -> str:
    """The help of an option that names a strategy: every registered one, with its summary."""
    each = "; ".join(f"{name}: {strategies.get(name).summary}" for name in strategies.names())
    return f"{EVERY}: each of these; {each}. The default is the recipe's own."


def _protocols() -> str:
    """The help of an argument that names a published protocol: every one, with its summary and its paper."""
    return "; ".join(f"{each.name}: {each.summary} ({each.paper})" for each in protocols.PROTOCOLS.values()) + "."


def _suites() -> str:
    """The help of an option that names a benchmark of conversations: every one, with its paper and its licence."""
    return "; ".join(f"{each.name}: {each.summary} ({each.paper}; {each.licence})" for each in SUITES.values()) + "."


app = typer.Typer()
group = typer.Typer(
    help="Benchmarks: retrieval, answers, forgetting and its streams, unlearning, router, week, speed and others."
)
app.add_typer(group, name="bench", rich_help_panel="Maintain")
Seed = Annotated[int, typer.Option(help="The same seed gives the same figures.")]


Benchmark = Annotated[str, typer.Option("--suite", metavar="NAME", help=_suites())]
Conversations = Annotated[
    Path, typer.Option("--data", metavar="PATH", help="The suite's public files: a file, or a folder of them.")
]
FirstConversations = Annotated[
    int | None, typer.Option("--conversations", min=1, help="Take the first so many conversations (default: all).")
]


@command(group, json_file=True, backends=False)
def retrieval(
    call: Invocation,
    data: Conversations,
    suite: Benchmark = "locomo",
    conversations: FirstConversations = None,
    seed: Seed = 0,
) -> None:
    """Recall and nDCG of the evidence on conversations: every searcher alone, and all of them fused.

    By type of question, among the first 5, 10 and 20 memories. No language model takes part."""
    from hybridmem import embedding
    from hybridmem.evaluation.suites.retrieval import bench_retrieval

    embedder = embedding.load(call.embedder) if call.embedder is not None else None
    with bars(quiet=call.as_json) as progress:
        result = bench_retrieval(
            data,
            suite=suite,
            conversations=conversations,
            embedder=embedder,
            seed=seed,
            date=date.today().isoformat(),
            progress=progress,
        )
    figures = to_json(result)
    groups = {"all": figures, **figures.get("by_type", {})}
    shown = [
        (type, of["questions"], searcher, *recall.values(), *of["ndcg"][searcher].values())
        for type, of in groups.items()
        for searcher, recall in of.get("recall", {}).items()
    ]
    depths = [f"#{figure}@{k}" for figure in ("recall", "nDCG") for k in (5, 10, 20)]
    rest = {name: value for name, value in figures.items() if not name.startswith(("by_", "recall", "ndcg"))}
    call.answer(
        figures,
        output.table(["type", "#questions", "search", *depths], shown, "evidence found"),
        output.pairs(rest, "retrieval"),
    )


@command(group, json_file=True, backends=False)
def answers(
    call: Invocation,
    data: Conversations,
    suite: Benchmark = "locomo",
    conversations: FirstConversations = None,
    questions: Annotated[
        int | None, typer.Option(min=1, help="Questions of each conversation, drawn by the seed (default: all).")
    ] = None,
    seed: Seed = 0,
) -> None:
    """Exact match and F1 with a suite's own short answers, by type of question, and what is refused.

    Each conversation is a memory of its own, told turn by turn, that has not dreamt. No model judges."""
    from hybridmem.evaluation.suites.answers import run

    with bars(quiet=call.as_json) as progress:
        result = run(
            data,
            suite=suite,
            conversations=conversations,
            questions=questions,
            model=call.model,
            embedder=call.embedder,
            reader=call.reader,
            seed=seed,
            date=date.today().isoformat(),
            progress=progress,
        )
    figures = to_json(result)
    names = ("questions", "exact_match", "f1", "refused", "unanswerable", "unanswerable_refused")
    shown = [
        (type, *(of.get(name) for name in names)) for type, of in {"all": figures, **figures.get("by_type", {})}.items()
    ]
    rest = {name: value for name, value in figures.items() if name not in {*names, "by_type", "answers"}}
    columns = ["type", *(f"#{name.replace('_', ' ')}" for name in names)]
    call.answer(figures, output.table(columns, shown, "answers"), output.pairs(rest, "answers"))


@command(group, json_file=True)
def forgetting(
    call: Invocation,
    stream: Annotated[Path, typer.Option("--stream", metavar="FILE", help="JSON lines: facts, night by night.")],
    strategy: Annotated[
        list[str] | None,
        typer.Option("--strategy", metavar="NAME", help=f"Any number of them, or a list with commas. {_strategies()}"),
    ] = None,
    learning_rate: Annotated[
        list[float] | None,
        typer.Option("--learning-rate", metavar="RATE", help="Any number of them (default: the recipe's)."),
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(metavar="NAME", help="The recipe of the dreams: a name, or a .toml file.")
    ] = None,
    tokens: Annotated[
        int | None,
        typer.Option(
            "--tokens", min=1, help="A night trains as many steps as fit into so many tokens, whatever the strategy."
        ),
    ] = None,
    gate: Annotated[
        bool | None,
        typer.Option("--gate/--no-gate", help="Whether a gate may refuse a night (default: as the recipe has it)."),
    ] = None,
    shuffle_labels: Annotated[
        bool, typer.Option("--shuffle-labels", help="The control: state other facts' values, and test as before.")
    ] = False,
    controls: Annotated[
        bool, typer.Option("--controls", help="Also run noop, and the first strategy that trains on shuffled labels.")
    ] = False,
    seed: Annotated[
        list[int] | None,
        typer.Option("--seed", help="Any number of them (default: 0); the same seed gives the same figures."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help="A folder for more than one run: a file each, and a report of all. The same command goes on where it "
            "was stopped.",
        ),
    ] = None,
) -> None:
    """Live through a stream night by night, and measure what was learned and what was forgotten.

    Every strategy is run at every learning rate with every seed, each time with a fresh memory."""
    from hybridmem.evaluation.stream import read

    lived = read(stream)
    names, seeds, rates = _named(strategy or ()), tuple(seed or (0,)), tuple(learning_rate or ())
    aside = output.console(stderr=True)
    progress = (lambda line: None) if call.as_json else lambda line: aside.print(output.plain(line, "dim"))

    def opened(folder: Path) -> HybridMemory:
        from hybridmem.memory import HybridMemory

        return HybridMemory.open(
            folder,
            namespace=("bench",),
            model=call.model,
            embedder=call.embedder,
            vectors=call.vectors,
            reader=call.reader,
        )

    if out is not None:
        from hybridmem.evaluation.comparison.runner import compare
        from hybridmem.evaluation.comparison.trial import trials
        from hybridmem.evaluation.suites.forgetting import bench_plan

        grid = trials(
            names or (bench_plan(None, recipe, gate).strategy,),
            seeds=seeds,
            learning_rates=rates,
            token_budget=tokens,
            gate=gate,
            shuffle_labels=shuffle_labels,
            controls=controls,
        )
        backends = {"embedder": call.embedder, "vectors": call.vectors, "reader": call.reader}
        conditions, results = compare(lived, grid, out, opened, recipe=recipe, backends=backends, progress=progress)
        comparisons.answer(call, out, conditions, results, lived.nights)
        return
    if controls or max(len(names), len(seeds), len(rates)) > 1:
        raise InvalidInput("more than one run leaves a file each: name a folder for them with --out DIR")
    from hybridmem.evaluation.suites.forgetting import run

    with tempfile.TemporaryDirectory(prefix="hybridmem-bench-") as folder:
        result = run(
            lived,
            names[0] if names else None,
            lambda: opened(Path(folder) / "memory"),
            progress,
            seed=seeds[0],
            recipe=recipe,
            gate=gate,
            shuffle_labels=shuffle_labels,
            learning_rate=rates[0] if rates else None,
            token_budget=tokens,
        )
    rows = [(night, *row) for night, row in enumerate(result["R"], start=1)]
    columns = ["#after night", *(f"#facts of {night}" for night in range(1, len(rows) + 1))]
    figures = {name: value for name, value in result.items() if name not in {"R", "nights", "accuracy_by_fact"}}
    call.answer(
        result, output.table(columns, rows, "R: accuracy"), output.pairs(figures, f"forgetting, {result['strategy']}")
    )


def _named(given: Sequence[str]) -> tuple[str, ...]:
    """The strategies that the options name, each once."""
    names = [name.strip() for option in given for name in option.split(",")]
    every = [registered for name in names for registered in (strategies.names() if name == EVERY else (name,))]
    return tuple(dict.fromkeys(strategies.get(name).name for name in every))


def _new_file(file: Path) -> Path:
    """The path of the argument FILE. Raises `InvalidInput` where something is there."""
    file = arguments.path("FILE", file)
    if file.exists():
        raise InvalidInput(f"{file} is there already: name a new file, or remove it first")
    return file


@command(group, json_file=True, backends=False)
def stream(
    call: Invocation,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file of JSON lines.")],
    nights: Annotated[int, typer.Option(min=1, help="Nights of the stream.")] = 5,
    facts: Annotated[int, typer.Option(min=1, help="Facts stated each night.")] = 20,
    changes: Annotated[
        int | None,
        typer.Option(
            min=0, help="How many of them replace an earlier value, from the second night on (default: one in ten)."
        ),
    ] = None,
    deletions: Annotated[
        int | None, typer.Option(min=0, help="Earlier facts deleted each night, from the third on (default: 1).")
    ] = None,
    seed: Annotated[int, typer.Option(help="The same seed gives the same stream.")] = 0,
) -> None:
    """Make a stream of invented facts for `bench forgetting`.

    A night that deletes is trained from the base anew; without deletions, nothing hides what a strategy forgets."""
    from hybridmem.evaluation.stream import StreamDelete, make_stream

    file = _new_file(file)
    made = make_stream(seed, nights, facts, changes=changes, deletions=deletions)
    made.write(file)
    figures = {
        "file": str(file),
        "nights": len(made.nights),
        "facts": len(made.facts),
        "changes": sum(fact.supersedes is not None for fact in made.facts),
        "deletions": sum(isinstance(event, StreamDelete) for event in made.events),
        "sha256": made.sha256,
    }
    call.answer(figures, output.pairs(figures, "stream"))


@command(group, "stream-from", json_file=True, backends=False)
def stream_from(
    call: Invocation,
    protocol: Annotated[str, typer.Argument(metavar="PROTOCOL", help=_protocols())],
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file of JSON lines, for `bench forgetting`.")],
    data: Annotated[
        Path | None, typer.Option("--data", metavar="DIR", help="The folder of data; reversal needs none.")
    ] = None,
    nights: Annotated[
        int | None, typer.Option(min=1, help="Nights on which something is told (default: the protocol's).")
    ] = None,
    per_night: Annotated[
        int | None, typer.Option(min=1, help="Authors, passages or pairs of each night (default: the protocol's).")
    ] = None,
    seed: Seed = 0,
) -> None:
    """Write a published protocol as a stream, which `bench forgetting --stream FILE` then runs."""
    chosen = protocols.get(protocol)
    file = _new_file(file)
    made = chosen.stream(data, nights or chosen.nights, per_night or chosen.per_night, seed)
    made.write(file)
    figures = {
        "file": str(file),
        "protocol": chosen.name,
        "paper": chosen.paper,
        "licence": chosen.licence,
        "nights": len(made.nights),
        "facts": len(made.facts),
        "deleted": len(made.events) - len(made.facts),
        "unanswerable": len(made.questions("unanswerable")),
        "locality": len(made.questions("locality")),
        "seed": seed,
    }
    call.answer(figures, output.pairs(figures, "stream"))


@command(group, json_file=True, backends=False)
def unlearning(
    call: Invocation,
    nights: Annotated[int, typer.Option(min=1, help="Nights of learning before the one that unlearns.")] = 5,
    facts: Annotated[int, typer.Option(min=1, help="Facts told on each day.")] = 5,
    deleted: Annotated[int, typer.Option(min=0, help="Facts to delete.")] = 1,
    superseded: Annotated[int, typer.Option(min=0, help="Facts to supersede.")] = 0,
    from_night: Annotated[
        int | None, typer.Option(min=1, help="The night that told them (default: the last but one).")
    ] = None,
    recipe: Annotated[str, typer.Option(metavar="NAME", help="The recipe of the dreams: a name, or a .toml file.")] = (
        "default"
    ),
    seed: Seed = 0,
) -> None:
    """Whether deleted and superseded facts leave the weights, by every probe, and what the night that unlearns costs.

    Exits 1 when a probe gives away more than a model that was never told."""
    from hybridmem.evaluation.suites.unlearning import run
    from hybridmem.memory import HybridMemory

    aside = output.console(stderr=True)
    with tempfile.TemporaryDirectory(prefix="hybridmem-bench-") as folder:
        result = run(
            Path(folder),
            lambda place: HybridMemory.open(
                place, namespace=("bench",), model=call.model, embedder=call.embedder, vectors=call.vectors
            ),
            None if call.as_json else lambda line: aside.print(output.plain(line, "dim")),
            nights=nights,
            facts=facts,
            deleted=deleted,
            superseded=superseded,
            from_night=from_night,
            recipe=recipe,
            seed=seed,
        )
    _answer(call, "unlearning", result)
    if not result.forgotten:
        raise typer.Exit(errors.NO)


@command(group, json_file=True, backends=False)
def router(
    call: Invocation,
    nights: Annotated[int, typer.Option(min=2, help="Nights of the stream.")] = 10,
    facts: Annotated[int, typer.Option(min=5, help="Facts told on each day.")] = 10,
    recipe: Annotated[str, typer.Option(metavar="NAME", help="The recipe of the dreams: a name, or a .toml file.")] = (
        "default"
    ),
    seed: Annotated[
        list[int] | None,
        typer.Option("--seed", help="Any number of them (default: 0); each is a stream of its own."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="DIR",
            help="A folder for the answers, night by night, and a report. The same command goes on where it was "
            "stopped.",
        ),
    ] = None,
) -> None:
    """Every route's answers to every kind of question, the router's choice beside them, and what its signals are worth.

    Fitted on one part of the facts, chosen on another and reported on a third."""
    from hybridmem.evaluation.suites.router import run

    with bars(quiet=call.as_json) as progress:
        result = run(
            model=call.model,
            embedder=call.embedder,
            nights=nights,
            facts_per_night=facts,
            recipe=recipe,
            seeds=tuple(seed or (0,)),
            folder=out,
            progress=progress,
        )
    routing.answer(call, out, result)


@command(group, json_file=True)
def week(
    call: Invocation,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Weeks: messages with their times, questions.")
    ],
    recipe: Annotated[str, typer.Option(metavar="NAME", help="The recipe of the dream: a name, or a .toml file.")] = (
        "default"
    ),
    dream: Annotated[
        bool, typer.Option("--dream/--no-dream", help="Whether the memory dreams and is asked again.")
    ] = True,
) -> None:
    """Live through a week of somebody's life, and ask about it before a dream and after it: what is answered, whether
    the messages with the answers are found, and every message by its own words."""
    from hybridmem.evaluation.suites.week import run
    from hybridmem.evaluation.week import AT, RECALL, read

    weeks = [read(file) for file in files]
    with bars(quiet=call.as_json) as progress:
        result = run(
            weeks,
            model=call.model,
            embedder=call.embedder,
            reader=call.reader,
            recipe=recipe,
            dream=dream,
            progress=progress,
        )
    counted = ("answerable", "right", "wrong", "refused", "unanswerable", "unanswerable_refused")
    found = (RECALL, "messages", "first_by_own_words", "hidden")
    measured = [
        (name, when, figures[when])
        for name, figures in [*result["weeks"].items(), ("all", result["total"])]
        for when in ("before", "after")
        if when in figures
    ]
    answered, searched = (
        [(name, when, *(figures[key] for key in keys)) for name, when, figures in measured] for keys in (counted, found)
    )
    columns = ["week", "dream", *(f"#{key.replace('_', ' ')}" for key in counted)]
    headings = ["week", "dream", f"#evidence recall@{AT}", "#messages", "#first by own words", "#hidden"]
    call.answer(
        result,
        output.table(columns, answered, "answers about a week"),
        output.table(headings, searched, "what searches find"),
    )


@command(group, "nothing-said", json_file=True)
def nothing_said(
    call: Invocation,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON lines: sentences, and what they tempt to think.")],
) -> None:
    """What a night believes of sentences that state nothing: wishes, negations, quotations, jokes."""
    from hybridmem.evaluation.suites.nothing_said import read, run

    sentences = read(file)
    with bars(quiet=call.as_json) as progress:
        result = run(sentences, model=call.model, embedder=call.embedder, reader=call.reader, progress=progress)
    rows = [(fact["kind"], fact["sentence"], fact["fact"]) for fact in result["facts"]]
    lost = [(fact["sentence"], fact["fact"]) for fact in result["retired_facts"]]
    figures = {name: value for name, value in result.items() if not isinstance(value, list)}
    call.answer(
        result,
        output.table(["kind", "said", "believed"], rows, "believed"),
        output.table(["said", "retired"], lost, "retired"),
        output.pairs(figures, "nothing said"),
    )


@command(group, json_file=True, backends=False)
def speed(
    call: Invocation,
    memories: Annotated[int, typer.Option(min=2, help="Memories to write.")] = 1000,
    singles: Annotated[int, typer.Option(min=1, help="How many of them to write one by one.")] = 100,
    searches: Annotated[int, typer.Option(min=1, help="Searches to time.")] = 100,
    answers: Annotated[int, typer.Option(min=0, help="Answers to time by each route; 0 loads no model.")] = 10,
    seed: Seed = 0,
) -> None:
    """Adds, searches and answers a second of a temporary memory, beside raw Chroma."""
    from hybridmem.evaluation.suites.speed import run

    with bars(quiet=call.as_json) as progress:
        result = run(
            memories=memories,
            singles=singles,
            searches=searches,
            answers=answers,
            model=call.model,
            embedder=call.embedder,
            seed=seed,
            progress=progress,
        )
    _answer(call, "speed", result)


@command(group, json_file=True, backends=False)
def dreaming(
    call: Invocation,
    memories: Annotated[int, typer.Option(min=1, help="Texts to remember before.")] = 300,
    turns: Annotated[int, typer.Option(min=3, help="Turns of an add and a search while nothing else runs.")] = 40,
) -> None:
    """How much a running dream slows the adds and searches of its own process: medians before it and during it."""
    from hybridmem.evaluation.suites.beside_a_dream import run

    with bars(quiet=call.as_json) as progress:
        result = run(memories=memories, turns=turns, model=call.model, embedder=call.embedder, progress=progress)
    _answer(call, "beside a dream", result)


@command(group, json_file=True, backends=False)
def training(
    call: Invocation,
    recipe: Annotated[
        str | None, typer.Option(metavar="NAME", help="Whose training: a recipe's name, or a .toml file.")
    ] = None,
    facts: Annotated[int, typer.Option(min=1, help="New facts of the night.")] = 20,
    steps: Annotated[int, typer.Option(min=2, help="Steps of each training; the first warms up.")] = 12,
    rounds: Annotated[int, typer.Option(min=1, help="How often each loop trains.")] = 3,
    seed: Seed = 0,
) -> None:
    """The training loop's throughput beside transformers' Trainer and TRL's SFTTrainer, on the same rows in one run.

    TRL takes part where it is installed: pip install 'hybridmem[bench]'."""
    from hybridmem.evaluation.suites.training import run

    with bars(quiet=call.as_json) as progress:
        result = run(
            model=call.model, recipe=recipe, facts=facts, steps=steps, rounds=rounds, seed=seed, progress=progress
        )
    figures = to_json(result)
    loops = [
        (name, *loop.values(), *(figures["ratios"].get(name) or dict.fromkeys(("median", "low", "high"))).values())
        for name, loop in figures["loops"].items()
    ]
    columns = ["loop", "#items/s", "#tokens/s", "#loss", "#we are faster by", "#low", "#high"]
    rest = {name: value for name, value in figures.items() if name not in {"loops", "ratios"}}
    call.answer(figures, output.table(columns, loops, "training"), output.pairs(rest, "run"))


@command(group, json_file=True, backends=False)
def capacity(
    call: Invocation,
    recipe: Annotated[
        str | None, typer.Option(metavar="NAME", help="Whose training: a recipe's name, or a .toml file.")
    ] = None,
    rank: Annotated[
        list[int] | None, typer.Option(min=1, help="A rank of the adapter; give it again for more (default: 1, 2, 4).")
    ] = None,
    targets: Annotated[
        str, typer.Option(metavar="NAME", help="The layers that get LoRA: all-linear, mlp, or the last part of a name.")
    ] = "all-linear",
    fewest: Annotated[int, typer.Option(min=1, help="Facts to begin with; then twice as many, and so on.")] = 20,
    most: Annotated[int, typer.Option(min=1, help="Facts to end with, where nothing broke before.")] = 80,
    threshold: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Proportion of the facts below which an adapter is said to break.")
    ] = 0.9,
    seed: Seed = 0,
) -> None:
    """Facts that an adapter holds against its rank and parameters, until it breaks; and what such a night costs."""
    from hybridmem.evaluation.suites.capacity import run

    with bars(quiet=call.as_json) as progress:
        result = run(
            model=call.model,
            embedder=call.embedder,
            recipe=recipe,
            ranks=rank or (1, 2, 4),
            targets=targets,
            fewest=fewest,
            most=most,
            threshold=threshold,
            seed=seed,
            progress=progress,
        )
    figures = to_json(result)
    columns = [f"#{name.replace('_', ' ')}" for point in figures["points"][:1] for name in point]
    rest = {name: value for name, value in figures.items() if name != "points"}
    call.answer(
        figures,
        output.table(columns, [tuple(point.values()) for point in figures["points"]], "capacity"),
        output.pairs(rest, "run"),
    )


@command(group, json_file=True, backends=False)
def serve(
    call: Invocation,
    memories: Annotated[int, typer.Option(min=1, help="Memories stored beforehand.")] = 10_000,
    namespaces: Annotated[int, typer.Option(min=1, help="Namespaces they are spread over.")] = 10,
    clients: Annotated[int, typer.Option(min=1, help="Clients at the same time.")] = 50,
    requests: Annotated[int, typer.Option(min=1, help="Requests of all clients together.")] = 10_000,
    rate: Annotated[
        float | None,
        typer.Option(
            help="Requests a second at a steady pace; without it, each client sends as soon as it has its answer."
        ),
    ] = None,
    seed: Seed = 0,
) -> None:
    """A server in a process of its own under mixed load: errors, lost writes, leaks between namespaces, latencies.

    Exits 1 when there was any of the first three."""
    from hybridmem.evaluation.suites.serve import run

    with bars(quiet=call.as_json) as progress:
        result = run(
            memories=memories,
            namespaces=namespaces,
            clients=clients,
            requests=requests,
            rate=rate,
            embedder=call.embedder,
            seed=seed,
            progress=progress,
        )
    _answer(call, "serve", result)
    if not result.clean:
        raise typer.Exit(errors.NO)


@command(group, json_file=True, backends=False)
def skills(
    call: Invocation,
    orders: Annotated[int, typer.Option(min=1, help="Orders in which the agent tries tools; each is a run.")] = 10,
    seed: Seed = 0,
) -> None:
    """Twenty scripted tasks without memory, with skills, with AGENTS.md's section and with both; no model takes part.

    Success, calls and tokens of each, by class of task, and how many tasks were helped and harmed."""
    from hybridmem.evaluation.suites.skills import run

    with bars(quiet=call.as_json) as progress:
        result = run(orders=orders, seed=seed, embedder=call.embedder, progress=progress)
    tables = [("all tasks", result["conditions"]), *result["classes"].items()]
    shown = [
        output.table(["with", *(f"#{name}" for name in next(iter(rows.values())))], _rows(rows), title)
        for title, rows in tables
        if rows
    ]
    rest = {name: value for name, value in result.items() if name not in {"conditions", "classes", "by_task"}}
    call.answer(result, *shown, output.pairs(rest, "run"))


@command(group, json_file=True, backends=False)
def rules(
    call: Invocation,
    seed: Annotated[
        list[int] | None,
        typer.Option("--seed", help="Any number of them (default: 0, 1, 2); each draws pairs of its own."),
    ] = None,
) -> None:
    """Memories in the running state: what each mechanism recalls, beside itself without the part that matters.

    No model takes part. Exits 1 when a claim does not hold."""
    from hybridmem.evaluation.suites.rules import run

    with bars(quiet=call.as_json) as progress:
        result = run(seeds=seed or None, progress=progress)
    figures = to_json(result)
    tables = [
        output.table(
            ["with", "#recall", "#low", "#high", "claim", "held"],
            [(*list(arm.values())[:4], arm["claim"] or None, arm["held"] if arm["claim"] else None) for arm in arms],
            f"{mechanism}: {task}",
        )
        for mechanism, task, arms in (each.values() for each in figures["behaviours"])
    ]
    rest = {name: value for name, value in figures.items() if name != "behaviours"}
    call.answer(figures, *tables, output.pairs(rest, "run"))
    if not result.held:
        raise typer.Exit(errors.NO)


@command(group, json_file=True, backends=False)
def session(
    call: Invocation,
    tokens: Annotated[
        list[int] | None,
        typer.Option(
            min=1, help="Tokens of a session; give it again for more sessions (default: six of 1,024 to 4,096)."
        ),
    ] = None,
    facts: Annotated[int, typer.Option(min=1, help="Facts of each session that are asked about, in 3 phrasings.")] = 9,
    budget: Annotated[int, typer.Option(min=1, help="Tokens of a session that a question reads at most.")] = 256,
    arm: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Any number of ways to keep a session (default: all but temp-lora)."),
    ] = None,
    controls_every: Annotated[
        int, typer.Option(min=1, help="A control is asked one question in so many; 1 asks it all.")
    ] = 4,
    seed: Seed = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            metavar="FILE",
            help="JSON lines, a line for each answer. The same command goes on where it was stopped.",
        ),
    ] = None,
) -> None:
    """What the model answers about sessions that it has read, by the session memory and by every other way to keep one.

    Takes half an hour of one core with the default base. Intervals are at 95%, over sessions and their facts."""
    from hybridmem.evaluation.suites.session import run

    with bars(quiet=call.as_json) as progress:
        result = run(
            model=call.model,
            embedder=call.embedder,
            sizes=tokens or None,
            facts=facts,
            budget=budget,
            arms=arm or None,
            controls_every=controls_every,
            seed=seed,
            out=out,
            progress=progress,
        )
    figures = to_json(result)
    call.answer(figures, *sessions.tables(figures))


def _rows(figures: Mapping[str, Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    return [(name, *each.values()) for name, each in figures.items()]


@command(group, json_file=True, backends=False)
def model(
    call: Invocation,
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="PATH", help="The folder of data: SQuAD, novels and WikiText-2, if there."),
    ] = None,
    cases: Annotated[int, typer.Option(min=1, help="Cases of each job.")] = 200,
    seed: Seed = 0,
) -> None:
    """The language model's evaluation card: how well it does the memory jobs and reads plain English, and how fast.

    Takes minutes with the bundled model. Proportions come with their 95% interval (Wilson)."""
    from hybridmem.evaluation.suites.model.card import run

    with bars(quiet=call.as_json) as progress:
        result = run(call.model, data=data, cases=cases, seed=seed, date=date.today().isoformat(), progress=progress)
    figures = to_json(result)
    call.answer(figures, *_card(figures))


def _card(figures: Mapping[str, Any]) -> list[RenderableType]:
    """The card as tables: the jobs, the cases in plain English, the other shares, and the figures that are none."""
    jobs = [
        (name, f"{job['memories']:.0f}", *_bounds(job["right"]), (job["refused"] or {}).get("value"))
        for name, job in figures["jobs"].items()
    ]
    plain = figures["plain_english"]
    groups = [(name, *_bounds(right)) for name, right in {**plain["groups"], "all": plain["all"]}.items()]
    rest: dict[str, Any] = {name: value for name, value in figures.items() if name not in {"jobs", "plain_english"}}
    rest["plain_english"] = {name: value for name, value in plain.items() if name not in {"groups", "all"}}
    shares, others = _parted(rest)
    columns = ("#share", "#low", "#high", "#of")
    return [
        output.table(["job", "#memories", *columns, "#refused"], jobs, "jobs, on held-out names and forms: right"),
        output.table(["group", *columns], groups, "plain English: right"),
        output.table(["figure", *columns], [(name, *_bounds(share)) for name, share in shares.items()], "other shares"),
        output.pairs(others, "model"),
    ]


def _parted(figures: Mapping[str, Any], prefix: str = "") -> tuple[dict[str, Any], dict[str, Any]]:
    """The shares within `figures`, and what else there is, by name; names within mappings become ``outer.inner``."""
    shares: dict[str, Any] = {}
    others: dict[str, Any] = {}
    for name, value in figures.items():
        if isinstance(value, Mapping) and value.keys() == {"value", "low", "high", "of"}:
            shares[f"{prefix}{name}"] = value
        elif isinstance(value, Mapping):
            inner = _parted(value, f"{prefix}{name}.")
            shares, others = shares | inner[0], others | inner[1]
        else:
            others[f"{prefix}{name}"] = value
    return shares, others


def _bounds(share: Mapping[str, Any] | None) -> tuple[Any, ...]:
    return (None,) * 4 if share is None else (share["value"], share["low"], share["high"], share["of"])


def _answer(call: Invocation, title: str, result: Any) -> None:
    figures = to_json(result)
    call.answer(figures, output.pairs(figures, title))
