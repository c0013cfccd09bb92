"""A chat model that calls tools by plain rules: it passes LangChain's suite alone, so that the suite says of the
memory in front of it whether everything passes through."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.messages.tool import tool_call, tool_call_chunk
from langchain_core.output_parsers import JsonOutputParser, PydanticOutputParser
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool
from pydantic import Field


class ToolCallingChatModel(BaseChatModel):
    """Calls the tool that it must, or that the user names; says "Heard: ..." otherwise. `heard` keeps what it read."""

    heard: list[list[BaseMessage]] = Field(default_factory=list)
    options: list[dict[str, Any]] = Field(default_factory=list)
    stop: list[str] | None = None

    @property
    def _llm_type(self) -> str:
        return "tool-calling-double"

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> Any:
        named = {"ls_provider": "double", "ls_model_type": "chat", "ls_model_name": kwargs.get("model", "double-1")}
        return {**super()._get_ls_params(stop=stop, **kwargs), **named}

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],
        *,
        tool_choice: str | None = None,
        **kwargs: Any,
    ) -> Runnable[LanguageModelInput, AIMessage]:
        formatted = [convert_to_openai_tool(tool) for tool in tools]
        return self.bind(tools=formatted, tool_choice=tool_choice, **kwargs)

    def with_structured_output(
        self, schema: Any, *, include_raw: bool = False, method: str = "function_calling", **kwargs: Any
    ) -> Runnable[LanguageModelInput, Any]:
        if method != "json_mode":
            return super().with_structured_output(schema, include_raw=include_raw)
        parser: Any = PydanticOutputParser(pydantic_object=schema) if isinstance(schema, type) else JsonOutputParser()
        return self.bind(response_format={"type": "json_object"}) | parser

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self._reply(messages, stop, kwargs))])

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        reply = self._reply(messages, stop, kwargs)
        words = re.findall(r"\s*\S+", str(reply.content)) or [""]
        for place, word in enumerate(words):
            last = place == len(words) - 1
            chunk = AIMessageChunk(
                word,
                id=reply.id,
                tool_call_chunks=[
                    tool_call_chunk(name=call["name"], args=json.dumps(call["args"]), id=call["id"], index=number)
                    for number, call in enumerate(reply.tool_calls if last else [])
                ],
                usage_metadata=reply.usage_metadata if last else None,
                response_metadata=reply.response_metadata if last else {},
                chunk_position="last" if last else None,
            )
            yield ChatGenerationChunk(message=chunk)

    def _reply(self, messages: list[BaseMessage], stop: list[str] | None, options: dict[str, Any]) -> AIMessage:
        self.heard.append(messages)
        self.options.append({"stop": stop, **options})
        said = next((message.text for message in reversed(messages) if message.type == "human"), "")
        wanted = self._wanted(messages, said, options.get("tools") or [], options.get("tool_choice"))
        calls = [tool_call(name=tool["name"], args=_arguments(tool, said), id="call_1") for tool in wanted]
        text = '{"setup": "Why?", "punchline": "Because."}' if options.get("response_format") else f"Heard: {said}"
        return AIMessage(
            "" if calls else text,
            id="run--double",
            tool_calls=calls,
            usage_metadata={"input_tokens": len(messages), "output_tokens": 2, "total_tokens": len(messages) + 2},
            response_metadata={"model_name": options.get("model", "double-1"), "model_provider": "double"},
        )

    def _wanted(
        self, messages: list[BaseMessage], said: str, tools: list[Any], choice: str | None
    ) -> list[dict[str, Any]]:
        functions = [tool["function"] for tool in tools]
        if not functions or isinstance(messages[-1], ToolMessage):
            return []
        named = [function for function in functions if function["name"] == choice or _is_named(function, said)]
        if named or choice != "any":
            return named[:1]
        return functions[:1]


def _is_named(function: dict[str, Any], said: str) -> bool:
    """Whether a long word of its name was said."""
    return any(word in said.lower() for word in function["name"].split("_") if len(word) > 4)


def _arguments(function: dict[str, Any], said: str) -> dict[str, Any]:
    """An argument for each that the tool asks for: a number that was said, or what was said between quotes."""
    number = re.search(r"\((\d+)\)", said)
    quoted = re.findall(r"'(\S+)'", said)
    asked: dict[str, Any] = function.get("parameters", {}).get("properties", {})
    required = function.get("parameters", {}).get("required", list(asked))
    told: dict[str, Any] = {}
    for name, schema in asked.items():
        if name in required:
            whole = schema.get("type") in {"integer", "number"}
            told[name] = int(number[1]) if whole and number else 1 if whole else quoted[-1] if quoted else "Porto"
    return told
