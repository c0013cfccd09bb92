"""OpenAI's chat completions with the memory in front: recall before, remember after.

Without an upstream the memory's own model answers, through the router. With one, the memories are quoted in the last
user message and everything else goes through as it came.
"""

from __future__ import annotations

import asyncio
import functools
import json
import secrets
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from hybridmem import conversation
from hybridmem.core.records import Hit
from hybridmem.router.policy import lines
from hybridmem.server.caller import Caller, Reader, to_response
from hybridmem.server.openai_schemas import ChatRequest, Completion
from hybridmem.server.problems import Refusal, respond
from hybridmem.server.sse import Listener, event
from hybridmem.server.upstream import Upstream

router = APIRouter(prefix="/v1", tags=["OpenAI-compatible"])
NAME = "hybridmem"
"""The model that is always there: whatever model the memory has."""
PIECE = 24
"""Characters of a streamed answer that come at a time, at least."""

SessionHeader = Annotated[
    str | None,
    Header(alias="X-Hybridmem-Session", max_length=200, description="The session, where `user` is something else."),
]


@router.post(
    "/chat/completions",
    response_model=Completion,
    responses={200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}},
)
async def complete(body: ChatRequest, caller: Reader, request: Request, session: SessionHeader = None) -> Response:
    """A turn of chat. What the user said is remembered, unless the token may not write."""
    asked = body.model_dump(exclude_unset=True)
    said_in = session or body.user
    upstream: Upstream | None = request.app.state.upstream
    if upstream is None:
        return await _own(caller, body, asked, said_in)
    messages = asked["messages"]
    hits: list[Hit] = []
    if _speaks(messages):
        hits = await caller.run("recall", "search", lambda: conversation.recall(caller.memory, messages))
        asked["messages"] = conversation.with_memories(messages, lines(hits))
    if body.stream:
        return PassedOn(caller, upstream, messages, asked, hits, said_in)
    answered = await upstream.post("chat/completions", asked)
    await _remember(caller, messages, hits, said_in, _reply(answered))
    return to_response({**answered, "hybridmem": {"recalled": recalled(hits)}})


# ---- the memory's own model


async def _own(caller: Caller, body: ChatRequest, asked: Mapping[str, Any], session: str | None) -> Response:
    _require_served(asked)
    messages = asked["messages"]
    most = body.max_completion_tokens or body.max_tokens or conversation.REPLY_TOKENS
    name = await caller.run("model", "model", lambda: caller.memory.model.name)
    if body.model not in (NAME, name):
        raise unknown_model(body.model, (NAME, name))
    reply = await caller.run("chat", "model", lambda: conversation.respond(caller.memory, messages, max_tokens=most))
    caller.figures.routed(reply.route)
    await _remember(caller, messages, reply.evidence, session, reply.text)
    head = {"id": f"chatcmpl-{secrets.token_hex(12)}", "created": int(time.time()), "model": body.model}
    usage = {
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.tokens,
        "total_tokens": reply.prompt_tokens + reply.tokens,
    }
    grounds = {
        "route": reply.route,
        "confidence": reply.confidence,
        "adapter": reply.adapter,
        "evidence": recalled(reply.evidence),
    }
    if body.stream:
        counted = usage if body.stream_options and body.stream_options.include_usage else None
        return StreamingResponse(_pieces(head, reply.text, grounds, counted), media_type="text/event-stream")
    message = {"role": "assistant", "content": reply.text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return to_response({**head, "object": "chat.completion", "choices": [choice], "usage": usage, "hybridmem": grounds})


def _require_served(asked: Mapping[str, Any]) -> None:
    """Refuse what the memory's own model does not do, rather than leave it out. Raises `Refusal`."""
    wanted = {
        "n": asked.get("n") not in (None, 1),
        "logprobs": bool(asked.get("logprobs")),
        "tool_choice": asked.get("tool_choice") not in (None, "none", "auto"),
        "response_format": (asked.get("response_format") or {"type": "text"}) != {"type": "text"},
    }
    for name, is_wanted in wanted.items():
        if is_wanted:
            raise Refusal(400, f"the memory's own model has no {name}: leave it out, or serve with --upstream")


async def _pieces(
    head: Mapping[str, Any], text: str, grounds: Mapping[str, Any], usage: Mapping[str, Any] | None
) -> AsyncIterator[bytes]:
    """An answer as a stream. The model says it whole, so that all of it is there when the stream begins."""

    def chunk(delta: Mapping[str, Any], finish: str | None = None, **more: Any) -> bytes:
        choices = [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
        return event({**head, "object": "chat.completion.chunk", "choices": choices, **more})

    yield chunk({"role": "assistant", "content": ""})
    for piece in cut(text):
        yield chunk({"content": piece})
    yield chunk({}, "stop", hybridmem=grounds)
    if usage is not None:
        yield event({**head, "object": "chat.completion.chunk", "choices": [], "usage": usage})
    yield b"data: [DONE]\n\n"


def cut(text: str) -> list[str]:
    """`text` in pieces of whole words that together are it.

    >>> cut("Ana lives in the city of Porto.")
    ['Ana lives in the city of ', 'Porto.']
    """
    pieces = [""]
    for word in text.split(" "):
        if len(pieces[-1]) >= PIECE:
            pieces.append("")
        pieces[-1] += f"{word} "
    pieces[-1] = pieces[-1][:-1]
    return [piece for piece in pieces if piece]


# ---- an upstream


class PassedOn(Response):
    """The upstream's stream, piece by piece as it comes. A client that leaves ends the request upstream."""

    def __init__(
        self,
        caller: Caller,
        upstream: Upstream,
        messages: Sequence[Mapping[str, Any]],
        asked: Mapping[str, Any],
        hits: Sequence[Hit],
        session: str | None,
    ) -> None:
        super().__init__()
        self._upstream = upstream
        self._asked = asked
        self._listener = Listener()
        self._remember = functools.partial(_remember, caller, messages, hits, session)
        self._remembering: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with self._upstream.stream("chat/completions", self._asked) as pieces:
                streamed = StreamingResponse(self._passed(pieces), media_type="text/event-stream")
                await streamed(scope, receive, send)
        except Refusal as refused:
            await respond(refused, scope["path"])(scope, receive, send)
            return
        # Half an answer is none, and yet the user has said something.
        await self._remembered(None)

    async def _passed(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        try:
            async for piece in pieces:
                self._listener.hear(piece)
                if self._listener.done:
                    # Before its end is told: a client that heard it may leave, or search at once.
                    await self._remembered(self._listener.text)
                yield piece
        except Refusal as refused:
            yield event(json.loads(bytes(respond(refused, "/v1/chat/").body)))
            return
        await self._remembered(self._listener.text)

    async def _remembered(self, reply: str | None) -> None:
        """The turn is remembered once, by the first call, whatever becomes of the client meanwhile."""
        if self._remembering is None:
            self._remembering = asyncio.create_task(self._remember(reply))
        await asyncio.shield(self._remembering)


def _reply(answered: Mapping[str, Any]) -> str | None:
    """The words of an upstream's first choice; None where it calls tools or says nothing."""
    choices = answered.get("choices")
    first = choices[0] if isinstance(choices, list) and choices and isinstance(choices[0], Mapping) else {}
    message = first.get("message")
    content = message.get("content") if isinstance(message, Mapping) else None
    return content if isinstance(content, str) else None


# ---- both


async def _remember(
    caller: Caller,
    messages: Sequence[Mapping[str, Any]],
    hits: Sequence[Hit],
    session: str | None,
    reply: str | None,
) -> None:
    # A turn whose last message is a tool's result was remembered when its question came.
    is_told = messages[-1].get("role") not in ("tool", "function") and _speaks(messages)
    if caller.grant.read_only or not is_told:
        return
    await caller.run(
        "remember",
        "write",
        lambda: conversation.remember(
            caller.memory, messages, reply, recalled=hits, session=session or None, source="http"
        ),
    )


def _speaks(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a user says anything in words: a picture alone recalls nothing, and goes to an upstream as it is."""
    return any(
        message.get("role") == "user" and conversation.words_of(message.get("content")).strip() for message in messages
    )


def recalled(hits: Sequence[Hit]) -> list[dict[str, Any]]:
    """What a response says of the memories behind it."""
    return [{"id": hit.id, "text": hit.text, "score": hit.score} for hit in hits]


def unknown_model(named: str, known: Sequence[str]) -> Refusal:
    """The 404 of OpenAI's API."""
    there = ", ".join(dict.fromkeys(known))
    return Refusal(404, f"there is no model {named[:100]!r}: this server has {there}", kind="model_not_found")
