"""The guide names every tool with its arguments, and starts the command as it is."""

from __future__ import annotations

import json
import re
from pathlib import Path

from hybridmem import HybridMemory
from hybridmem.cli.app import root_command
from hybridmem.cli.mcp import PORT
from hybridmem.server.mcp.application import application

GUIDE = (Path(__file__).parents[3] / "docs" / "mcp.md").read_text(encoding="utf-8")


async def _tools(memory: HybridMemory) -> dict[str, list[str]]:
    return {tool.name: list(tool.input_schema["properties"]) for tool in await application(memory).list_tools()}


def test_the_table_has_every_tool(tmp_path: Path) -> None:
    import asyncio

    with HybridMemory.open(tmp_path / "m", embedder="hashing") as memory:
        tools = asyncio.run(_tools(memory))
    told = dict(re.findall(r"^\| `(\w+)\((.*?)\)` \|", GUIDE, flags=re.MULTILINE))
    assert {name: arguments.split(", ") if arguments else [] for name, arguments in told.items()} == tools


def test_its_commands_are_commands() -> None:
    (entry,) = re.findall(r"```json\n(.*?)```", GUIDE, flags=re.DOTALL)
    server = json.loads(entry)["mcpServers"]["memory"]
    (line,) = re.findall(r"^hybridmem (mcp .*)$", GUIDE, flags=re.MULTILINE)
    known = {option for parameter in root_command().commands["mcp"].params for option in parameter.opts}
    for arguments in (server["args"], line.split()):
        assert arguments[0] == "mcp"
        assert {argument for argument in arguments if argument.startswith("--")} <= known
    assert f"--port {PORT} " in line
    assert f"http://127.0.0.1:{PORT}/mcp" in GUIDE
