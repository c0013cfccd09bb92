"""The memory as resources: ``memory://profile``, ``memory://blocks/LABEL``, and ``memory://memories/ID``, listed a page
at a time."""

from __future__ import annotations

import json
from typing import Any

import anyio.to_thread
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver.exceptions import ResourceError, ResourceNotFoundError
from mcp.shared.exceptions import MCPError
from mcp_types import INTERNAL_ERROR, INVALID_PARAMS, ListResourcesResult, Resource

from hybridmem.core.errors import HybridMemError, NotFound, UnknownMemory
from hybridmem.core.records import Episode, to_json
from hybridmem.memory import HybridMemory
from hybridmem.models.prompts import one_line
from hybridmem.server.mcp.advice import advised
from hybridmem.server.mcp.results import Record
from hybridmem.server.mcp.standing import BlockText, Known

ROOT = "memory://memories/"
TEMPLATE = ROOT + "{id}"
PROFILE = "memory://profile"
BLOCK_TEMPLATE = "memory://blocks/{label}"
PAGE = 50
"""Memories on one page of `resources/list`."""
MIME_TYPE = "application/json"
_TITLE = 80


class Memories:
    """The memories of one namespace as resources."""

    def __init__(self, memory: HybridMemory) -> None:
        self._memory = memory

    def read(self, id: str) -> str:
        """One memory as JSON, with a note that its text is quoted data."""
        try:
            record = Record.of(self._memory.get(id))
        except UnknownMemory as error:
            raise ResourceNotFoundError(advised(error)) from error
        except HybridMemError as error:
            raise ResourceError(advised(error)) from error
        return json.dumps(to_json(record), ensure_ascii=False)

    def profile(self) -> str:
        """The profile and the blocks as JSON, with a note that their texts are quoted data."""
        try:
            known = Known.of(self._memory.blocks.list(), self._memory.profile())
        except HybridMemError as error:
            raise ResourceError(advised(error)) from error
        return json.dumps(to_json(known), ensure_ascii=False)

    def block(self, label: str) -> str:
        """One block as JSON."""
        try:
            block = BlockText.of(self._memory.blocks.get(label))
        except NotFound as error:
            raise ResourceNotFoundError(advised(error)) from error
        except HybridMemError as error:
            raise ResourceError(advised(error)) from error
        return json.dumps(to_json(block), ensure_ascii=False)

    async def pages(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        """A middleware that answers `resources/list`: the SDK's own list has no pages and knows no memory."""
        if ctx.method != "resources/list" or ctx.request_id is None:
            return await call_next(ctx)
        cursor = (ctx.params or {}).get("cursor")
        try:
            return await anyio.to_thread.run_sync(self._page, cursor)
        except HybridMemError as error:
            raise MCPError(code=INTERNAL_ERROR, message=advised(error)) from error

    def _page(self, cursor: object) -> ListResourcesResult:
        page = self._memory.list(limit=PAGE + 1, after=_position(cursor))
        records = page[:PAGE]
        # The first page begins with what a conversation begins with.
        known = [Resource(uri=PROFILE, name="profile", title="What is known", mime_type=MIME_TYPE)]
        resources = known if cursor is None else []
        resources += [
            Resource(
                uri=ROOT + memory.id,
                name=memory.id,
                title=_title(memory.quoted if isinstance(memory, Episode) else memory.text),
                mime_type=MIME_TYPE,
            )
            for memory in records
        ]
        return ListResourcesResult(
            resources=resources, next_cursor=str(records[-1].position) if len(page) > PAGE else None
        )


def _position(cursor: object) -> int | None:
    if cursor is None:
        return None
    if isinstance(cursor, str) and cursor.isascii() and cursor.isdecimal() and len(cursor) < 19:
        return int(cursor)
    raise MCPError(code=INVALID_PARAMS, message="the cursor is not one of this server: list again without a cursor")


def _title(text: str) -> str:
    line = one_line(text)
    return line if len(line) <= _TITLE else f"{line[: _TITLE - 1]}…"
