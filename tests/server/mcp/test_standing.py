"""The tools and resources on what stands: the profile, blocks, reflections."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from mcp.server.mcpserver.exceptions import ResourceError, ToolError

from hybridmem import HybridMemory
from hybridmem.conversation import HEADER
from hybridmem.server.mcp.application import MemoryServer
from tests.server.mcp.calls import call


def test_a_conversation_begins_with_what_is_known(server: MemoryServer, memory: HybridMemory) -> None:
    assert call(server, "profile").content[0].text == "Nothing is known yet."
    fact = memory.add_fact("I", "live in", "Porto")
    memory.blocks.set("persona", "You are\nbrief.", read_only=True)
    told = call(server, "profile")
    assert told.content[0].text == f"{HEADER}\n- persona: You are brief.\n- I live in Porto. [{fact.id}]"
    (line,), (block,) = told.structured_content["lines"], told.structured_content["blocks"]
    assert line == {"text": "I live in Porto.", "about": "user", "facts": [fact.id], "episodes": []}
    assert (block["label"], block["value"], block["read_only"]) == ("persona", "You are\nbrief.", True)
    assert call(server, "profile", budget=0).structured_content["lines"] == []


def test_an_agent_edits_its_blocks(server: MemoryServer, memory: HybridMemory) -> None:
    call(server, "edit_block", label="task", text="Write the guide.")
    call(server, "edit_block", label="task", text="Run the tests.")
    call(server, "edit_block", label="task", text="Read", how="replace", old="Write")
    assert memory.blocks.get("task").value == "Read the guide.\nRun the tests."
    call(server, "edit_block", label="task", text="Done.", how="set")
    assert memory.blocks.get("task").value == "Done."
    assert {event.by for event in memory.blocks.history("task")} == {"agent"}
    memory.blocks.set("persona", "You are brief.", read_only=True)
    for arguments, says in (
        ({"label": "persona", "text": "Be loud."}, "read-only: ask the user"),
        ({"label": "task", "text": "x", "how": "replace"}, "old goes with how=replace"),
        ({"label": "task", "text": "x", "how": "set", "old": "y"}, "old goes with how=replace"),
        ({"label": "task", "text": "x", "how": "replace", "old": "nothing"}, "is not in the block"),
        ({"label": "none", "text": "x", "how": "replace", "old": "y"}, "profile returns the labels"),
        ({"label": "task", "text": "x" * 3000}, "shorten it"),
        ({"label": "two words", "text": "x"}, "names no block"),
    ):
        with pytest.raises(ToolError, match=says):
            call(server, "edit_block", **arguments)


def test_a_reflection_names_its_memories(server: MemoryServer, memory: HybridMemory) -> None:
    (said,) = memory.add("Ana lives in Lisbon.")
    told = call(server, "reflect", question="Where does Ana live?")
    assert told.content[0].text == f"Lisbon [{said.id}]"
    assert told.structured_content["statements"] == [{"text": "Lisbon", "sources": [said.id]}]
    assert call(server, "reflect", question="Who repairs the oven?").content[0].text == "I don't know."


def test_profile_and_blocks_are_resources(server: MemoryServer, memory: HybridMemory) -> None:
    memory.add_fact("I", "live in", "Porto")
    memory.blocks.set("persona", "You are brief.")

    def read(uri: str) -> Any:
        (content,) = asyncio.run(server.read_resource(uri))
        return json.loads(content.content)

    known = read("memory://profile")
    assert [line["text"] for line in known["lines"]] == ["I live in Porto."]
    assert [block["label"] for block in known["blocks"]] == ["persona"]
    assert read("memory://blocks/persona")["value"] == "You are brief."
    with pytest.raises(ResourceError, match="no block"):
        read("memory://blocks/none")
