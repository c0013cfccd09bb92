"""Skills over HTTP."""

from __future__ import annotations

import json
from typing import Any

import httpx

from tests.server.conftest import READER, Server


def spoken(task: str, *tools: str) -> list[dict[str, Any]]:
    """A session as OpenAI's clients write it: every call ends with an exit code of 0."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": task, "at": "2026-03-01T09:00:00Z"}]
    for number, tool in enumerate(tools):
        call = {"id": f"c{number}", "function": {"name": tool, "arguments": json.dumps({"name": "quince"})}}
        messages.append({"role": "assistant", "content": None, "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"c{number}", "content": "exit code: 0"})
    return messages


def test_a_session_is_learned_from_and_its_procedure_recalled(ana: httpx.Client, server: Server) -> None:
    learned = ana.post(
        "/v1/skills", json={"messages": spoken("Pickle the quince", "peel", "boil"), "session": "kitchen"}
    )
    assert learned.status_code == 201, learned.text
    assert learned.json()["runs"] == 1
    (skill,) = ana.get("/v1/skills", params={"task": "pickle the medlar"}).json()["skills"]
    assert skill["facts"] == learned.json()["facts"]
    assert [step["arguments"] for step in skill["steps"]] == [{"name": "medlar"}] * 2
    assert (skill["successes"], skill["known_by"], skill["same_task"]) == (1, {"the exit code": 1}, True)
    assert ana.delete(f"/v1/memories/{skill['episodes'][0]}").json()["facts"] == skill["facts"]
    assert ana.get("/v1/skills", params={"failed": True}).json()["skills"] == []
    with server.client(READER) as reader:
        assert reader.post("/v1/skills", json={"messages": spoken("x", "y")}).status_code == 403
    assert ana.get("/v1/skills", params={"task": "x", "min_score": 2}).status_code == 422
