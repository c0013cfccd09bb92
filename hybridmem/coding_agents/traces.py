"""What an agent without a log called: one small file for each session in the memory folder, until skills are learned
from it. It has the requests by their ids and the calls by their shape, without secrets and without long texts.

It is written between two steps of the agent: this module imports little."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybridmem.skills.outcome import of_result
from hybridmem.skills.steps import step

if TYPE_CHECKING:
    from hybridmem.coding_agents.hook_event import Called


def note(file: Path, requests: Iterable[str], calls: Iterable[Called]) -> None:
    """Add requests, by the ids of their memories, and calls to the trace."""
    lines: list[dict[str, Any]] = [{"request": id} for id in requests]
    for each in calls:
        done = step(each.tool, each.arguments)
        verdict = of_result(each.result, each.text)
        ended = {} if verdict is None else {"outcome": verdict.outcome, "known_by": verdict.known_by}
        lines.append({"tool": done.tool, "arguments": dict(done.arguments), **ended})
    if lines:
        with file.open("a", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write("".join(f"{json.dumps(line)}\n" for line in lines))
