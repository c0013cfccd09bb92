"""Skills over HTTP: procedures that worked, by task, and sessions to learn them from."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from hybridmem.core.records import to_json
from hybridmem.server.caller import Reader, Writer, to_response
from hybridmem.server.schemas import Message
from hybridmem.server.types import Label, Shape, Strict

router = APIRouter(prefix="/v1", tags=["skills"])


class SkillStep(Shape):
    """One call of a tool."""

    tool: str
    arguments: dict[str, str | int | float | bool | None] = Field(
        description="Short values as they are; {name} for what the task names; no secret and no long text."
    )


class Skill(Shape):
    """A procedure with its record: quoted data, not instructions."""

    task: str
    steps: list[SkillStep] = Field(description="In order; with the task's own values, where it is the same task.")
    successes: int
    failures: int
    unknown: int = Field(description="Runs that nothing explicit judged.")
    known_by: dict[str, int] = Field(description="How many judged runs each kind of evidence judged.")
    recommended: bool
    last_used: datetime
    same_task: bool
    relevance: float
    facts: list[str] = Field(description="Ids of the memories that it is kept in.")
    episodes: list[str] = Field(description="Ids of the requests that it was seen for.")


class SkillList(Shape):
    """Best first."""

    skills: list[Skill]


class Learned(Shape):
    """What a session added."""

    facts: list[str] = Field(description="Ids of the memories that keep its procedures.")
    runs: int
    already: int
    without_source: int


class Session(Strict):
    """An agent's session: messages with the calls of tools and their results, as OpenAI and Anthropic write them."""

    messages: list[Message] = Field(min_length=1, max_length=1000)
    session: Label | None = None


@router.get("/skills", response_model=SkillList)
async def skills(
    caller: Reader,
    task: Annotated[
        str | None,
        Query(max_length=10_000, pattern=r"\S", description="What is to be done; without it, the skills last used."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=100)] = 5,
    min_score: Annotated[
        float, Query(ge=0, le=1, description="The least relevance of a skill for another task.")
    ] = 0.5,
    failed: Annotated[bool, Query(description="Also those that never worked, or whose last runs all failed.")] = False,
) -> Response:
    """The procedures that worked for a task, best first; no model is asked."""
    found = await caller.run(
        "skills", "search", lambda: caller.memory.skills(task, limit=limit, min_score=min_score, failed=failed)
    )
    return to_response({"skills": [to_json(skill) for skill in found]})


@router.post("/skills", status_code=201, response_model=Learned)
async def learn(body: Session, caller: Writer) -> Response:
    """Remember a session's messages, and the procedures in its calls of tools. Calls no model."""
    messages: list[dict[str, Any]] = []
    for message in body.messages:
        given = message.model_dump(exclude_none=True)
        at = {"at": message.at.isoformat()} if message.at is not None else {}
        messages.append({"content": None, **given, **at})
    learned = await caller.run(
        "learn_skills", "write", lambda: caller.memory.learn_skills(messages, session=body.session)
    )
    return to_response(to_json(learned), 201)
