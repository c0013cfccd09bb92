"""The server over streamable HTTP: on loopback only, with a bearer token on every request."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence

from mcp.server.transport_security import TransportSecuritySettings
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from hybridmem.core.errors import InvalidInput
from hybridmem.memory import HybridMemory
from hybridmem.server import uvicorn_server
from hybridmem.server.cors import ANY, cors
from hybridmem.server.limits import Limits
from hybridmem.server.mcp.application import application
from hybridmem.server.tokens import Tokens

HOST = "127.0.0.1"
PATH = "/mcp"
LOCAL = TransportSecuritySettings(
    enable_dns_rebinding_protection=True,
    allowed_hosts=["127.0.0.1:*", "localhost:*"],
    allowed_origins=["http://127.0.0.1:*", "http://localhost:*"],
)
"""The Host and Origin checks refuse a web page whose own name points at this machine."""


class RequireToken:
    """Refuses requests without one of the tokens for the served memory."""

    def __init__(self, app: ASGIApp, tokens: Tokens) -> None:
        self._app = app
        self._tokens = tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            scheme, _, token = Headers(scope=scope).get("authorization", "").partition(" ")
            if scheme.lower() != "bearer" or self._tokens.grant(token.strip()) is None:
                refusal = PlainTextResponse(
                    "no token, or an unknown one: send the header Authorization: Bearer TOKEN",
                    status_code=401,
                    headers={"WWW-Authenticate": "Bearer"},
                )
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


def serve(
    memory: HybridMemory,
    *,
    port: int,
    token: str,
    ready: Callable[[str], None],
    origins: Sequence[str] = (),
) -> None:
    """Serve until interrupted. `ready` is called with the address once it is open. Port 0 picks a free one. `origins`
    are the web pages whose scripts may connect, beside those of this machine.

    Raises `InvalidInput` for a port that is taken, a token that is too short, and for what is no origin."""
    tokens = Tokens.of(token, memory.namespace)
    limits = Limits()
    if ANY in origins:
        raise InvalidInput("* would let every web page connect: name each page's origin, as http://localhost:6274")
    shared = cors(origins)
    security = LOCAL.model_copy(update={"allowed_origins": [*LOCAL.allowed_origins, *shared["allow_origins"]]})
    app = application(memory).streamable_http_app(
        streamable_http_path=PATH, host=HOST, transport_security=security, max_request_body_size=limits.body_bytes
    )
    guarded: ASGIApp = RequireToken(app, tokens)
    if origins:
        guarded = CORSMiddleware(guarded, **shared)
    with uvicorn_server.bind(HOST, port) as listener:
        uvicorn_server.serve(guarded, listener, limits, lambda: ready(_address(listener)))


def _address(listener: socket.socket) -> str:
    return f"http://{HOST}:{listener.getsockname()[1]}{PATH}"
