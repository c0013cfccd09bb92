"""The application: its pages by address, and the page for errors."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from hybridmem.core.errors import HybridMemError
from hybridmem.inspector import (
    adapters,
    ask,
    changes,
    dreams,
    graph,
    overview,
    record,
    review,
    search,
    skills,
    timeline,
)
from hybridmem.inspector.access import Access
from hybridmem.inspector.site import STATIC, Site, Visit, status_of
from hybridmem.memory import HybridMemory


def application(memory: HybridMemory, *, token: str, edit: bool = False) -> Starlette:
    """The inspector of `memory` for holders of `token`; without `edit`, nothing can be changed."""
    site = Site(memory, token, edit)

    def show_problem(request: Request, error: Exception) -> Response:
        # A form's namespace is not known here: the frame shows the memory that was opened.
        visit = Visit(site, request, "/".join(memory.namespace))
        if isinstance(error, HybridMemError):
            return visit.problem(status_of(error), str(error))
        if isinstance(error, HTTPException):
            return visit.problem(error.status_code, "There is no such page: the navigation names those there are.")
        return visit.problem(500, "This page failed. The terminal that runs the inspector shows why.")

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        # The caller closes the memory next.
        await run_in_threadpool(site.readings.end)

    return Starlette(
        lifespan=lifespan,
        routes=[
            site.shows("/", overview.page),
            site.shows("/namespaces", overview.namespaces),
            site.shows("/search", search.page),
            site.shows("/ask", ask.page),
            site.shows("/timeline", timeline.page),
            site.shows("/graph", graph.page),
            site.shows("/skills", skills.page),
            site.shows("/skills/delete", skills.asked_to_delete),
            site.changes("/skills/delete", skills.delete),
            site.shows("/review", review.page),
            site.changes("/review/read", review.read),
            site.changes("/review/accept", review.accept, most_fields=review.MOST_FIELDS),
            site.shows("/dreams", dreams.page),
            site.shows("/dream", dreams.night),
            site.shows("/adapters", adapters.page),
            site.shows("/adapter", adapters.version),
            site.shows("/adapters/diff", adapters.diff),
            site.changes("/adapters/promote", adapters.promote),
            site.changes("/adapters/rollback", adapters.rollback),
            site.shows("/memory", record.page),
            site.shows("/memory/delete", changes.asked_to_delete),
            site.changes("/memory/update", changes.update),
            site.changes("/memory/delete", changes.delete),
            site.changes("/memory/quarantine", changes.quarantine),
            site.changes("/memory/release", changes.release),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[Middleware(Access, token=token, edit=edit)],
        exception_handlers={HybridMemError: show_problem, HTTPException: show_problem, Exception: show_problem},
    )
