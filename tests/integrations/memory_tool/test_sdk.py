"""Through the Anthropic SDK's own tool runner, with a model double behind its HTTP transport.

The SDK is imported in the tests: it takes seconds, which every worker would spend."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from typing import Any

import httpx2

from hybridmem import HybridMemory

COMMANDS: list[tuple[dict[str, Any], bool, str]] = [
    ({"command": "view", "path": "/memories"}, False, "0B\t/memories"),
    (
        {"command": "create", "path": "/memories/ana.md", "file_text": "Ana lives in Porto."},
        False,
        "File created successfully at: /memories/ana.md",
    ),
    (
        {"command": "create", "path": "/memories/ana.md", "file_text": "x"},
        True,
        "Error: File /memories/ana.md already exists",
    ),
    (
        {"command": "str_replace", "path": "/memories/ana.md", "old_str": "Porto", "new_str": "Lisbon"},
        False,
        "     1\tAna lives in Lisbon.",
    ),
    (
        {"command": "insert", "path": "/memories/ana.md", "insert_line": 1, "insert_text": "She rows."},
        False,
        "The file /memories/ana.md has been edited.",
    ),
    (
        {"command": "rename", "old_path": "/memories/ana.md", "new_path": "/memories/people/ana.md"},
        False,
        "Successfully renamed /memories/ana.md to /memories/people/ana.md",
    ),
    ({"command": "view", "path": "/memories/people/ana.md"}, False, "     2\tShe rows.\n     3\t"),
    ({"command": "view", "path": "/memories/../../etc/passwd"}, True, "has a step in it"),
    ({"command": "delete", "path": "/memories/people"}, False, "Successfully deleted /memories/people"),
    ({"command": "explode"}, True, "Error: there is no command 'explode'"),
    ({"command": "view"}, True, "Error: the path is not a string"),
    ({}, True, "Error: there is no command 'None'"),
]


class Model:
    """Answers each request with the next command, and keeps what the client sent."""

    def __init__(self) -> None:
        self.requests: list[dict[str, Any]] = []

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(json.loads(request.content))
        number = len(self.requests) - 1
        content: dict[str, Any] = {"type": "text", "text": "Done."}
        if number < len(COMMANDS):
            content = {"type": "tool_use", "id": f"toolu_{number}", "name": "memory", "input": COMMANDS[number][0]}
        return httpx2.Response(
            200,
            json={
                "id": f"msg_{number}",
                "type": "message",
                "role": "assistant",
                "model": "double",
                "content": [content],
                "stop_reason": "tool_use" if number < len(COMMANDS) else "end_turn",
                "stop_sequence": None,
                "usage": {"input_tokens": 1, "output_tokens": 1},
            },
        )

    def check(self) -> None:
        assert len(self.requests) == len(COMMANDS) + 1
        assert self.requests[0]["tools"] == [{"type": "memory_20250818", "name": "memory"}]
        for number, (_, refused, expected) in enumerate(COMMANDS):
            (result,) = self.requests[number + 1]["messages"][-1]["content"]
            assert result["tool_use_id"] == f"toolu_{number}"
            assert bool(result.get("is_error")) is refused
            assert expected in json.dumps(result["content"], ensure_ascii=False).encode().decode("unicode_escape")


def options() -> dict[str, Any]:
    return {
        "model": "double",
        "max_tokens": 100,
        "max_iterations": 30,
        "messages": [{"role": "user", "content": "Remember that Ana lives in Porto."}],
    }


def test_the_tool_runner(memory: HybridMemory) -> None:
    from anthropic import Anthropic
    from anthropic.lib.tools import BetaAbstractMemoryTool

    from hybridmem.integrations.memory_tool.sdk import AnthropicMemoryTool

    model = Model()
    tool = AnthropicMemoryTool(memory)
    assert isinstance(tool, BetaAbstractMemoryTool)
    with Anthropic(api_key="none", http_client=httpx2.Client(transport=httpx2.MockTransport(model))) as client:
        final = client.beta.messages.tool_runner(tools=[tool], **options()).until_done()
    assert final.content[0].text == "Done."  # type: ignore[union-attr]
    model.check()
    assert memory.list() == []


def test_the_asynchronous_tool_runner(memory: HybridMemory) -> None:
    from anthropic import AsyncAnthropic
    from anthropic.lib.tools import BetaAsyncAbstractMemoryTool

    from hybridmem.integrations.memory_tool.sdk import AsyncAnthropicMemoryTool

    model = Model()
    tool = AsyncAnthropicMemoryTool(memory)
    assert isinstance(tool, BetaAsyncAbstractMemoryTool)

    async def live() -> None:
        http = httpx2.AsyncClient(transport=httpx2.MockTransport(model))
        async with AsyncAnthropic(api_key="none", http_client=http) as client:
            await client.beta.messages.tool_runner(tools=[tool], **options()).until_done()
        await tool.call({"command": "create", "path": "/memories/a", "file_text": "x"})
        assert await tool.clear_all_memory() == "All memory cleared"

    asyncio.run(live())
    model.check()
    assert memory.list() == []


def test_commands_by_the_sdks_own_types(memory: HybridMemory) -> None:
    from anthropic.types import beta

    from hybridmem.integrations.memory_tool.sdk import AnthropicMemoryTool

    tool = AnthropicMemoryTool(memory, cache_control={"type": "ephemeral"})
    assert tool.to_dict()["cache_control"] == {"type": "ephemeral"}
    created = tool.execute(
        beta.BetaMemoryTool20250818CreateCommand(command="create", path="/memories/a", file_text="tea")
    )
    assert created == "File created successfully at: /memories/a"
    viewed = tool.execute(beta.BetaMemoryTool20250818ViewCommand(command="view", path="/memories/a"))
    assert str(viewed).endswith("     1\ttea")
    assert tool.clear_all_memory() == "All memory cleared"


def test_without_the_sdk_the_plain_tool_works_and_the_class_names_the_package() -> None:
    program = (
        "import sys; sys.modules['anthropic'] = None\n"
        "import hybridmem.integrations.memory_tool\n"
        "try: import hybridmem.integrations.memory_tool.sdk\n"
        "except ImportError: raise\n"
        "except Exception as error: print(type(error).__name__, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == (
        "MissingExtra the memory tool's classes need the Anthropic SDK: pip install 'anthropic>=2.13,<3'\n"
    )
