"""The calls of tools in one chat message, and what their results say, in the spellings of OpenAI (chat completions and
responses), Anthropic, LangChain, Bedrock, Gemini (its API and its command line's log) and Codex.

What `importers.message` leaves out of a memory, since nobody said it, is what is read here.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hybridmem.core.errors import InvalidInput
from hybridmem.importers.message import RESULT, plain, unwrapped, words
from hybridmem.skills.outcome import Verdict, of_result

_CALL_TYPES = ("tool_use", "server_tool_use", "function_call", "custom_tool_call", "local_shell_call", "tool_call")


@dataclass(frozen=True, slots=True)
class Call:
    """A tool, as it is called."""

    id: str
    """What its result names it by; "" where there is no such thing."""
    tool: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a call."""

    call: str
    """The id of the call; "" where the result names none."""
    verdict: Verdict | None


def calls_and_results(message: object) -> list[Call | Result]:
    """The calls and results of one message, in order. What cannot be read as one is passed over."""
    message = plain(message)
    if not isinstance(message, Mapping):
        return []
    message = unwrapped(message)
    found: list[Call | Result] = []
    content = message.get("content", message.get("parts"))
    for part in content if isinstance(content, list | tuple) else ():
        part = plain(part)
        if isinstance(part, Mapping):
            found += _of_part(part)
    listed = message.get("tool_calls")
    for each in listed if isinstance(listed, list | tuple) else ():
        each = plain(each)
        if isinstance(each, Mapping) and (call := _call(each)) and call.id not in _ids(found):
            found.append(call)
    recorded = message.get("toolCalls")
    for each in recorded if isinstance(recorded, list | tuple) else ():
        if isinstance(each, Mapping):
            found += _recorded(each)
    if isinstance(message.get("function_call"), Mapping) and (call := _call(message["function_call"])):
        found.append(call)
    if "role" not in message or message.get("type") in _CALL_TYPES:
        found += _of_part(message)
    if _is_result(message):
        found.append(_result(message, message.get("content")))
    return found


def _of_part(part: Mapping[str, Any]) -> Iterator[Call | Result]:
    kind = str(part.get("type"))
    for name in ("toolUse", "functionCall"):
        if isinstance(part.get(name), Mapping) and (call := _call(part[name])):
            yield call
    if kind in _CALL_TYPES and (call := _call(part)):
        yield call
    if isinstance(part.get("toolResult"), Mapping):
        yield _result(part["toolResult"], part["toolResult"].get("content"))
    elif isinstance(part.get("functionResponse"), Mapping):
        response = part["functionResponse"].get("response")
        held = response if isinstance(response, Mapping) else {}
        yield _result({**part["functionResponse"], **held}, held.get("output"))
    elif RESULT.fullmatch(kind):
        yield _result(part, next((part[name] for name in ("content", "output", "result") if name in part), None))


def _recorded(value: Mapping[str, Any]) -> Iterator[Call | Result]:
    """A call in Gemini CLI's log, which holds its result."""
    call = _call(value)
    if call is None:
        return
    yield call
    parts = value.get("result")
    answers = [_response(part) for part in (parts if isinstance(parts, list | tuple) else [parts])]
    said = [str(answer.get("output", answer.get("error", ""))) for answer in answers]
    yield _result({**(answers[-1] if answers else {}), **value}, "\n".join(said))


def _response(part: Any) -> Mapping[str, Any]:
    """What a function answered, of a part of Gemini's API; empty for any other part."""
    outer = part.get("functionResponse") if isinstance(part, Mapping) else None
    inner = outer.get("response") if isinstance(outer, Mapping) else None
    return inner if isinstance(inner, Mapping) else {}


def _call(value: Mapping[str, Any]) -> Call | None:
    inner = value["function"] if isinstance(value.get("function"), Mapping) else value
    action = value.get("action")
    if isinstance(action, Mapping):  # Codex's and OpenAI's shell
        inner = {"name": "shell", "arguments": {"command": action.get("command")}}
    name = inner.get("name")
    if not isinstance(name, str) or not name.strip():
        return None
    given: Any = next((inner[key] for key in ("arguments", "input", "args") if inner.get(key) is not None), {})
    return Call(_id(value), name, _arguments(given))


def _arguments(given: Any) -> Mapping[str, Any]:
    if isinstance(given, str):
        try:
            parsed = json.loads(given)
        except (ValueError, RecursionError):
            parsed = given
        given = parsed if isinstance(parsed, Mapping) else {"input": given}
    return {str(name): value for name, value in given.items()} if isinstance(given, Mapping) else {"input": given}


def _is_result(message: Mapping[str, Any]) -> bool:
    if message.get("tool_call_id"):
        return True
    return "tool" in (message.get("role"), message.get("type")) or message.get("role") == "function"


def _result(value: Mapping[str, Any], content: Any) -> Result:
    try:
        said, nested = words(content)
    except InvalidInput:
        said, nested = None, []
    text = "\n".join(each for each in (said, *nested) if each)
    if isinstance(content, Mapping):
        value = {**content, **value}
        text = text or json.dumps(content, default=str)
    return Result(_id(value, "tool_call_id", "tool_use_id"), of_result(value, text))


def _id(value: Mapping[str, Any], *names: str) -> str:
    found = (value.get(name) for name in (*names, "call_id", "toolUseId", "id"))
    return next((each for each in found if isinstance(each, str) and each), "")


def _ids(found: list[Call | Result]) -> set[str]:
    return {each.id for each in found if isinstance(each, Call) and each.id}
