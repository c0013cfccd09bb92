"""A memory over the Model Context Protocol: its tools, its resources, stdio and streamable HTTP.

Needs the extra ``mcp``. One server serves one namespace, and nothing that a client sends can name another.
"""

from __future__ import annotations

from hybridmem.core.errors import MissingExtra

try:
    import mcp  # noqa: F401
except ModuleNotFoundError as error:
    if error.name != "mcp":
        raise
    raise MissingExtra("the MCP server needs the MCP SDK: pip install 'hybridmem[mcp]'") from None
