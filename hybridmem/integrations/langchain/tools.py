"""Tools with which a model uses a memory by itself: `remember`, `recall` and `forget`."""

from __future__ import annotations

import asyncio
from typing import Any

from langchain_core.tools import BaseTool, StructuredTool, ToolException
from pydantic import BaseModel, Field

from hybridmem.conversation import HEADER
from hybridmem.core.errors import HybridMemError, StoreBusy, StoreError, TextTooLong, UnknownMemory
from hybridmem.core.records import to_json
from hybridmem.memory import HybridMemory
from hybridmem.models.prompts import one_line

SOURCE = "tool"
ADVICE: dict[type[HybridMemError], str] = {
    UnknownMemory: "recall returns the ids of memories",
    TextTooLong: "split it, and remember each part",
    StoreBusy: "",  # the message itself says to try again
    StoreError: "whoever runs this memory can mend that, and no tool can",
}
"""What the model can do about an error: it has these tools, and no shell."""


class RememberInput(BaseModel):
    text: str = Field(description="One complete statement that makes sense by itself, such as: Ana lives in Porto.")


class RecallInput(BaseModel):
    query: str = Field(description="What to look for, as a question or a few words.")
    limit: int = Field(default=5, ge=1, le=50, description="The most memories to return.")


class ForgetInput(BaseModel):
    id: str = Field(description="The id of the memory, as returned by remember or recall.")


def memory_tools(memory: HybridMemory) -> list[BaseTool]:
    """`remember`, `recall` and `forget` over `memory`, for `bind_tools` or an agent.

    Errors reach the model in one line. Recalled texts are quoted as data, and the hits are the tool message's artifact.
    What the model remembers has the trust of the agent."""

    def remember(text: str) -> str:
        try:
            (episode,) = memory.add(text, trust="agent", role="assistant", source=SOURCE)
        except HybridMemError as error:
            raise _refused(error) from None
        return f"remembered as {episode.id}"

    def recall(query: str, limit: int = 5) -> tuple[str, list[dict[str, Any]]]:
        try:
            hits = memory.search(query, limit=limit)
        except HybridMemError as error:
            raise _refused(error) from None
        if not hits:
            return "nothing is remembered about that", []
        lines = [f"- [{hit.id}] {one_line(hit.quoted)}" for hit in hits]
        return "\n".join([HEADER, *lines]), [to_json(hit) for hit in hits]

    def forget(id: str) -> str:
        try:
            receipt = memory.delete(id)
        except HybridMemError as error:
            raise _refused(error) from None
        places = ", ".join(f"{place} {count}" for place, count in receipt.removed.items() if count)
        return f"forgot {id} ({places})" + (f"; {receipt.pending}" if receipt.pending else "")

    return [
        _tool(remember, "Store something worth knowing later, in the words that it should be found by.", RememberInput),
        _tool(recall, "Look up what is remembered about something.", RecallInput, artifact=True),
        _tool(forget, "Erase one memory for good, by its id.", ForgetInput),
    ]


def _refused(error: HybridMemError) -> ToolException:
    return ToolException(one_line(error.advised(ADVICE)))


def _tool(function: Any, description: str, schema: type[BaseModel], *, artifact: bool = False) -> BaseTool:
    async def asynchronous(**arguments: Any) -> Any:
        return await asyncio.to_thread(function, **arguments)

    return StructuredTool.from_function(
        func=function,
        coroutine=asynchronous,
        name=function.__name__,
        description=description,
        args_schema=schema,
        response_format="content_and_artifact" if artifact else "content",
        handle_tool_error=True,
    )
