"""A server on a socket: who may reach it, and connections that say nothing or take nothing are cut off."""

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
"""An idle connection is kept for longer than clients keep theirs: who closes last never writes to a closed one."""
SWITCH_SECONDS = 0.0001
"""A thread that wants the interpreter gets it within this, rather than the usual 5 ms: a search asks for it dozens of
times, between its looks at the indexes."""
STOP_SECONDS = 10
"""What runs when the server is told to stop has so long to end."""
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
    """What a Host header may name: on loopback, this machine alone, so that no web page reaches the server by a name
    of its own that it points here (DNS rebinding). None for any."""
    if not is_loopback(host):
        return None
    return LOOPBACK_NAMES | {f"[{host}]" if ":" in host else host.lower()}


def bind(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises `InvalidInput` for an address that cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named so that asyncio switches Nagle's algorithm off: a response is two writes, and the second
    # would wait 40 ms for the client to acknowledge the first.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise InvalidInput(f"{host}:{port} cannot be had ({error.strerror}): name another --host or --port") from None
    return listener


def serve(app: ASGIApp, listener: socket.socket, limits: Limits, ready: Callable[[], None]) -> None:
    """Answer on `listener` until Ctrl-C or SIGTERM; `ready` is called when the first request may come."""

    class Patient(TimeoutProtocol):
        bounds = limits

    config = uvicorn.Config(
        app,
        http=Patient,
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
        """Stop for a signal, and end as one who did what he was told: uvicorn would raise it again."""
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


class TimeoutProtocol(H11Protocol):
    """uvicorn's protocol, patient within bounds: it waits without end for headers, and for readers."""

    bounds = Limits()

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._waits: dict[str, asyncio.TimerHandle] = {}

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait("head", self.bounds.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        for name in list(self._waits):
            self._stop_waiting(name)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self.conn.their_state is h11.IDLE and "head" not in self._waits:
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
        """What is no HTTP gets a problem, too."""
        told = {"type": "/docs#bad-request", "title": "bad request", "status": 400, "detail": "this is not HTTP/1.1"}
        headers = [(b"content-type", b"application/problem+json"), (b"connection", b"close")]
        for event in (
            h11.Response(status_code=400, headers=headers, reason=b"Bad Request"),
            h11.Data(data=json.dumps(told).encode()),
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event))
        self.transport.close()

    def _wait(self, name: str, seconds: float) -> None:
        self._stop_waiting(name)
        self._waits[name] = self.loop.call_later(seconds, self._give_up)

    def _stop_waiting(self, name: str) -> None:
        if (timer := self._waits.pop(name, None)) is not None:
            timer.cancel()

    def _give_up(self) -> None:
        # Not `close`, which would wait for the reader of what is still to be written.
        self.transport.abort()
