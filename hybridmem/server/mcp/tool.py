"""What a tool is, and how each turns a call into one on the memory and its answer into a result."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import CallToolResult, TextContent, ToolAnnotations

from hybridmem.core.errors import HybridMemError
from hybridmem.core.records import to_json
from hybridmem.server.mcp.advice import advised

MAX_QUESTION = 10_000
"""The longest question or query, in characters."""
MOST = 100
"""At most so many memories in one answer."""

READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
WRITES = ToolAnnotations(read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False)
ERASES = ToolAnnotations(read_only_hint=False, destructive_hint=True, idempotent_hint=True, open_world_hint=False)

P = ParamSpec("P")
T = TypeVar("T")


def errors_in_one_line(tool: Callable[P, T]) -> Callable[P, T]:
    """`tool`, with its expected errors in one line for the client."""

    @functools.wraps(tool)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return tool(*args, **kwargs)
        except HybridMemError as error:
            raise ToolError(advised(error)) from error

    return run


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool, and what a client may assume about it."""

    run: Callable[..., Any]
    title: str
    annotations: ToolAnnotations


def result(structured: object, text: str) -> CallToolResult:
    """A result for programs and for models: the structure, and the text that stands for it."""
    return CallToolResult(content=[TextContent(type="text", text=text)], structured_content=to_json(structured))
