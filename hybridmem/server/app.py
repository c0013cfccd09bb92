"""The ASGI application: its endpoints, and the response to every error."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import Depends, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Match, Route

from hybridmem.core.errors import HybridMemError
from hybridmem.core.version import VERSION
from hybridmem.memory import HybridMemory
from hybridmem.server import adapters, chat, dreams, embeddings, memories, metrics, problems, recall, skills, standing
from hybridmem.server.caller import known_parameters
from hybridmem.server.cors import cors
from hybridmem.server.gc_tuning import short_collections
from hybridmem.server.limits import Limits
from hybridmem.server.middleware import RequestGuard
from hybridmem.server.page import page
from hybridmem.server.problems import Refusal
from hybridmem.server.schema import document
from hybridmem.server.tokens import Tokens
from hybridmem.server.upstream import Upstream
from hybridmem.server.workers import Workers

log = logging.getLogger("hybridmem.server")
ROUTERS = tuple(
    module.router for module in (memories, recall, standing, skills, adapters, dreams, chat, embeddings, metrics)
)
DESCRIPTION = (
    "An agent's memory over HTTP. Every request carries a bearer token, which is bound to namespaces; the header "
    "X-Hybridmem-Namespace chooses among them. Errors are RFC 9457 problem details, and OpenAI's error object under "
    "/v1/chat, /v1/embeddings and /v1/models."
)


def build(
    memory: HybridMemory,
    tokens: Tokens,
    *,
    jobs: dreams.Jobs,
    upstream: Upstream | None = None,
    limits: Limits | None = None,
    hosts: Collection[str] | None = None,
    origins: Sequence[str] = (),
) -> FastAPI:
    """The application for `memory`, which the caller closes.

    `hosts` are the allowed names in the Host header; None allows any. `origins` are the web pages whose scripts may
    send requests, as ``https://chat.example``; none by default."""
    bounds = limits or Limits()
    memory.workspace.resources.answer_together()
    figures = metrics.Figures()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        app.state.workers = workers = Workers(bounds, memory)
        workers.start()
        with short_collections():
            yield
        await workers.stop()
        if upstream is not None:
            await upstream.close()

    app = FastAPI(
        title="hybridmem",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        # No telemetry leaves the process, whatever collector it has: the figures are at /metrics.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.memory = memory
    app.state.figures = figures
    app.state.upstream = upstream
    app.state.jobs = jobs
    for router in ROUTERS:
        # OpenAI's clients may send parameters of OpenAI's own.
        own = router not in (chat.router, embeddings.router)
        app.include_router(router, dependencies=[Depends(known_parameters)] if own else [])
    _describe(app)
    _handle_errors(app)
    app.openapi = lambda: document(app)  # type: ignore[method-assign]
    app.add_middleware(RequestGuard, tokens=tokens, limits=bounds, hosts=hosts, figures=figures)
    if origins:
        # Outermost: a browser asks first, without a token, whether it may send one.
        app.add_middleware(CORSMiddleware, **cors(origins))
    return app


def _describe(app: FastAPI) -> None:
    """Add the endpoints that need no token."""

    @app.get("/healthz", tags=["operations"], response_model=dict[str, str])
    async def health() -> Response:
        """Whether the server is there."""
        return JSONResponse({"status": "ok", "version": VERSION})

    @app.get("/openapi.json", include_in_schema=False)
    async def schema() -> Response:
        return JSONResponse(app.openapi())

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return HTMLResponse(page(app.openapi()))


def _handle_errors(app: FastAPI) -> None:
    @app.exception_handler(Refusal)
    async def refused(request: Request, error: Refusal) -> Response:
        return problems.respond(error, request.url.path)

    @app.exception_handler(HybridMemError)
    async def expected(request: Request, error: HybridMemError) -> Response:
        refusal = problems.refusal(error)
        if refusal.status >= 500:
            log.error("%s: %s", type(error).__name__, error)
        return problems.respond(refusal, request.url.path)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return problems.respond(problems.invalid(error), request.url.path)

    @app.exception_handler(RecursionError)
    async def too_deep(request: Request, error: RecursionError) -> Response:
        return problems.respond(Refusal(422, "the JSON is nested too deeply: flatten it"), request.url.path)

    @app.exception_handler(HTTPException)
    async def plain(request: Request, error: HTTPException) -> Response:
        headers = dict(error.headers or {})
        if error.status_code == 405:
            headers["Allow"] = ", ".join(sorted(_methods(app, request.scope)))
        path = request.url.path
        detail = _DETAILS.get(error.status_code, error.detail)
        if error.status_code == 404 and path.startswith(problems.UNSERVED_OPENAI_PATHS):
            detail = f"this server has no {path[:100]}: use /v1/chat/completions, /v1/embeddings or /v1/models"
        return problems.respond(Refusal(error.status_code, detail, headers=headers), path)

    @app.exception_handler(Exception)
    async def fault(request: Request, error: Exception) -> Response:
        # The server logs the trace; the client only learns that there is one.
        return problems.respond(Refusal(500, "a fault of the server: its log says more"), request.url.path)


_DETAILS = {
    400: "the body cannot be read as JSON in UTF-8",
    404: "there is nothing at this path: /docs lists what there is",
    405: "this path does not take that method: the header Allow names those that it takes",
}


def _methods(app: FastAPI, scope: Any) -> set[str]:
    """The methods that the path of `scope` accepts."""
    return {
        method
        for route in (*app.routes, *(route for router in ROUTERS for route in router.routes))
        if isinstance(route, Route) and route.matches(scope)[0] is not Match.NONE
        for method in route.methods or ()
    }
