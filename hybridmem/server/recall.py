"""Searches, answers and counts over HTTP."""

from __future__ import annotations

from typing import get_args

from fastapi import APIRouter
from starlette.responses import Response

from hybridmem.core.records import Kind
from hybridmem.server import schemas
from hybridmem.server.caller import Reader, to_response

router = APIRouter(prefix="/v1", tags=["recall"])


@router.post("/search", response_model=schemas.Hits)
async def search(body: schemas.Search, caller: Reader) -> Response:
    """The memories nearest to a query, best first, with why each is there."""
    kinds: tuple[Kind, ...] = tuple(body.kinds or get_args(Kind))
    hits = await caller.run(
        "search",
        "search",
        lambda: caller.memory.search(
            body.query,
            limit=body.limit,
            as_of=body.as_of,
            token_budget=body.token_budget,
            kinds=kinds,
            filters=body.filters,
            min_score=body.min_score,
            since=body.since,
            until=body.until,
            session=body.session,
            role=body.role,
            trust=body.trust,
            half_life_days=body.half_life_days,
            reference_date=body.reference_date,
        ),
    )
    return to_response({"hits": hits})


@router.post("/answer", response_model=schemas.Answer)
async def answer(body: schemas.Ask, caller: Reader) -> Response:
    """Answer from the weights, from retrieval, from both, or not at all."""
    answered = await caller.run(
        "answer",
        "answer",
        lambda: caller.memory.answer(body.question, route=body.route, reference_date=body.reference_date),
    )
    caller.figures.routed(answered.route)
    return to_response(answered)


@router.get("/stats", response_model=schemas.Stats)
async def stats(caller: Reader) -> Response:
    """Counts of what the ledger holds, and the active adapter."""
    return to_response(await caller.run("stats", "read", caller.memory.stats))
