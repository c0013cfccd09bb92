"""The checks before every endpoint: host name, token, number and size of requests, and time limits."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hybridmem.server.limits import Limits
from hybridmem.server.metrics import Figures
from hybridmem.server.problems import Refusal, respond
from hybridmem.server.tokens import Grant, Tokens

OPEN_PATHS = frozenset({"/healthz", "/docs", "/openapi.json"})
"""Paths without a token: the description of the API and the health check."""
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
]
DRAIN_SECONDS = 2.0
"""Seconds for which a body that is too large is still read, so that its sender gets to read the refusal."""


class RequestGuard:
    """ASGI middleware. The application behind it sees only requests with a known token (``scope["grant"]``) and a
    complete body."""

    def __init__(
        self, app: ASGIApp, tokens: Tokens, limits: Limits, hosts: Collection[str] | None, figures: Figures
    ) -> None:
        self._app = app
        self._tokens = tokens
        self._limits = limits
        self._hosts = hosts
        self._figures = figures
        self._in_flight: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, status = time.perf_counter(), 499
        deadline: asyncio.Timeout | None = None

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"], *HEADERS]}
                if deadline is not None and not deadline.expired():
                    deadline.reschedule(None)
            await send(message)

        try:
            grant = self._admit(scope)
        except Refusal as refused:
            await respond(refused, scope["path"])(scope, receive, answer)
            self._figures.served(scope, status, time.perf_counter() - started)
            return
        bearer = grant.sha256 if grant else ""
        self._in_flight[bearer] += 1
        try:
            body = await self._body(scope, receive, self._limits.body_bytes if grant else 0)
            scope["grant"] = grant
            async with asyncio.timeout(self._limits.request_seconds) as deadline:
                await self._app(scope, _replayed(body, receive), answer)
        except TimeoutError:
            late = Refusal(503, "this took too long: ask for less at a time, or try again later", kind="timeout")
            if status == 499:
                await respond(late, scope["path"])(scope, receive, answer)
        except Refusal as refused:
            await self._refuse_body(refused, scope, receive, answer)
        finally:
            self._in_flight[bearer] -= 1
            if not self._in_flight[bearer]:
                del self._in_flight[bearer]
            self._figures.served(scope, status, time.perf_counter() - started)

    def _admit(self, scope: Scope) -> Grant | None:
        """The request's grant; None for paths that need none. Raises `Refusal`."""
        headers = Headers(scope=scope)
        if self._hosts is not None and _host(headers.get("host", "")) not in self._hosts:
            raise Refusal(421, "this server answers to the name of this machine alone: use its address")
        if self._in_flight.total() >= self._limits.in_flight:
            raise Refusal(503, "the server has its hands full: try again", kind="overloaded")
        if scope["path"] in OPEN_PATHS:
            return None
        scheme, _, token = headers.get("authorization", "").partition(" ")
        grant = self._tokens.grant(token.strip()) if scheme.lower() == "bearer" else None
        if grant is None:
            raise Refusal(
                401,
                "no token, or an unknown one: send the header Authorization: Bearer TOKEN",
                headers={"WWW-Authenticate": "Bearer"},
            )
        if self._in_flight[grant.sha256] >= self._limits.in_flight_per_token:
            raise Refusal(429, "this token has too many requests open: wait for some of them to end")
        return grant

    async def _body(self, scope: Scope, receive: Receive, most: int) -> bytes:
        """The whole body. Raises `Refusal` if it has more than `most` bytes, is slow or never ends."""
        too_large = Refusal(413, f"the body has more than {most:,} bytes: send it in several requests")
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced) > most:
            raise too_large
        chunks: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Refusal(400, "the client left before the end of its request")
                    chunks.append(message.get("body", b""))
                    size += len(chunks[-1])
                    if size > most:
                        raise too_large
                    if not message.get("more_body", False):
                        return b"".join(chunks)
        except TimeoutError:
            raise Refusal(408, "the body did not arrive in time: send it at once") from None

    async def _refuse_body(self, refused: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer at once, then read on for a while: a client that is still writing would not see the answer."""
        refused.headers["Connection"] = "close"
        response = respond(refused, scope["path"])
        await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
        await send({"type": "http.response.body", "body": bytes(response.body), "more_body": True})
        if refused.status == 413:
            try:
                async with asyncio.timeout(DRAIN_SECONDS):
                    while (message := await receive())["type"] == "http.request" and message.get("more_body"):
                        pass
            except TimeoutError:
                pass
        await send({"type": "http.response.body", "body": b""})


def _replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that yields the body already read, then the client's next messages."""
    replayed = False

    async def replay() -> Message:
        nonlocal replayed
        if replayed:
            return await receive()
        replayed = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _host(header: str) -> str:
    """The name in a Host header, without its port.

    >>> _host("127.0.0.1:8377"), _host("[::1]:8377"), _host("LocalHost")
    ('127.0.0.1', '[::1]', 'localhost')
    """
    name = header.strip().lower()
    return name[: name.find("]") + 1] if name.startswith("[") else name.partition(":")[0]
