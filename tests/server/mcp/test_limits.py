"""What a client gets wrong, and what it is told: arguments by name, tools in place of a shell's commands."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from mcp.server.mcpserver.exceptions import ToolError

from hybridmem.core.errors import InvalidInput
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel
from hybridmem.server.mcp.application import application
from hybridmem.server.mcp.http import serve


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    with HybridMemory.open(tmp_path / "memory", model=FakeModel(), embedder="hashing") as memory:
        yield memory


async def test_an_unknown_argument_is_refused_by_its_name(memory: HybridMemory) -> None:
    server = application(memory)
    with pytest.raises(ToolError, match="remember: there is no argument 'sesion': it takes text, session, at"):
        await server.call_tool("remember", {"text": "Ana lives in Porto.", "sesion": "s1"})
    with pytest.raises(ToolError, match="dream_status: there is no argument 'night': it takes none"):
        await server.call_tool("dream_status", {"night": 1})
    assert memory.list() == []
    await server.call_tool("remember", {"text": "Ana lives in Porto.", "session": "s1"})
    assert len(memory.list()) == 1


async def test_an_error_names_a_tool_and_no_command(memory: HybridMemory) -> None:
    server = application(memory)
    with pytest.raises(ToolError, match="recall returns the ids") as refused:
        await server.call_tool("forget", {"id": "ep_none"})
    assert "hybridmem" not in str(refused.value)


def test_not_every_page_may_connect(memory: HybridMemory) -> None:
    with pytest.raises(InvalidInput, match="name each page's origin"):
        serve(memory, port=0, token="t" * 40, origins=["*"], ready=lambda address: None)
