"""Any LangChain chat model as a reader."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from hybridmem.core.errors import ModelError
from hybridmem.models.prompts import Message
from hybridmem.models.reader.base import RemoteReading, reading
from hybridmem.models.reader.openai_api import FILTERED, LOST, advice
from hybridmem.models.reader.replies import cleaned, excerpt
from hybridmem.models.reader.settings import ReaderSettings


@runtime_checkable
class ChatModel(Protocol):
    """What is used of a LangChain chat model, beside its method `batch` where it has one."""

    def invoke(self, input: Any, /) -> Any:
        """A message with `content`, for a list of messages."""
        ...


class LangChainReader:
    """A `Reader` on a LangChain chat model, whose own settings decide on temperature, length, timeouts and retries."""

    follows_examples = True
    """It does the memory jobs by worked examples (see `skills`)."""

    def __init__(self, chat_model: ChatModel, settings: ReaderSettings | None = None) -> None:
        """Of the `settings`, the prices, the bound and `at_once` count."""
        self._chat_model = chat_model
        self.settings = settings or ReaderSettings()
        named = getattr(chat_model, "model_name", None) or getattr(chat_model, "model", None)
        self.name = f"{type(chat_model).__name__}:{named}" if isinstance(named, str) else type(chat_model).__name__
        self._has_answered = False

    def generate(self, prompts: Sequence[Sequence[Message]], *, max_new_tokens: int = 24) -> list[RemoteReading]:
        """`max_new_tokens` is not passed on: chat models do not agree on a name for it."""
        asked = [list(prompt) for prompt in prompts]
        batch = getattr(self._chat_model, "batch", None)
        if batch is None:
            replies = [self._chat_model.invoke(each) for each in asked]
        else:
            # The errors of the many providers have no class in common: they come back as values.
            replies = batch(asked, config={"max_concurrency": self.settings.at_once}, return_exceptions=True)
        read = [self._reading(prompt, reply) for prompt, reply in zip(prompts, replies, strict=True)]
        if read and not self._has_answered:
            raise ModelError(f"the reader {self.name} refuses every prompt ({read[0].refused}): {advice(None)}")
        return read

    def _reading(self, prompt: Sequence[Message], reply: Any) -> RemoteReading:
        if isinstance(reply, BaseException):
            if not isinstance(reply, Exception):
                raise reply
            said = excerpt(str(reply), *_secrets(self._chat_model))
            status, code = getattr(reply, "status_code", None), getattr(reply, "code", None)
            if code in FILTERED:
                self._has_answered = True
            if code in FILTERED or status in LOST:
                return reading(prompt, "", 0, 0, refused=said or "an error without words")
            raise ModelError(
                f"the reader {self.name} failed ({type(reply).__name__}: {said}): {advice(status)}"
            ) from None
        self._has_answered = True
        return reading(
            prompt,
            cleaned(_words(reply.content)),
            _usage(reply, "input_tokens"),
            _usage(reply, "output_tokens"),
            "the model declined" if _declined(reply) else "",
        )


def _secrets(chat_model: object) -> list[str]:
    """The keys that a chat model was given, which pydantic wraps up."""
    fields = getattr(chat_model, "__dict__", {}).values()
    return [each.get_secret_value() for each in fields if hasattr(each, "get_secret_value")]


def _declined(reply: Any) -> bool:
    """Whether the provider's metadata say that the model, or a filter, refused to answer."""
    about = getattr(reply, "response_metadata", None)
    more = getattr(reply, "additional_kwargs", None)
    ends = {about.get(name) for name in ("finish_reason", "stop_reason")} if isinstance(about, Mapping) else set()
    return bool(ends & {"content_filter", "refusal"}) or bool(isinstance(more, Mapping) and more.get("refusal"))


def _usage(reply: Any, name: str) -> int | None:
    counted = getattr(reply, "usage_metadata", None)
    return counted.get(name) if isinstance(counted, Mapping) else None


def _words(content: Any) -> str:
    """The text of a message's content: a string, or the text blocks of a list."""
    if isinstance(content, str):
        return content
    blocks = [block if isinstance(block, str) else block.get("text", "") for block in content]
    return "".join(block for block in blocks if isinstance(block, str))
