"""OpenAI's chat completions with the memory in front: recall before, remember after.

Without an upstream, the memory's own model answers through the router. With one, the memories are quoted in the last
user message, and everything else is passed on unchanged.
"""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from hybridmem import conversation
from hybridmem.core.errors import HybridMemError
from hybridmem.core.records import Hit
from hybridmem.router.context import lines
from hybridmem.server.caller import Caller, Reader, to_response
from hybridmem.server.openai_schemas import ChatRequest, Completion
from hybridmem.server.problems import Refusal, refusal, respond
from hybridmem.server.sse import Listener, event
from hybridmem.server.upstream import Upstream

log = logging.getLogger("hybridmem.server")
router = APIRouter(prefix="/v1", tags=["OpenAI-compatible"])
NAME = "hybridmem"
"""The model name that always works: it stands for the memory's own model."""
MOST_STOPS = 4
HOTTEST = 2
PIECE = 24
"""Fewest characters in each chunk of a streamed answer."""

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
    request_body = body.model_dump(exclude_unset=True)
    session_name = session or body.user
    upstream: Upstream | None = request.app.state.upstream
    if upstream is None:
        return await _own(caller, body, request_body, session_name)
    messages = request_body["messages"]
    hits: list[Hit] = []
    if _speaks(messages):
        hits = await caller.run("recall", "search", lambda: conversation.recall(caller.memory, messages))
        request_body["messages"] = conversation.with_memories(messages, lines(hits))
    if body.stream:
        return UpstreamStream(caller, upstream, messages, request_body, hits, session_name)
    answered = await upstream.post("chat/completions", request_body)
    await _remember(caller, messages, hits, session_name, _reply(answered))
    return to_response({**answered, "hybridmem": {"recalled": recalled(hits)}})


# ---- the memory's own model


async def _own(caller: Caller, body: ChatRequest, request_body: Mapping[str, Any], session: str | None) -> Response:
    _require_served(request_body)
    messages = request_body["messages"]
    sampling = _sampling(request_body)
    most = body.max_completion_tokens or body.max_tokens or 0
    most = most if most > 0 else conversation.REPLY_TOKENS
    name = await caller.run("model", "model", lambda: caller.memory.model.name)
    if body.model not in (NAME, name):
        raise unknown_model(body.model, (NAME, name))

    async def reply_with(tell: Callable[[str], None] | None = None) -> conversation.Reply:
        reply = await caller.run(
            "chat",
            "answer",
            lambda: conversation.respond(caller.memory, messages, max_tokens=most, tell=tell, **sampling),
        )
        caller.figures.routed(reply.route)
        await _remember(caller, messages, reply.evidence, session, None if reply.recalls else reply.text)
        return reply

    head = {"id": f"chatcmpl-{secrets.token_hex(12)}", "created": int(time.time()), "model": body.model}
    if body.stream:
        told = Told(reply_with)
        await told.begun()
        counts = bool(body.stream_options and body.stream_options.include_usage)
        return StreamingResponse(_pieces(head, told, counts), media_type="text/event-stream")
    reply = await reply_with()
    message = {"role": "assistant", "content": reply.text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": reply.finish}
    completion = {**head, "object": "chat.completion", "choices": [choice], "usage": _usage(reply)}
    return to_response({**completion, "hybridmem": _grounds(reply)})


def _usage(reply: conversation.Reply) -> dict[str, int]:
    return {
        "prompt_tokens": reply.prompt_tokens,
        "completion_tokens": reply.tokens,
        "total_tokens": reply.prompt_tokens + reply.tokens,
    }


def _grounds(reply: conversation.Reply) -> dict[str, Any]:
    return {
        "route": reply.route,
        "confidence": reply.confidence,
        "adapter": reply.adapter,
        "evidence": recalled(reply.evidence),
    }


def _require_served(request_body: Mapping[str, Any]) -> None:
    """Raise `Refusal` for options that the memory's own model does not support, rather than ignore them."""
    wanted = {
        "n": request_body.get("n") not in (None, 1),
        "logprobs": bool(request_body.get("logprobs")),
        "tool_choice": request_body.get("tool_choice") not in (None, "none", "auto"),
        "tools": bool(request_body.get("tools")) and request_body.get("tool_choice") != "none",
        "functions": bool(request_body.get("functions")) and request_body.get("function_call") != "none",
        "audio": request_body.get("modalities") not in (None, ["text"]),
        "logit_bias": bool(request_body.get("logit_bias")),
        "web_search_options": request_body.get("web_search_options") is not None,
        "top_p": request_body.get("top_p") not in (None, 1),
        "presence_penalty": request_body.get("presence_penalty") not in (None, 0),
        "frequency_penalty": request_body.get("frequency_penalty") not in (None, 0),
        "response_format": (request_body.get("response_format") or {"type": "text"}) != {"type": "text"},
    }
    for name, is_wanted in wanted.items():
        if is_wanted:
            raise Refusal(400, f"the memory's own model has no {name}: leave it out, or serve with --upstream")


def _sampling(request_body: Mapping[str, Any]) -> dict[str, Any]:
    """The options of `conversation.respond` that a request sets. Raises `Refusal` for a value that is none."""
    stop, temperature, seed = (request_body.get(name) for name in ("stop", "temperature", "seed"))
    stops = [stop] if isinstance(stop, str) else stop or []
    if not isinstance(stops, list) or len(stops) > MOST_STOPS or not all(isinstance(each, str) for each in stops):
        raise Refusal(400, f"stop is no text: pass a text, or up to {MOST_STOPS} of them")
    is_number = isinstance(temperature, int | float) and not isinstance(temperature, bool)
    if temperature is not None and not (is_number and 0 <= temperature <= HOTTEST):
        raise Refusal(400, f"temperature is {json.dumps(temperature)[:40]}: pass a number from 0 to {HOTTEST}")
    if seed is not None and (not isinstance(seed, int) or isinstance(seed, bool)):
        raise Refusal(400, f"seed is {json.dumps(seed)[:40]}: pass a whole number")
    return {"stop": stops, "temperature": float(temperature or 0), "seed": (seed or 0) % 2**63}


class Told:
    """A reply while it is written, in another thread. It is written to its end and remembered even where the client
    leaves."""

    def __init__(self, reply_with: Callable[[Callable[[str], None]], Coroutine[Any, Any, conversation.Reply]]) -> None:
        loop = asyncio.get_running_loop()
        self._texts: asyncio.Queue[str | None] = asyncio.Queue()
        """The text so far, each time longer; None for the end."""
        self._first: str | None = None

        def tell(text: str) -> None:
            loop.call_soon_threadsafe(self._texts.put_nowait, text)

        self._writing = asyncio.create_task(reply_with(tell))
        self._writing.add_done_callback(self._ended)

    def _ended(self, writing: asyncio.Task[conversation.Reply]) -> None:
        if not writing.cancelled() and (error := writing.exception()):
            # Where words were sent or the client has left, no handler of errors sees it.
            log.warning("%s: %s", type(error).__name__, error)
        self._texts.put_nowait(None)

    async def begun(self) -> None:
        """Wait for the first words. Raises what went wrong before them."""
        try:
            self._first = await self._texts.get()
        except asyncio.CancelledError:
            # Where no thread has taken it yet, it is never asked.
            self._writing.cancel()
            raise
        if self._first is None:
            self._writing.result()

    async def texts(self) -> AsyncIterator[str]:
        """The text so far, each time longer."""
        text = self._first
        while text is not None:
            yield text
            text = await self._texts.get()

    def reply(self) -> conversation.Reply:
        """Behind the last text. Raises what went wrong."""
        return self._writing.result()


async def _pieces(head: Mapping[str, Any], told: Told, counts: bool) -> AsyncIterator[bytes]:
    """A reply as a stream of chunks, with its `usage` if the client `counts`."""

    def chunk(delta: Mapping[str, Any], finish: str | None = None, **more: Any) -> bytes:
        choices = [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
        return event({**head, "object": "chat.completion.chunk", "choices": choices, **more})

    yield chunk({"role": "assistant", "content": ""})
    sent = ""
    async for text in told.texts():
        if text.startswith(sent) and text != sent:
            yield chunk({"content": text[len(sent) :]})
            sent = text
    try:
        reply = told.reply()
        if not reply.text.startswith(sent):
            # What was sent cannot be taken back, and is not to stand.
            raise Refusal(409, f"what was said so far is taken back: {reply.text}", kind="answer-taken-back")
    except (Refusal, HybridMemError) as failed:
        refused = failed if isinstance(failed, Refusal) else refusal(failed)
        yield event(json.loads(bytes(respond(refused, "/v1/chat/").body)))
        return
    for piece in cut(reply.text[len(sent) :]):
        yield chunk({"content": piece})
    yield chunk({}, reply.finish, hybridmem=_grounds(reply))
    if counts:
        yield event({**head, "object": "chat.completion.chunk", "choices": [], "usage": _usage(reply)})
    yield b"data: [DONE]\n\n"


def cut(text: str) -> list[str]:
    """`text` cut into pieces of whole words.

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


class UpstreamStream(Response):
    """The upstream's stream, passed on as it comes. A client that disconnects ends the request upstream."""

    def __init__(
        self,
        caller: Caller,
        upstream: Upstream,
        messages: Sequence[Mapping[str, Any]],
        request_body: Mapping[str, Any],
        hits: Sequence[Hit],
        session: str | None,
    ) -> None:
        super().__init__()
        self._upstream = upstream
        self._request_body = request_body
        self._listener = Listener()
        self._remember = functools.partial(_remember, caller, messages, hits, session)
        self._remembering: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            async with self._upstream.stream("chat/completions", self._request_body) as pieces:
                streamed = StreamingResponse(self._relayed(pieces), media_type="text/event-stream")
                await streamed(scope, receive, send)
        except Refusal as refused:
            await respond(refused, scope["path"])(scope, receive, send)
            return
        # Half an answer is not remembered, but the user's words are.
        await self._remembered(None)

    async def _relayed(self, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        try:
            async for piece in pieces:
                self._listener.hear(piece)
                if self._listener.done:
                    # Before the end is passed on: the client may then disconnect, or search at once.
                    await self._remembered(self._listener.text)
                yield piece
        except Refusal as refused:
            yield event(json.loads(bytes(respond(refused, "/v1/chat/").body)))
            return
        await self._remembered(self._listener.text)

    async def _remembered(self, reply: str | None) -> None:
        """Remember the turn once, at the first call, even if the client disconnects meanwhile."""
        if self._remembering is None:
            self._remembering = asyncio.create_task(self._remember(reply))
        await asyncio.shield(self._remembering)


def _reply(answered: Mapping[str, Any]) -> str | None:
    """The text of an upstream's first choice; None if it calls tools or has no text."""
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
    is_new = messages[-1].get("role") not in ("tool", "function") and _speaks(messages)
    if caller.grant.read_only or not is_new:
        return
    await caller.run(
        "remember",
        "write",
        lambda: conversation.remember(
            caller.memory, messages, reply, recalled=hits, session=session or None, source="http"
        ),
    )


def _speaks(messages: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a user message has words: a picture alone recalls nothing and is passed on unchanged."""
    return any(
        message.get("role") == "user" and conversation.words_of(message.get("content")).strip() for message in messages
    )


def recalled(hits: Sequence[Hit]) -> list[dict[str, Any]]:
    """The memories behind a response, for its JSON."""
    return [{"id": hit.id, "text": hit.text, "score": hit.score} for hit in hits]


def unknown_model(named: str, known: Sequence[str]) -> Refusal:
    """The 404 of OpenAI's API."""
    there = ", ".join(dict.fromkeys(known))
    return Refusal(404, f"there is no model {named[:100]!r}: this server has {there}", kind="model_not_found")
