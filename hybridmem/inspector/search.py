"""Search, with each searcher's contribution to each hit. A search here does not count as a use of a memory."""

from __future__ import annotations

import time
from typing import cast, get_args

from starlette.responses import Response

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import Kind
from hybridmem.inspector.charts import Why, whys
from hybridmem.inspector.site import Visit

LIMITS = (10, 25, 50)


def page(visit: Visit) -> Response:
    query, kind, as_of = visit.asked("q"), visit.asked("kind"), visit.asked("as_of")
    limit = visit.number("limit", LIMITS[0], least=1, most=200)
    if kind and kind not in get_args(Kind):
        raise InvalidInput(f"there is no kind {kind!r}: choose episode or fact")
    found: tuple[Why, ...] = ()
    started = time.perf_counter()
    if query:
        memory = visit.memory
        memory.catch_up()
        hits = memory.retrieval.search(
            memory.namespace,
            query,
            limit=limit,
            as_of=as_of or None,
            kinds=(cast(Kind, kind),) if kind else get_args(Kind),
            reference_date=as_of or memory.clock(),
        )
        found = whys(hits)
    return visit.page(
        "search",
        title=f"{query} · Search" if query else "Search",
        here="search",
        q=query,
        kind=kind,
        as_of=as_of,
        limit=limit,
        limits=LIMITS,
        found=found,
        took=time.perf_counter() - started,
    )
