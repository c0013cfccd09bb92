"""Runs the inspector on the loopback interface until it is interrupted."""

from __future__ import annotations

import contextlib
import errno
import socket
import threading
from collections.abc import Callable

import uvicorn

from hybridmem.core.errors import HybridMemError, InvalidInput
from hybridmem.inspector.app import application
from hybridmem.memory import HybridMemory

HOST = "127.0.0.1"
GRACE_SECONDS = 3
"""Time for pages in progress when the inspector ends."""


def serve(memory: HybridMemory, *, port: int, token: str, edit: bool, ready: Callable[[str], None]) -> None:
    """Serve at `port` (0 picks a free one). `ready` is called with the address and its token once the port is open.

    Raises `InvalidInput` for a port that is taken."""
    with _listening(port) as listener:
        # No access log: addresses hold the search queries.
        config = uvicorn.Config(
            application(memory, token=token, edit=edit),
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
        )
        warming = threading.Thread(target=warm, args=(memory,), daemon=True)
        warming.start()
        address = f"http://{HOST}:{listener.getsockname()[1]}/?token={token}"
        with contextlib.suppress(KeyboardInterrupt):
            _Server(config, lambda: ready(address)).run(sockets=[listener])
        # The caller closes the memory next, and an index must not be closed while it is loading.
        warming.join()


class _Server(uvicorn.Server):
    """Calls `ready` once it handles Ctrl-C itself: before that, Python may lose the signal."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._ready()


def warm(memory: HybridMemory) -> None:
    """Load the indexes and their embedding model, so that the first search need not wait for them."""
    try:
        memory.catch_up()
        memory.retrieval.search(memory.namespace, "first search", limit=1)
        memory.indexes.graph.neighbourhood(memory.namespace, None, 1)
        memory.profile()
    except HybridMemError:
        return  # The page that needs them gets the same error and shows it.


def _listening(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        if error.errno in (errno.EADDRINUSE, errno.EACCES):
            raise InvalidInput(f"port {port} is taken or not allowed: pass --port 0 for one that is free") from None
        raise
    return listener
