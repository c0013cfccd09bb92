"""What stands before every endpoint: the host's name, the token, the number and the size of requests, and time."""

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
"""What needs no token: the description of the API, and whether anybody is there."""
HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"),
]
DRAIN_SECONDS = 2.0
"""How long what was too large is still read, so that its sender comes to read why it was refused."""


class Gate:
    """ASGI middleware. An application behind it sees only requests whose token is known, in ``scope["grant"]``, and
    whose body has arrived whole."""

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
        """The grant of the request, None where none is needed. Raises `Refusal`."""
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
        """The whole body. Raises `Refusal` for one of more than `most` bytes, or one that is slow or never ends."""
        too_large = Refusal(413, f"the body has more than {most:,} bytes: send it in several requests")
        announced = Headers(scope=scope).get("content-length", "0")
        if announced.isdecimal() and int(announced) > most:
            raise too_large
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._limits.body_seconds):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise Refusal(400, "the client left before the end of its request")
                    parts.append(message.get("body", b""))
                    size += len(parts[-1])
                    if size > most:
                        raise too_large
                    if not message.get("more_body", False):
                        return b"".join(parts)
        except TimeoutError:
            raise Refusal(408, "the body did not arrive in time: send it at once") from None

    async def _refuse_body(self, refused: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer at once, and read on for a while: a client that still writes would not see the answer."""
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
    """The body that was read, then what the client does next."""
    told = False

    async def replay() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _host(header: str) -> str:
    """The name in a Host header, without its port.

    >>> _host("127.0.0.1:8377"), _host("[::1]:8377"), _host("LocalHost")
    ('127.0.0.1', '[::1]', 'localhost')
    """
    name = header.strip().lower()
    return name[: name.find("]") + 1] if name.startswith("[") else name.partition(":")[0]
