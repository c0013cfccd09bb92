"""A chat model with a memory: every turn recalls before it is answered, and is remembered after."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.utils import convert_to_messages
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.prompt_values import PromptValue
from langchain_core.runnables import Runnable, RunnableBinding, RunnableLambda
from langchain_core.tools import BaseTool
from pydantic import ConfigDict, Field

from hybridmem import conversation
from hybridmem.core.errors import InvalidInput
from hybridmem.integrations.langchain.messages import chat_message
from hybridmem.integrations.langchain.turn import Turn, open_turn
from hybridmem.memory import HybridMemory

_ALONE: Any = {"callbacks": []}
"""No callbacks for the wrapped model: this model's own run reports every token already."""


class HybridChatModel(BaseChatModel):
    """A chat model over `memory`: the agent's own model with the router in it, or any `wrapped` chat model.

    By itself, it answers the last user message with `hybridmem.conversation.respond`; ``response_metadata`` has the
    route, the confidence, the memories (``evidence``) and the adapter.

    With `wrapped`, recalled memories are quoted in the user's message as data, and everything else comes from the
    wrapped model: tools, structured output, chunks, content blocks, options. A turn with tool results recalls again and
    adds no memory. With `remembers` off, nothing is stored, for example if a history keeps the conversation already.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    memory: HybridMemory
    wrapped: BaseChatModel | None = None
    session: str | None = None
    """The session in which turns are remembered."""
    remembers: bool = True
    recalled: int = Field(default=conversation.RECALLED, ge=0)
    """Most memories quoted to the wrapped model."""
    profile_budget: int = Field(default=0, ge=0)
    """Most tokens of the memory's profile, quoted with its blocks to the wrapped model at the start of the
    conversation; 0 for neither."""
    max_tokens: int = Field(default=conversation.REPLY_TOKENS, ge=1)
    """The longest reply of the memory's own model."""
    stop: list[str] | None = None
    """Texts at which a reply ends."""

    @property
    def _llm_type(self) -> str:
        return "hybridmem"

    @property
    def _identifying_params(self) -> Mapping[str, Any]:
        wrapped = self.wrapped._identifying_params if self.wrapped else {"model": self.memory.model.name}
        return {**wrapped, "namespace": "/".join(self.memory.namespace), "session": self.session}

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        if self.wrapped is not None:
            return self.wrapped._get_ls_params(stop=stop or self.stop, **kwargs)
        params = LangSmithParams(
            ls_provider="hybridmem",
            ls_model_type="chat",
            ls_model_name=str(kwargs.get("model") or self.memory.model.name),
            ls_max_tokens=int(kwargs.get("max_tokens") or self.max_tokens),
        )
        if ends := stop or self.stop:
            params["ls_stop"] = ends
        return params

    # ---- turns

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        if self.wrapped is None:
            return _result(self._answer(messages, stop, kwargs))
        turn = self._open(messages)
        reply = self.wrapped.invoke(turn.messages, _ALONE, stop=stop or self.stop, **kwargs)
        turn.close(reply)
        return _result(turn.with_evidence(reply))

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        if self.wrapped is None:
            return _result(await asyncio.to_thread(self._answer, messages, stop, kwargs))
        turn = await asyncio.to_thread(self._open, messages)
        reply = await self.wrapped.ainvoke(turn.messages, _ALONE, stop=stop or self.stop, **kwargs)
        await asyncio.to_thread(turn.close, reply)
        return _result(turn.with_evidence(reply))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        if self.wrapped is None:
            yield _chunk(self._answer(messages, stop, kwargs))
            return
        turn = self._open(messages)
        try:
            for piece in self.wrapped.stream(turn.messages, _ALONE, stop=stop or self.stop, **kwargs):
                yield ChatGenerationChunk(message=turn.take_chunk(piece))
        except GeneratorExit:  # the reader stopped early: the user's words are remembered all the same
            turn.close(None)
            raise
        turn.close(turn.streamed)

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        if self.wrapped is None:
            yield _chunk(await asyncio.to_thread(self._answer, messages, stop, kwargs))
            return
        turn = await asyncio.to_thread(self._open, messages)
        try:
            async for piece in self.wrapped.astream(turn.messages, _ALONE, stop=stop or self.stop, **kwargs):
                yield ChatGenerationChunk(message=turn.take_chunk(piece))
        except (GeneratorExit, asyncio.CancelledError):
            turn.close(None)
            raise
        await asyncio.to_thread(turn.close, turn.streamed)

    def _open(self, messages: Sequence[BaseMessage]) -> Turn:
        return open_turn(
            self.memory,
            messages,
            self.recalled,
            session=self.session,
            remembers=self.remembers,
            profile_budget=self.profile_budget,
        )

    def _answer(self, messages: list[BaseMessage], stop: list[str] | None, options: Mapping[str, Any]) -> AIMessage:
        """The reply of the memory's own model, which calls no tools and takes no option but `max_tokens`."""
        if options.get("tools"):
            raise InvalidInput("the memory's own model calls no tools: pass wrapped=, a chat model that does")
        turn = open_turn(self.memory, messages, 0, session=self.session, remembers=self.remembers)
        longest = int(options.get("max_tokens") or self.max_tokens)
        reply = conversation.respond(self.memory, [chat_message(message) for message in messages], max_tokens=longest)
        turn.close(None if reply.recalls else AIMessage(reply.text))
        return AIMessage(
            _until(reply.text, stop or self.stop),
            response_metadata={
                "model_name": self.memory.model.name,
                "model_provider": "hybridmem",
                "route": reply.route,
                "confidence": reply.confidence,
                "evidence": [hit.id for hit in reply.evidence],
                "adapter": reply.adapter,
            },
            usage_metadata={
                "input_tokens": reply.prompt_tokens,
                "output_tokens": reply.tokens,
                "total_tokens": reply.prompt_tokens + reply.tokens,
            },
        )

    # ---- what the wrapped model can do

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """This model with `tools` bound to the wrapped one. Raises `InvalidInput` without one."""
        bound = self._wrapped("tools").bind_tools(tools, tool_choice=tool_choice, **kwargs)
        if isinstance(bound, RunnableBinding) and bound.bound is self.wrapped:
            return self.bind(**bound.kwargs)
        return self._fronted(bound)

    def with_structured_output(
        self, schema: dict[str, Any] | type, *, include_raw: bool = False, **kwargs: Any
    ) -> Runnable[LanguageModelInput, Any]:
        """The wrapped model's structured output with recalled memories in its input. The user's words are remembered,
        the output is not. Raises `InvalidInput` without a wrapped model."""
        wrapped = self._wrapped("structured output")
        return self._fronted(wrapped.with_structured_output(schema, include_raw=include_raw, **kwargs))

    def _wrapped(self, what: str) -> BaseChatModel:
        if self.wrapped is None:
            raise InvalidInput(f"the memory's own model has no {what}: pass wrapped=, a chat model that does")
        return self.wrapped

    def _fronted(self, model: Runnable[LanguageModelInput, Any]) -> Runnable[LanguageModelInput, Any]:
        """Recalling followed by `model`, where that is no longer a chat model that this class could replace."""

        def recall(asked: LanguageModelInput) -> list[BaseMessage]:
            turn = self._open(_messages(asked))
            turn.close(None)
            return turn.messages

        return RunnableLambda(recall, name="recall") | model


def _messages(asked: LanguageModelInput) -> list[BaseMessage]:
    if isinstance(asked, PromptValue):
        return asked.to_messages()
    return convert_to_messages([asked] if isinstance(asked, str) else asked)


def _result(message: BaseMessage) -> ChatResult:
    return ChatResult(generations=[ChatGeneration(message=message)])


def _chunk(message: AIMessage) -> ChatGenerationChunk:
    return ChatGenerationChunk(
        message=AIMessageChunk(
            content=message.content,
            response_metadata=message.response_metadata,
            usage_metadata=message.usage_metadata,
            chunk_position="last",
        )
    )


def _until(text: str, stop: Sequence[str] | None) -> str:
    """`text` up to the first of `stop` in it."""
    return text[: min((text.index(end) for end in stop or () if end and end in text), default=len(text))]
