"""Memories over HTTP: write, look, correct, erase."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi import Path as InPath
from starlette.responses import Response

from hybridmem.core.records import Episode, Fact, Kind, to_json
from hybridmem.server import schemas
from hybridmem.server.caller import Reader, Writer, to_response
from hybridmem.server.types import Limit

router = APIRouter(prefix="/v1", tags=["memories"])
Id = Annotated[str, InPath(min_length=1, max_length=200, description="The memory's id.")]


@router.post("/memories", status_code=201, response_model=schemas.Added)
async def add(body: schemas.AddText | schemas.AddMessages, caller: Writer) -> Response:
    """Remember a text or messages. Calls no model; what the response names is on disk."""
    content: str | list[dict[str, Any]]
    options: dict[str, Any] = {"session": body.session, "metadata": body.metadata, "trust": body.trust}
    options |= {"tags": body.tags, "expires_at": body.expires_at}
    if isinstance(body, schemas.AddText):
        content = body.text
        options |= {"at": body.at, "role": body.role, "speaker": body.speaker}
    else:
        content = [_message(message) for message in body.messages]
    added = await caller.run("add", "write", lambda: caller.memory.add(content, source="http", **options))
    return to_response({"memories": [render(episode) for episode in added]}, 201)


@router.get("/memories", response_model=schemas.Page)
async def page(
    caller: Reader,
    limit: Limit = 50,
    after: Annotated[int, Query(ge=0, le=2**53, description="`next` of the page before.")] = 0,
    kind: Kind | None = None,
) -> Response:
    """Memories in the order of the ledger, a page at a time."""
    found = await caller.run("list", "read", lambda: caller.memory.list(limit=limit + 1, after=after, kind=kind))
    return to_response(_page(found, limit))


@router.post("/memories/query", response_model=schemas.Page)
async def query(body: schemas.ListMemories, caller: Reader) -> Response:
    """Memories that satisfy a filter, in the order of the ledger, a page at a time; expired ones too."""
    found = await caller.run(
        "list",
        "read",
        lambda: caller.memory.list(limit=body.limit + 1, after=body.after, filters=body.filters),
    )
    return to_response(_page(found, body.limit))


@router.post("/memories/delete", response_model=schemas.BulkReceipt)
async def delete_many(body: schemas.DeleteMany, caller: Writer) -> Response:
    """Erase every memory that satisfies a filter, in one transaction; with `dry_run`, only say which."""
    return to_response(
        await caller.run("delete", "erase", lambda: caller.memory.delete_many(body.filters, dry_run=body.dry_run))
    )


@router.get("/memories/{id}", response_model=schemas.Episode | schemas.Fact)
async def get(id: Id, caller: Reader) -> Response:
    """One memory."""
    return to_response(render(await caller.run("get", "read", lambda: caller.memory.get(id))))


@router.patch("/memories/{id}", response_model=schemas.Episode | schemas.Fact)
async def update(id: Id, body: schemas.Change, caller: Writer) -> Response:
    """Change a memory's words, metadata, tags or expiry; its history tells of each. Weights that hold old words are no
    longer believed."""
    return to_response(render(await caller.run("update", "write", lambda: caller.memory.update(id, **body.given()))))


@router.delete("/memories/{id}", response_model=schemas.Receipt)
async def delete(
    id: Id,
    caller: Writer,
    copies: Annotated[bool, Query(description="Whether the other memories in the same words go as well.")] = False,
) -> Response:
    """Erase a memory everywhere; the receipt names every place, what the next dream has still to do, and the other
    memories that still say it."""
    return to_response(await caller.run("delete", "erase", lambda: caller.memory.delete(id, copies=copies)))


@router.get("/memories/{id}/history", response_model=schemas.History)
async def history(id: Id, caller: Reader) -> Response:
    """What became of a memory, oldest first; of an erased one without its words."""
    return to_response({"events": await caller.run("history", "read", lambda: caller.memory.history(id))})


@router.get("/memories/{id}/why", response_model=schemas.Why)
async def why(id: Id, caller: Reader) -> Response:
    """Where a memory came from and where it went: episodes, facts, adapters."""
    return to_response(await caller.run("why", "read", lambda: caller.memory.why(id)))


@router.post("/memories/{id}/quarantine", response_model=schemas.Quarantine)
async def quarantine(id: Id, caller: Writer) -> Response:
    """Keep a memory out of every search and every dream until it is released."""
    await caller.run("quarantine", "write", lambda: caller.memory.quarantine(id))
    return to_response({"id": id, "quarantined": True})


@router.post("/memories/{id}/release", response_model=schemas.Quarantine)
async def release(id: Id, caller: Writer) -> Response:
    """Let a quarantined memory take part again."""
    await caller.run("release", "write", lambda: caller.memory.release(id))
    return to_response({"id": id, "quarantined": False})


@router.post("/facts", status_code=201, response_model=schemas.Fact)
async def add_fact(body: schemas.AddFact, caller: Writer) -> Response:
    """State a fact. It retires the present value of its (subject, relation), unless `replace` is false; where that
    value is the same, it gains the evidence and is returned."""
    fact = await caller.run(
        "add_fact",
        "write",
        lambda: caller.memory.add_fact(
            body.subject,
            body.relation,
            body.object,
            text=body.text,
            valid_from=body.valid_from,
            valid_to=body.valid_to,
            trust=body.trust,
            replace=body.replace,
            metadata=body.metadata,
            tags=body.tags,
            expires_at=body.expires_at,
        ),
    )
    return to_response(render(fact), 201)


def render(record: Episode | Fact) -> dict[str, Any]:
    """A memory as JSON, with its kind."""
    return {"kind": "episode" if isinstance(record, Episode) else "fact", **to_json(record)}


def _page(found: Sequence[Episode | Fact], limit: int) -> dict[str, Any]:
    """The first `limit` of `found`, of which there is one more where another page follows."""
    records = found[:limit]
    following = records[-1].position if len(found) > limit else None
    return {"memories": [render(record) for record in records], "next": following}


def _message(message: schemas.Message) -> dict[str, Any]:
    """The message for the importers, with its time as text."""
    fields = message.model_dump(include={"role", "content", "name"}, exclude_none=True)
    at = {"at": message.at.isoformat()} if message.at is not None else {}
    return {"content": None, **fields, **at}
