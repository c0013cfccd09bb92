"""The commands of Anthropic's memory tool on a virtual tree of files, each of which is a memory.

`MemoryTool.run` takes one command as the model writes it. `hybridmem.integrations.memory_tool.sdk` has the classes that
the Anthropic SDK's tool runner takes.
"""

from __future__ import annotations

from hybridmem.integrations.memory_tool.commands import MemoryTool

__all__ = ["MemoryTool"]
