"""The memory tool as classes for the Anthropic SDK's tool runner. They need the package ``anthropic``.

client.beta.messages.tool_runner(..., tools=[AnthropicMemoryTool(memory)])
"""

from __future__ import annotations

from typing import Any

from hybridmem.core.errors import HybridMemError, MissingExtra
from hybridmem.integrations.memory_tool.commands import MemoryTool, advised
from hybridmem.memory import HybridMemory

try:
    from anthropic.lib.tools import BetaAbstractMemoryTool, BetaAsyncAbstractMemoryTool, ToolError
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "anthropic":
        raise
    raise MissingExtra("the memory tool's classes need the Anthropic SDK: pip install 'anthropic>=2.13,<3'") from None
from anthropic.types import beta
from anyio.to_thread import run_sync


class AnthropicMemoryTool(BetaAbstractMemoryTool):
    """A `MemoryTool` for `Anthropic().beta.messages.tool_runner`. Refusals become results with `is_error`."""

    def __init__(self, memory: HybridMemory, **options: Any) -> None:
        """`options` are the SDK's own, such as `cache_control`."""
        super().__init__(**options)
        self._tool = MemoryTool(memory)

    def call(self, input: object) -> str:
        """Run one command as the model wrote it, which may be malformed."""
        return _performed(self._tool, input)

    def view(self, command: beta.BetaMemoryTool20250818ViewCommand) -> str:
        return self.call(command.to_dict())

    def create(self, command: beta.BetaMemoryTool20250818CreateCommand) -> str:
        return self.call(command.to_dict())

    def str_replace(self, command: beta.BetaMemoryTool20250818StrReplaceCommand) -> str:
        return self.call(command.to_dict())

    def insert(self, command: beta.BetaMemoryTool20250818InsertCommand) -> str:
        return self.call(command.to_dict())

    def delete(self, command: beta.BetaMemoryTool20250818DeleteCommand) -> str:
        return self.call(command.to_dict())

    def rename(self, command: beta.BetaMemoryTool20250818RenameCommand) -> str:
        return self.call(command.to_dict())

    def clear_all_memory(self) -> str:
        return self._tool.clear()


class AsyncAnthropicMemoryTool(BetaAsyncAbstractMemoryTool):
    """A `MemoryTool` for `AsyncAnthropic`: commands run in a worker thread."""

    def __init__(self, memory: HybridMemory, **options: Any) -> None:
        super().__init__(**options)
        self._tool = MemoryTool(memory)

    async def call(self, input: object) -> str:
        return await run_sync(_performed, self._tool, input)

    async def view(self, command: beta.BetaMemoryTool20250818ViewCommand) -> str:
        return await self.call(command.to_dict())

    async def create(self, command: beta.BetaMemoryTool20250818CreateCommand) -> str:
        return await self.call(command.to_dict())

    async def str_replace(self, command: beta.BetaMemoryTool20250818StrReplaceCommand) -> str:
        return await self.call(command.to_dict())

    async def insert(self, command: beta.BetaMemoryTool20250818InsertCommand) -> str:
        return await self.call(command.to_dict())

    async def delete(self, command: beta.BetaMemoryTool20250818DeleteCommand) -> str:
        return await self.call(command.to_dict())

    async def rename(self, command: beta.BetaMemoryTool20250818RenameCommand) -> str:
        return await self.call(command.to_dict())

    async def clear_all_memory(self) -> str:
        return await run_sync(self._tool.clear)


def _performed(tool: MemoryTool, command: object) -> str:
    try:
        return tool.perform(command)
    except HybridMemError as error:
        raise ToolError(advised(error)) from None
