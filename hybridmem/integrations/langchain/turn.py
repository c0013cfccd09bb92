"""One turn of a wrapped chat model: what is recalled for it, and what is remembered of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage

from hybridmem import conversation
from hybridmem.conversation import words_of
from hybridmem.core.records import Hit
from hybridmem.integrations.langchain.messages import chat_message, role_of
from hybridmem.memory import HybridMemory

SOURCE = "langchain"
Reply = TypeVar("Reply", bound=BaseMessage)


@dataclass
class Turn:
    """A turn that has begun; the model reads `messages`."""

    memory: HybridMemory
    messages: list[BaseMessage]
    recalled: list[Hit]
    said: str | None
    """The user's new words in this turn, if there are any to remember."""
    session: str | None
    streamed: AIMessageChunk | None = None
    """The reply so far."""
    has_standing: bool = False
    """Whether the memory's profile or blocks were quoted."""

    def take_chunk(self, piece: BaseMessage) -> AIMessageChunk:
        """Add a chunk of the reply, and return it to be passed on; the first names the quoted memories."""
        chunk = piece if isinstance(piece, AIMessageChunk) else _as_chunk(piece)
        self.streamed, chunk = (
            (chunk, self.with_evidence(chunk)) if self.streamed is None else (self.streamed + chunk, chunk)
        )
        return chunk

    def with_evidence(self, message: Reply) -> Reply:
        """`message` with the ids of the quoted memories in its ``response_metadata``."""
        if not self.recalled:
            return message
        evidence = [hit.id for hit in self.recalled]
        return message.model_copy(update={"response_metadata": {**message.response_metadata, "evidence": evidence}})

    def close(self, reply: BaseMessage | None) -> None:
        """Remember the turn: the user's words, and a complete `reply` if no memory was quoted for it and it calls no
        tool."""
        if self.said is None:
            return
        speaks = isinstance(reply, AIMessage) and not reply.tool_calls and not self.has_standing
        conversation.remember(
            self.memory,
            [{"role": "user", "content": self.said}],
            words_of(reply.content) if reply is not None and speaks else None,
            recalled=self.recalled,
            session=self.session,
            source=SOURCE,
        )


def open_turn(
    memory: HybridMemory,
    messages: Sequence[BaseMessage],
    limit: int,
    *,
    session: str | None,
    remembers: bool,
    profile_budget: int = 0,
) -> Turn:
    """Recall for `messages`, and put what stands in the memory before them where
    `profile_budget` says how many tokens of it.
    Without words of a user nothing is recalled, and the messages stay as they are."""
    chat = [chat_message(message) for message in messages]
    has_words = any(message["role"] == "user" and words_of(message["content"]).strip() for message in chat)
    hits: list[Hit] = []
    quoted = chat
    if has_words and limit:
        asked = conversation.last_said(chat)
        # In the turns after a tool call, the user's words are already remembered.
        hits = [hit for hit in conversation.recall(memory, chat, limit=limit + 1) if hit.text != asked][:limit]
        oldest_first = sorted(hits, key=lambda hit: (hit.at is not None, hit.at))
        quoted = conversation.with_memories(quoted, [hit.quoted for hit in oldest_first])
    with_hits = quoted
    if has_words and profile_budget:
        quoted = conversation.with_standing(memory, quoted, budget=profile_budget)
    extended = [
        message
        if changed["content"] == given["content"]
        else message.model_copy(update={"content": changed["content"]})
        for message, given, changed in zip(messages, chat, quoted, strict=True)
    ]
    is_new = remembers and has_words and role_of(messages[-1]) == "user" and words_of(messages[-1].content).strip()
    said = words_of(messages[-1].content) if is_new else None
    return Turn(memory, extended, hits, said, session, has_standing=quoted != with_hits)


def _as_chunk(message: BaseMessage) -> AIMessageChunk:
    """A complete reply as the only chunk of a stream."""
    return AIMessageChunk(**message.model_dump(exclude={"type"}), chunk_position="last")
