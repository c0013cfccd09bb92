"""Who reads episodes for a dream and writes down their facts: any chat model, on this machine or elsewhere.

A reader needs far less than a `LanguageModel`, every one of which is a reader too: no probabilities, no adapters.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from hybridmem.core.errors import InvalidInput, MissingExtra, ModelError
from hybridmem.core.registry import Registry
from hybridmem.models.prompts import Message

OPENAI_URL = "https://api.openai.com/v1"
OPENAI_KEY = "OPENAI_API_KEY"
TIMEOUT_SECONDS = 120.0
AT_ONCE = 4
"""Requests that one `OpenAIReader` has open at the same time."""
CHARACTERS_A_TOKEN = 4
"""For an estimate, where a model does not count its tokens."""


class Reading(Protocol):
    """One completion."""

    @property
    def text(self) -> str: ...

    @property
    def prompt_tokens(self) -> int: ...

    @property
    def tokens(self) -> int:
        """Of the completion."""
        ...


@runtime_checkable
class Reader(Protocol):
    """Completes prompts. What it can do beyond the basic jobs it says in two optional attributes, which `skills` reads:
    `jobs`, those that it was trained for, and `follows_examples`, whether it does the others by worked examples."""

    def generate(self, prompts: Sequence[Sequence[Message]], *, max_new_tokens: int = 24) -> Sequence[Reading]:
        """One completion for each prompt, as certain as the model can give it. Raises `ModelError`."""
        ...


@dataclass(frozen=True, slots=True)
class RemoteReading:
    """The completion of a model that tells nothing about its probabilities."""

    text: str
    prompt_tokens: int
    tokens: int


@runtime_checkable
class ChatModel(Protocol):
    """What is used of a LangChain chat model, beside its method `batch` where it has one."""

    def invoke(self, input: Any, /) -> Any:
        """A message with `content`, for a list of messages."""
        ...


class LangChainReader:
    """A `Reader` on a LangChain chat model, whose own settings decide on temperature, length and retries."""

    follows_examples = True
    """It does the memory jobs by worked examples (see `skills`)."""

    def __init__(self, chat_model: ChatModel) -> None:
        self._chat_model = chat_model

    def generate(self, prompts: Sequence[Sequence[Message]], *, max_new_tokens: int = 24) -> list[RemoteReading]:
        """`max_new_tokens` is not passed on: chat models do not agree on a name for it."""
        asked = [list(prompt) for prompt in prompts]
        batch = getattr(self._chat_model, "batch", None)
        replies = batch(asked) if batch is not None else [self._chat_model.invoke(each) for each in asked]
        return [
            _reading(prompt, _words(reply.content), _usage(reply, "input_tokens"), _usage(reply, "output_tokens"))
            for prompt, reply in zip(prompts, replies, strict=True)
        ]


class OpenAIReader:
    """A `Reader` on the chat model `model` of an endpoint that speaks OpenAI's API, at `url` (with its ``/v1``).

    Raises `MissingExtra` where httpx is missing, and `ModelError` where the endpoint does not answer or refuses."""

    follows_examples = True
    """It does the memory jobs by worked examples (see `skills`)."""

    def __init__(self, model: str, url: str = OPENAI_URL, *, key: str | None = None) -> None:
        try:
            import httpx
        except ImportError:
            raise MissingExtra("a reader at an endpoint needs httpx: pip install 'hybridmem[server]'") from None
        self._model = model
        self._url = url.rstrip("/")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._client = httpx.Client(headers=headers, timeout=TIMEOUT_SECONDS)

    def generate(self, prompts: Sequence[Sequence[Message]], *, max_new_tokens: int = 24) -> list[RemoteReading]:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            return list(pool.map(lambda prompt: self._complete(prompt, max_new_tokens), prompts))

    def close(self) -> None:
        """Let go of the connections."""
        self._client.close()

    def _complete(self, prompt: Sequence[Message], max_new_tokens: int) -> RemoteReading:
        import httpx

        asked = {"model": self._model, "messages": list(prompt), "max_tokens": max_new_tokens, "temperature": 0}
        try:
            response = self._client.post(f"{self._url}/chat/completions", json=asked)
        except httpx.TransportError as error:
            raise ModelError(
                f"the reader at {self._url} does not answer ({type(error).__name__}): start it, or correct its address"
            ) from None
        if response.is_error:
            advice = f"set {OPENAI_KEY}" if response.status_code in (401, 403) else "correct its name or address"
            raise ModelError(
                f"the reader {self._model} at {self._url} refuses with {response.status_code} "
                f"({' '.join(response.text.split())[:120]}): {advice}"
            )
        try:
            answer = response.json()
            text = answer["choices"][0]["message"]["content"] or ""
        except (ValueError, LookupError, TypeError):
            raise ModelError(
                f"the reader at {self._url} answers in another form than OpenAI's: correct its address"
            ) from None
        usage = answer.get("usage") or {}
        return _reading(prompt, text, usage.get("prompt_tokens"), usage.get("completion_tokens"))


def _reading(prompt: Sequence[Message], text: str, prompt_tokens: int | None, tokens: int | None) -> RemoteReading:
    """With the tokens estimated where they were not counted."""
    asked = sum(len(message["content"]) for message in prompt)
    return RemoteReading(
        text,
        asked // CHARACTERS_A_TOKEN if prompt_tokens is None else prompt_tokens,
        len(text) // CHARACTERS_A_TOKEN if tokens is None else tokens,
    )


def _usage(reply: Any, name: str) -> int | None:
    counted = getattr(reply, "usage_metadata", None)
    return counted.get(name) if isinstance(counted, Mapping) else None


def _words(content: Any) -> str:
    """The text of a message's content: a string, or the text blocks of a list."""
    if isinstance(content, str):
        return content
    blocks = [block if isinstance(block, str) else block.get("text", "") for block in content]
    return "".join(block for block in blocks if isinstance(block, str))


READERS: Registry[None, Reader] = Registry("reader")


def load_reader(given: str | Reader | ChatModel) -> Reader:
    """The reader of this name (see `READERS`), a `Reader` itself, or a LangChain chat model as one.

    Raises `InvalidInput`, `MissingExtra`, and for a model's name what `models.load` does."""
    if isinstance(given, str):
        return READERS.make(given, None)
    # Chat models of LangChain have a `generate` of another form.
    if isinstance(given, ChatModel):
        return LangChainReader(given)
    if isinstance(given, Reader):
        return given
    raise InvalidInput(
        f"what is a {type(given).__name__} cannot read: pass a name ({', '.join(READERS.forms())}), a LangChain chat "
        f"model or an object with the method `generate` of hybridmem.models.reader.Reader"
    )


def _openai(name: str, given: None) -> Reader:
    model, at, rest = name.removeprefix("openai:").partition("@http")
    return OpenAIReader(model, f"http{rest}" if at else OPENAI_URL, key=os.environ.get(OPENAI_KEY))


def _model(name: str, given: None) -> Reader:
    from hybridmem import models

    return models.load(name.removeprefix("model:"))


READERS.register("openai:MODEL", _openai)
READERS.register("openai:MODEL@http://HOST:PORT/v1", _openai)
READERS.register("model:NAME", _model)
