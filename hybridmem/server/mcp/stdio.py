"""The server over standard input and output, for a client that starts it itself."""

from __future__ import annotations

from hybridmem.memory import HybridMemory
from hybridmem.server.mcp.application import application


def serve(memory: HybridMemory) -> None:
    """Serve until the client closes standard input or ends. Standard output carries only the protocol."""
    try:
        application(memory).run("stdio")
    except* BrokenPipeError:
        # The client has ended. What it asked for is stored, and no one reads the answer.
        pass
