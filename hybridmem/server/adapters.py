"""Versions of the weights over HTTP."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi import Path as InPath
from starlette.responses import Response

from hybridmem.server import schemas
from hybridmem.server.caller import Reader, Writer, to_response

router = APIRouter(prefix="/v1/adapters", tags=["adapters"])


@router.get("", response_model=schemas.Adapters)
async def list_versions(caller: Reader) -> Response:
    """Every version, oldest first, and the one that answers."""
    registry = caller.memory.adapters
    records, active = await caller.run("adapters", "read", lambda: (registry.list(), registry.active()))
    return to_response({"adapters": records, "active": active.version if active else None})


@router.get("/active", response_model=schemas.Active)
async def active(caller: Reader) -> Response:
    """The version that answers; null while the bare base does."""
    record = await caller.run("adapters", "read", caller.memory.adapters.active)
    return to_response({"active": record.version if record else None})


@router.put("/active", response_model=schemas.Active)
async def promote(body: schemas.Promote, caller: Writer) -> Response:
    """Let a version answer from now on; 409 for one that its gate rejected, or whose files are damaged."""
    registry = caller.memory.adapters
    record = await caller.run("promote", "write", lambda: registry.promote(body.version, force=body.force))
    return to_response({"active": record.version if record else None})


@router.post("/active/rollback", response_model=schemas.Active)
async def rollback(caller: Writer) -> Response:
    """Let the version answer that did before; 404 where there was none."""
    record = await caller.run("rollback", "write", caller.memory.adapters.rollback)
    return to_response({"active": record.version if record else None})


@router.get("/diff", response_model=schemas.Difference)
async def diff(
    before: Annotated[str, Query(min_length=1, max_length=200)],
    after: Annotated[str, Query(min_length=1, max_length=200)],
    caller: Reader,
) -> Response:
    """The facts and scores that change from one version to another."""
    return to_response(await caller.run("adapters", "read", lambda: caller.memory.adapters.diff(before, after)))


@router.get("/{version}", response_model=schemas.Adapter)
async def show(version: Annotated[str, InPath(min_length=1, max_length=200)], caller: Reader) -> Response:
    """One version: its parent, its base, the facts that it holds and its gate's scores."""
    return to_response(await caller.run("adapters", "read", lambda: caller.memory.adapters.get(version)))
