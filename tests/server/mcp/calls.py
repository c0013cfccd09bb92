"""Calls of tools, without a transport."""

from __future__ import annotations

import asyncio
from typing import Any

from hybridmem.server.mcp.application import MemoryServer


def call(server: MemoryServer, tool: str, **arguments: Any) -> Any:
    return asyncio.run(server.call_tool(tool, arguments))
