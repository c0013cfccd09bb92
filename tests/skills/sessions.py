"""Sessions of an agent, as messages, for the tests of skills."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

Done = tuple[str, dict[str, Any], str, bool | None]
"""A tool, its arguments, what it said, and its error flag (None for none)."""


def session(task: str, *done: Done, word: str = "", first: int = 0) -> list[dict[str, Any]]:
    """What a user asked, the calls that followed, and what the user said of them; as Anthropic writes messages."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": task}]
    for number, (tool, arguments, said, failed) in enumerate(done, first):
        call = {"type": "tool_use", "id": f"c{number}", "name": tool, "input": arguments}
        result: dict[str, Any] = {"type": "tool_result", "tool_use_id": f"c{number}", "content": said}
        messages.append({"role": "assistant", "content": [call]})
        messages.append({"role": "user", "content": [result if failed is None else {**result, "is_error": failed}]})
    return [*messages, *([{"role": "user", "content": word}] if word else [])]


def deployed(service: str, *, ok: bool = True, word: str = "") -> list[dict[str, Any]]:
    """A deployment of `service` in two steps."""
    built: Done = ("build", {"service": service}, "built", False)
    return session(f"Deploy {service}.", built, ("deploy", {"service": service}, "", not ok), word=word)


def tools_of(steps: Sequence[Any]) -> list[str]:
    return [step.tool for step in steps]
