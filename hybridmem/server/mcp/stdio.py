"""The server over standard input and output, for a client that starts it itself."""

from __future__ import annotations

from hybridmem.memory import HybridMemory
from hybridmem.server.mcp.application import application


def serve(memory: HybridMemory) -> None:
    """Serve until the client closes standard input or goes away. Only protocol is written to standard output."""
    try:
        application(memory).run("stdio")
    except* BrokenPipeError:
        # The client is gone: what it asked for is stored, and nobody reads the answer.
        pass
