"""LangChain's chat history in a session of a memory."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import BaseMessage

from hybridmem.core.filters.nodes import all_of
from hybridmem.core.filters.parse import parse
from hybridmem.core.records import Episode, has_expired
from hybridmem.integrations.langchain.messages import message_of, turn_of
from hybridmem.maintenance.erasure import erase_many
from hybridmem.memory import HybridMemory

SOURCE = "langchain"


class HybridChatMessageHistory(BaseChatMessageHistory):
    """The messages of `session` as episodes: durable, found by every search, and read by dreams.

    They come back in their order, with their roles, names, ids, tool calls and content blocks. Memories stored in the
    session in other ways (`HybridMemory.add`, an import) are in it too. `filters` keeps to those messages whose fields
    satisfy it, as in ``{"role": ["user", "assistant"], "at": {"gte": "2026-03-01"}}``; it does not change what `clear`
    erases. Raises `InvalidInput` for a filter that is none."""

    def __init__(self, memory: HybridMemory, session: str, *, filters: Mapping[str, Any] | None = None) -> None:
        self.memory = memory
        self.session = session
        self._wanted = all_of(parse({"session": session, "quarantined": False}), parse(filters))

    @property
    def messages(self) -> list[BaseMessage]:  # type: ignore[override]
        """Every message that has not expired, oldest first."""
        found = self.memory.ledger.matching(self.memory.namespace, self._wanted, kinds=("episode",))
        now = self.memory.clock()
        return [message_of(each) for each in found if isinstance(each, Episode) and not has_expired(each, now)]

    async def aget_messages(self) -> list[BaseMessage]:
        return await asyncio.to_thread(lambda: self.messages)

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Remember `messages`; they are on disk on return."""
        self.memory.add_turns([turn_of(message, session=self.session, source=SOURCE) for message in messages])

    async def aadd_messages(self, messages: Sequence[BaseMessage]) -> None:
        await asyncio.to_thread(self.add_messages, messages)

    def clear(self) -> None:
        """Erase the session everywhere, as `HybridMemory.delete` does: its messages, and what came of them."""
        everything = parse({"session": self.session})
        found = self.memory.ledger.matching(self.memory.namespace, everything, kinds=("episode",))
        erase_many(self.memory.workspace, [episode.id for episode in found])

    async def aclear(self) -> None:
        await asyncio.to_thread(self.clear)
