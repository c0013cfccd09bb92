"""Commands on what stands: the profile, the blocks that are always in context, and questions that are kept answered."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import RenderableType

from hybridmem.cli import output
from hybridmem.cli.invocation import Invocation, command
from hybridmem.cli.typed import typed
from hybridmem.core.standing import BLOCK_LIMIT, Block, StandingQuestion, Statement
from hybridmem.core.text.plural import counted

app = typer.Typer()
PANEL = "Know"
blocks = typer.Typer(help="Texts that are always in the agent's context: list, show, set, append, replace, delete ...")
questions = typer.Typer(help="Questions that are kept answered, with their evidence: add, list, remove.")
app.add_typer(blocks, name="block", rich_help_panel=PANEL)
app.add_typer(questions, name="question", rich_help_panel=PANEL)
Label = Annotated[str, typer.Argument(metavar="LABEL", help="The block's name, as `block list` shows it.")]


@command(app, panel=PANEL)
def profile(
    call: Invocation,
    budget: Annotated[int, typer.Option(min=0, help="Most tokens, at four characters each.")] = 800,
    text: Annotated[bool, typer.Option("--text", help="Print what goes into a prompt, and nothing else.")] = False,
) -> None:
    """Show what is known of the user and the current work, each line with the facts and episodes behind it.

    It needs no question and no model. What was deleted, replaced, set aside or has expired is not in it."""
    with call.open() as memory:
        known = memory.profile(budget=budget)
    shown: list[RenderableType]
    if text:
        shown = [output.plain(known.text)]
    elif known.lines:
        rows = [(line.about, line.text, line.since, line.evidence, line.facts, line.episodes) for line in known.lines]
        note = f"{counted(len(known.lines), 'line')}, about {counted(known.tokens, 'token')} of {budget:,}"
        shown = [
            output.table(["about", "what is known", "since", "#said", "facts", "episodes"], rows),
            output.plain(note, "dim"),
        ]
    else:
        shown = [output.plain("nothing is known yet: `hybridmem dream` reads facts from what was said")]
    call.answer({"profile": known, "text": known.text, "tokens": known.tokens}, *shown)


@command(app, panel=PANEL)
def reflect(
    call: Invocation,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="What to think over, in plain words.")],
    limit: Annotated[int, typer.Option(min=1, help="Most memories to read.")] = 20,
) -> None:
    """Answer over many memories, each statement with the memories that it rests on; --reader names who answers.

    Citations are checked against what was shown. What nothing bears out is left out."""
    with call.open() as memory:
        reflection = memory.reflect(question, limit=limit)
    told = _cited(reflection.statements) if reflection.statements else [output.plain(reflection.text, "bold")]
    left = [output.plain(f"left out, as no memory bears it out: {each}", "dim") for each in reflection.left_out]
    rows = [(hit.id, hit.at, hit.text) for hit in reflection.evidence]
    evidence = [output.table(["id", "when", "text"], rows, "evidence")] if rows else []
    call.answer(reflection, *told, *left, *evidence)


@command(blocks, "list")
def list_blocks(call: Invocation) -> None:
    """List every block with what it says."""
    with call.open() as memory:
        found = memory.blocks.list()
    rows = [
        (each.label, each.value, each.description, f"{len(each.value):,} of {each.limit:,}", each.read_only)
        for each in found
    ]
    columns = ["label", "value", "description", "characters", "read-only"]
    nothing = output.plain("no blocks yet: `hybridmem block set LABEL TEXT` makes one")
    call.answer({"blocks": found}, output.table(columns, rows) if rows else nothing)


@command(blocks)
def show(call: Invocation, label: Label) -> None:
    """Show one block, whole."""
    with call.open() as memory:
        block = memory.blocks.get(label)
    call.answer(block, output.pairs(output.fields(block)))


@command(blocks, "set")
def set_block(
    call: Invocation,
    label: Label,
    text: Annotated[str | None, typer.Argument(metavar="[TEXT]", help="What it says; - reads it from stdin.")] = None,
    description: Annotated[str | None, typer.Option(help="What belongs into it, for the agent that edits it.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="CHARACTERS", help=f"The most it may say (default: {BLOCK_LIMIT}).")
    ] = None,
    read_only: Annotated[
        bool | None, typer.Option("--read-only/--editable", help="Whether agents may only read it.")
    ] = None,
) -> None:
    """Write a block, or make it; what is not given stays as it is."""
    with call.open(create=True) as memory:
        block = memory.blocks.set(
            label, None if text is None else typed(text), description=description, limit=limit, read_only=read_only
        )
    _tell(call, block, "set")


@command(blocks)
def append(
    call: Invocation,
    label: Label,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="The line to add; - reads it from stdin.")],
) -> None:
    """Add a line at the end of a block."""
    with call.open() as memory:
        block = memory.blocks.append(label, typed(text))
    _tell(call, block, "appended to")


@command(blocks)
def replace(
    call: Invocation,
    label: Label,
    old: Annotated[str, typer.Argument(metavar="OLD", help="Words that stand in the block exactly once.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The words in their place; '' takes them out.")],
) -> None:
    """Put other words in the place of some in a block."""
    with call.open() as memory:
        block = memory.blocks.replace(label, old, new)
    _tell(call, block, "changed")


@command(blocks)
def delete(call: Invocation, label: Label) -> None:
    """Erase a block, and its words from its history."""
    with call.open() as memory:
        removed = memory.blocks.delete(label)
    call.answer({"label": label, "removed": removed}, output.plain(f"deleted the block {label}"))


@command(blocks)
def history(call: Invocation, label: Label) -> None:
    """Show a block's history: what it said, since when, and who changed it."""
    with call.open() as memory:
        events = memory.blocks.history(label)
    rows = [(event.at, event.event, event.by, event.text) for event in events]
    call.answer({"label": label, "events": events}, output.table(["when", "event", "by", "text"], rows))


@command(questions)
def add(
    call: Invocation,
    question: Annotated[str, typer.Argument(metavar="QUESTION", help="What is to be kept answered.")],
) -> None:
    """Keep a question answered from now on: by the next night, or when `question list` is asked."""
    with call.open(create=True) as memory:
        kept = memory.standing_questions.add(question)
    call.answer(kept, output.plain(f"kept as {kept.id}"))


@command(questions, "list")
def list_questions(
    call: Invocation,
    as_is: Annotated[bool, typer.Option("--as-is", help="Ask no model: show what was answered before.")] = False,
) -> None:
    """Show every standing question with its answer, answered anew where a memory that bears on it came or went."""
    with call.open() as memory:
        kept = memory.standing_questions.list() if as_is else memory.standing_questions.answers()
    shown = [each for question in kept for each in _answered(question)]
    nothing = output.plain("no standing questions: `hybridmem question add QUESTION` keeps one")
    call.answer({"questions": kept}, *(shown or [nothing]))


@command(questions)
def remove(
    call: Invocation,
    id: Annotated[str, typer.Argument(metavar="ID", help="The question's id, as `question list` shows it.")],
) -> None:
    """Erase a standing question with its answer."""
    with call.open() as memory:
        memory.standing_questions.remove(id)
    call.answer({"removed": id}, output.plain(f"removed {id}"))


def _tell(call: Invocation, block: Block, done: str) -> None:
    room = f"{len(block.value):,} of {block.limit:,} characters"
    call.answer(block, output.plain(f"{done} {block.label}: {room}"))


def _cited(statements: tuple[Statement, ...]) -> list[RenderableType]:
    return [output.plain(f"{each.text}  [{', '.join(each.sources)}]") for each in statements]


def _answered(question: StandingQuestion) -> list[RenderableType]:
    if question.answered_at is None:
        told: list[RenderableType] = [output.plain("not answered yet", "dim")]
    elif not question.statements:
        told = [output.plain("the memories do not say", "dim")]
    else:
        told = _cited(question.statements)
    return [output.plain(f"{question.question}  ({question.id})", "bold"), *told]
