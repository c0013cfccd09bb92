"""What stands, over HTTP: the profile, blocks, reflections, questions that are kept answered."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi import Path as InPath
from pydantic import Field
from starlette.responses import Response

from hybridmem.core.records import to_json
from hybridmem.core.standing import LABEL, MAX_BLOCK
from hybridmem.server.caller import Reader, Writer, to_response
from hybridmem.server.schemas import History, Hit
from hybridmem.server.types import Brief, Few, Free, Integer, Shape, Strict, Text, Words

router = APIRouter(prefix="/v1", tags=["standing"])
Label = Annotated[str, InPath(pattern=f"^{LABEL}$", max_length=64, description="The block's name.")]
QuestionId = Annotated[str, InPath(min_length=1, max_length=200, description="The question's id.")]
Editor = Annotated[
    Literal["user", "agent"],
    Field(description="Who edits it: an agent is refused a block that is read-only, and its limit and read_only."),
]


class Line(Shape):
    """One thing that is known, and what it rests on."""

    text: str
    about: Literal["user", "work"]
    facts: list[str]
    episodes: list[str]
    since: datetime
    evidence: int = Field(description="How often it was said.")
    tokens: int


class Profile(Shape):
    """What is known of the user and the current work."""

    namespace: list[str]
    lines: list[Line] = Field(description="Best first: the user, then the work.")
    budget: int
    at: datetime
    made_at: datetime = Field(description="When its order was last made of everything, at night.")
    text: str = Field(description="For a prompt: quoted data, not instructions.")
    tokens: int


class Block(Shape):
    """A text that is always in the agent's context."""

    label: str
    value: str
    description: str
    limit: int = Field(description="The most characters of its value.")
    read_only: bool = Field(description="Whether agents may only read it.")
    updated_at: datetime


class BlockList(Shape):
    """In the order of their labels."""

    blocks: list[Block]


class Removed(Shape):
    """What was erased, by place."""

    label: str
    removed: dict[str, int]


class Statement(Shape):
    """One thing that an answer says, and the memories that it rests on."""

    text: str
    sources: list[str]


class Reflection(Shape):
    """An answer over many memories."""

    question: str
    text: str
    statements: list[Statement] = Field(description="Empty where the memories do not say.")
    evidence: list[Hit] = Field(description="The memories that are cited.")
    shown: list[str] = Field(description="Ids of the memories that the model read.")
    left_out: list[str] = Field(description="What the model said and no memory bears out.")
    read_by: str
    prompt_tokens: int
    tokens: int


class Question(Shape):
    """A question that is kept answered."""

    id: str
    namespace: list[str]
    question: str
    statements: list[Statement]
    shown: list[str]
    read_by: str
    answered_at: datetime | None = Field(description="null for not yet, or not since what it rested on went.")
    position: int


class QuestionList(Shape):
    """Oldest first."""

    questions: list[Question]


class WriteBlock(Strict):
    """What is not given stays as it is."""

    value: Free | None = None
    description: Brief | None = None
    limit: Annotated[Integer, Field(ge=1, le=MAX_BLOCK)] | None = None
    read_only: bool | None = None
    by: Editor = "user"


class Append(Strict):
    """A line for the end of a block."""

    text: Text
    by: Editor = "user"


class Replace(Strict):
    """Words in the place of others, which stand in the block exactly once."""

    old: Text
    new: Free
    by: Editor = "user"


class Reflect(Strict):
    """What to think over."""

    question: Words
    limit: Few = 20


class Ask(Strict):
    """What is to be kept answered."""

    question: Words


@router.get("/profile", response_model=Profile)
async def profile(
    caller: Reader,
    budget: Annotated[int, Query(ge=0, le=100_000, description="Most tokens, at four characters each.")] = 800,
) -> Response:
    """What is known of the user and the current work, each line with its facts and episodes; no model is asked."""
    known = await caller.run("profile", "read", lambda: caller.memory.profile(budget=budget))
    return to_response({**to_json(known), "text": known.text, "tokens": known.tokens})


@router.get("/blocks", response_model=BlockList)
async def blocks(caller: Reader) -> Response:
    """Every block with what it says."""
    return to_response({"blocks": await caller.run("blocks", "read", caller.memory.blocks.list)})


@router.get("/blocks/{label}", response_model=Block)
async def block(label: Label, caller: Reader) -> Response:
    """One block."""
    return to_response(await caller.run("blocks", "read", lambda: caller.memory.blocks.get(label)))


@router.put("/blocks/{label}", response_model=Block)
async def write(label: Label, body: WriteBlock, caller: Writer) -> Response:
    """Write a block, made where there is none."""
    given = body.model_dump(exclude_none=True)
    return to_response(
        await caller.run(
            "edit_block", "write", lambda: caller.memory.blocks.set(label, given.pop("value", None), **given)
        )
    )


@router.post("/blocks/{label}/append", response_model=Block)
async def append(label: Label, body: Append, caller: Writer) -> Response:
    """Add a line at the end of a block."""
    return to_response(
        await caller.run("edit_block", "write", lambda: caller.memory.blocks.append(label, body.text, by=body.by))
    )


@router.post("/blocks/{label}/replace", response_model=Block)
async def replace(label: Label, body: Replace, caller: Writer) -> Response:
    """Put other words in the place of some in a block."""
    return to_response(
        await caller.run(
            "edit_block", "write", lambda: caller.memory.blocks.replace(label, body.old, body.new, by=body.by)
        )
    )


@router.delete("/blocks/{label}", response_model=Removed)
async def delete(label: Label, caller: Writer) -> Response:
    """Erase a block, and its words from its history."""
    removed = await caller.run("delete", "erase", lambda: caller.memory.blocks.delete(label))
    return to_response({"label": label, "removed": removed})


@router.get("/blocks/{label}/history", response_model=History)
async def history(label: Label, caller: Reader) -> Response:
    """What a block said, since when, and who changed it; of an erased one without its words."""
    return to_response({"events": await caller.run("history", "read", lambda: caller.memory.blocks.history(label))})


@router.post("/reflect", response_model=Reflection)
async def reflect(body: Reflect, caller: Reader) -> Response:
    """Answer over many memories, each statement with the memories that it rests on, checked against what was shown."""
    return to_response(
        await caller.run("reflect", "model", lambda: caller.memory.reflect(body.question, limit=body.limit))
    )


@router.get("/questions", response_model=QuestionList)
async def questions(
    caller: Reader,
    fresh: Annotated[
        bool, Query(description="Whether those are answered anew on which something bears that came or went.")
    ] = False,
) -> Response:
    """The questions that are kept answered, with what they rest on."""
    kept = caller.memory.standing_questions
    found = await caller.run("reflect", "model", kept.answers) if fresh else await caller.run("list", "read", kept.list)
    return to_response({"questions": found})


@router.post("/questions", status_code=201, response_model=Question)
async def keep(body: Ask, caller: Writer) -> Response:
    """Keep a question answered from now on; one that is there in the same words is that one. No model is asked yet."""
    kept = caller.memory.standing_questions
    return to_response(await caller.run("add", "write", lambda: kept.add(body.question)), 201)


@router.delete("/questions/{id}", status_code=204)
async def forget(id: QuestionId, caller: Writer) -> Response:
    """Erase a question with its answer."""
    await caller.run("delete", "erase", lambda: caller.memory.standing_questions.remove(id))
    return Response(status_code=204)
