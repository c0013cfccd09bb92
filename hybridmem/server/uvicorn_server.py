"""A server on a socket: which hosts may reach it, and time limits for connections that send or read nothing."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import signal
import socket
import sys
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import h11
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from hybridmem.core.errors import InvalidInput
from hybridmem.server.limits import Limits

if TYPE_CHECKING:
    from starlette.types import ASGIApp

KEEP_ALIVE_SECONDS = 60
"""Longer than clients keep idle connections, so that no client writes to a connection that the server just closed."""
SWITCH_SECONDS = 0.0001
"""The interpreter's switch interval, in place of 5 ms: a search asks for the interpreter dozens of times between its
index look-ups."""
STOP_SECONDS = 10
"""Time for running requests to end once the server is stopped."""
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine alone.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def allowed_hosts(host: str) -> frozenset[str] | None:
    """The allowed names in a Host header; None for any. On loopback, only this machine's names are allowed, so that no
    web page reaches the server by its own name (DNS rebinding)."""
    if not is_loopback(host):
        return None
    return LOOPBACK_NAMES | {f"[{host}]" if ":" in host else host.lower()}


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 picks a free one. Raises `InvalidInput` for an address that is not available."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Naming the protocol makes asyncio switch off Nagle's algorithm. A response is two writes, and the second would
    # wait 40 ms for the client to acknowledge the first.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise InvalidInput(
            f"the server cannot listen on {host}:{port} ({error.strerror}): name another --host or --port"
        ) from None
    return listener


def serve(app: ASGIApp, listener: socket.socket, limits: Limits, ready: Callable[[], None]) -> None:
    """Answer on `listener` until Ctrl-C or SIGTERM; `ready` is called when the first request may come."""

    class LimitedProtocol(TimeoutProtocol):
        bounds = limits

    config = uvicorn.Config(
        app,
        http=LimitedProtocol,
        ws="none",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=STOP_SECONDS,
        h11_max_incomplete_event_size=32 * 1024,
    )
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        asyncio.run(_Server(config, ready).serve(sockets=[listener]))
    finally:
        sys.setswitchinterval(before)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.started:
            self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None]:
        """Stop on a signal and return normally; uvicorn would raise the signal again."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class TimeoutProtocol(H11Protocol):
    """uvicorn's protocol with time limits: by itself it waits without end for headers and for readers."""

    bounds = Limits()

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._timers: dict[str, asyncio.TimerHandle] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait("head", self.bounds.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        for name in list(self._timers):
            self._stop_waiting(name)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.conn.their_state is h11.IDLE and "head" not in self._timers:
            self._wait("head", self.bounds.head_seconds)
        super().data_received(data)

    def handle_events(self) -> None:
        super().handle_events()
        if self.conn.their_state is not h11.IDLE:
            self._stop_waiting("head")

    def pause_writing(self) -> None:
        super().pause_writing()
        self._wait("reader", self.bounds.stall_seconds)

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_waiting("reader")

    def send_400_response(self, msg: str) -> None:
        """Answer malformed HTTP with problem details, too."""
        problem = {"type": "/docs#bad-request", "title": "bad request", "status": 400, "detail": "this is not HTTP/1.1"}
        headers = [(b"content-type", b"application/problem+json"), (b"connection", b"close")]
        for event in (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=json.dumps(problem).encode()),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event))
        self.transport.close()

    def _wait(self, name: str, seconds: float) -> None:
        self._stop_waiting(name)
        self._timers[name] = self.loop.call_later(seconds, self._give_up)

    def _stop_waiting(self, name: str) -> None:
        if (timer := self._timers.pop(name, None)) is not None:
            timer.cancel()

    def _give_up(self) -> None:
        # Not `close`: that would wait until the client has read everything.
        self.transport.abort()
