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
    """A turn that has begun: `messages` are what the model is to read."""

    memory: HybridMemory
    messages: list[BaseMessage]
    recalled: list[Hit]
    said: str | None
    """The user's words, where this turn brings new ones that are to be remembered."""
    session: str | None
    streamed: AIMessageChunk | None = None
    """What was heard of the reply so far."""

    def heard(self, piece: BaseMessage) -> AIMessageChunk:
        """A chunk of the reply as it is passed on; the first says which memories were quoted."""
        chunk = piece if isinstance(piece, AIMessageChunk) else _as_chunk(piece)
        self.streamed, chunk = (chunk, self.told(chunk)) if self.streamed is None else (self.streamed + chunk, chunk)
        return chunk

    def told(self, message: Reply) -> Reply:
        """`message`, with the ids of the memories that were quoted in its ``response_metadata``."""
        if not self.recalled:
            return message
        evidence = [hit.id for hit in self.recalled]
        return message.model_copy(update={"response_metadata": {**message.response_metadata, "evidence": evidence}})

    def close(self, reply: BaseMessage | None) -> None:
        """Remember the turn: the user's words, and a whole `reply` where it draws on no memory and calls no tool."""
        if self.said is None:
            return
        speaks = isinstance(reply, AIMessage) and not reply.tool_calls
        conversation.remember(
            self.memory,
            [{"role": "user", "content": self.said}],
            words_of(reply.content) if reply is not None and speaks else None,
            recalled=self.recalled,
            session=self.session,
            source=SOURCE,
        )


def open_turn(
    memory: HybridMemory, messages: Sequence[BaseMessage], limit: int, *, session: str | None, remembers: bool
) -> Turn:
    """Recall for `messages`. Where no user says anything there is nothing to recall, and all passes as it came."""
    read = [chat_message(message) for message in messages]
    spoken = any(message["role"] == "user" and words_of(message["content"]).strip() for message in read)
    hits: list[Hit] = []
    made = list(messages)
    if spoken and limit:
        asked = conversation.last_said(read)
        # In the turns after a tool call the user's own words are remembered already.
        hits = [hit for hit in conversation.recall(memory, read, limit=limit + 1) if hit.text != asked][:limit]
        oldest_first = sorted(hits, key=lambda hit: (hit.at is not None, hit.at))
        quoted = conversation.with_memories(read, [hit.quoted for hit in oldest_first])
        made = [
            message if new["content"] == message.content else message.model_copy(update={"content": new["content"]})
            for message, new in zip(messages, quoted, strict=True)
        ]
    new = remembers and spoken and role_of(messages[-1]) == "user" and words_of(messages[-1].content).strip()
    return Turn(memory, made, hits, words_of(messages[-1].content) if new else None, session)


def _as_chunk(message: BaseMessage) -> AIMessageChunk:
    """A reply that came whole, as the one chunk of a stream."""
    return AIMessageChunk(**message.model_dump(exclude={"type"}), chunk_position="last")
