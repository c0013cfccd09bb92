"""What a client may pass to a tool."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from mcp.server.mcpserver.exceptions import ToolError

from hybridmem import HybridMemory
from hybridmem.core.records import Episode
from hybridmem.server.mcp.application import MemoryServer
from tests.server.mcp.calls import call


def test_arguments_that_a_tool_does_not_have_are_refused_by_name(server: MemoryServer, memory: HybridMemory) -> None:
    for tool in asyncio.run(server.list_tools()):
        assert tool.input_schema["additionalProperties"] is False
        with pytest.raises(ToolError, match=f"^{tool.name}: there is no argument 'colour': it takes "):
            call(server, tool.name, colour="red")
    with pytest.raises(ToolError, match="no argument 'tag': it takes text, session"):
        call(server, "remember", text="I row.", tag="sport")
    assert memory.list() == []


def test_tags_metadata_expiry_and_filters(server: MemoryServer, memory: HybridMemory) -> None:
    call(server, "remember", text="I row.", tags=["sport"], metadata={"stars": 4}, session="s1")
    call(server, "remember", text="I rowed once.", tags=["sport"], expires_at="2020-01-01")

    def recalled(**arguments: Any) -> list[str]:
        found = call(server, "recall", query="Who rows?", **arguments).structured_content["memories"]
        return [each["text"] for each in found]

    assert recalled(filters={"tags": "sport", "metadata.stars": {"gte": 4}}) == ["I row."]
    assert recalled(session="s1", since="2020-01-01") == ["I row."]
    assert recalled(until="2020-01-01") == recalled(min_score=1) == []
    with pytest.raises(ToolError, match="no field 'tag': did you mean 'tags'"):
        recalled(filters={"tag": "sport"})
    with pytest.raises(ToolError, match="'soon' is not a date"):
        call(server, "remember", text="x", expires_at="soon")


def test_names_without_a_letter_name_nobody(server: MemoryServer, memory: HybridMemory) -> None:
    call(server, "remember", text="I row.", session=" ", speaker="\t")
    (kept,) = memory.list(kind="episode")
    assert isinstance(kept, Episode) and kept.session is None and kept.speaker is None
    recalled = call(server, "recall", query="Who rows?", filters={"role": "AI"})
    assert recalled.content[0].text.endswith(f"- [{kept.id}] I row.")
