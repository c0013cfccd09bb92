"""The caller of an endpoint: its grant and its memory."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from urllib.parse import unquote

from fastapi import Depends, Header, Request
from starlette.responses import Response

from hybridmem.core.errors import InvalidNamespace
from hybridmem.core.namespace import Namespace, checked_namespace
from hybridmem.core.records import to_json
from hybridmem.memory import HybridMemory
from hybridmem.server.metrics import Figures
from hybridmem.server.problems import Refusal
from hybridmem.server.tokens import Grant
from hybridmem.server.workers import Lane, Workers

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Caller:
    """One request's grant, with the memory of its namespace."""

    memory: HybridMemory
    grant: Grant
    workers: Workers
    figures: Figures

    @property
    def namespace(self) -> Namespace:
        return self.memory.namespace

    async def run(self, operation: str, lane: Lane, call: Callable[[], T]) -> T:
        """Run `call` in a thread of `lane`, and record its time, waiting included, under `operation`."""
        started = time.perf_counter()
        result = await self.workers.run(lane, call)
        self.figures.took(operation, time.perf_counter() - started)
        return result


def known_parameters(request: Request) -> None:
    """Refuses a query parameter that the endpoint does not have: `lmit=3` would be a limit that nobody keeps."""
    if not request.query_params:
        return
    described = request.app.openapi()["paths"].get(request.scope["route"].path_format, {})
    parameters = described.get(request.method.lower(), {}).get("parameters", ())
    known = sorted(each["name"] for each in parameters if each["in"] == "query")
    unknown = next((name for name in request.query_params if name not in known), None)
    if unknown is not None:
        takes = f"it takes {', '.join(known)}" if known else "it takes none"
        raise Refusal(422, f"there is no parameter {unknown[:80]!r} here: {takes}", kind="invalid-request")


NamespaceHeader = Annotated[
    str | None,
    Header(
        alias="X-Hybridmem-Namespace",
        description="The namespace, as in users/ana, percent-encoded where it is not ASCII; one that the token covers. "
        "Without it, the token's own.",
    ),
]


async def reader(request: Request, namespace: NamespaceHeader = None) -> Caller:
    """The caller with any known token, in a namespace that it covers. Raises `Refusal`."""
    # A coroutine although it awaits nothing: FastAPI would run a plain function in a thread.
    grant: Grant = request.scope["grant"]
    chosen = _chosen(grant, namespace)
    state = request.app.state
    return Caller(state.memory.at(chosen), grant, state.workers, state.figures)


async def writer(request: Request, namespace: NamespaceHeader = None) -> Caller:
    """The caller with a token that may write. Raises `Refusal`."""
    caller = await reader(request, namespace)
    if caller.grant.read_only:
        raise Refusal(403, "this token may read and not write: use another", kind="read-only-token")
    return caller


Reader = Annotated[Caller, Depends(reader)]
Writer = Annotated[Caller, Depends(writer)]


def to_response(record: Any, status: int = 200) -> Response:
    """A JSON response with a record or a structure of records."""
    plain = to_json(record)
    try:
        body = json.dumps(plain, allow_nan=False)
    except ValueError:
        body = json.dumps(_finite(plain))
    return Response(body, status, media_type="application/json")


def _finite(value: Any) -> Any:
    """`value` with null for numbers that JSON lacks: the figures of a diverged training may be infinite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    return [_finite(each) for each in value] if isinstance(value, list) else value


def _chosen(grant: Grant, named: str | None) -> Namespace:
    if not grant.namespaces:
        raise Refusal(403, "this token opens no namespace", kind="forbidden-namespace")
    if named is None:
        return grant.namespaces[0]
    try:
        namespace = checked_namespace(unquote(named))
    except InvalidNamespace as error:
        raise Refusal(403, str(error), kind="forbidden-namespace") from None
    if not grant.covers(namespace):
        own = ", ".join("/".join(each) for each in grant.namespaces)
        raise Refusal(403, f"this token does not open that namespace: it opens {own}", kind="forbidden-namespace")
    return namespace
