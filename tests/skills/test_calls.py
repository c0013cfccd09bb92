"""Calls and results in the spellings of those who write them."""

from __future__ import annotations

from typing import Any

import pytest

from hybridmem.skills.calls import Call, Result, calls_and_results
from hybridmem.skills.steps import step
from hybridmem.skills.template import Template

CALLS: dict[str, Any] = {
    "openai": {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "run", "arguments": '{"path": "a"}'}}],
    },
    "anthropic": {
        "role": "assistant",
        "content": [
            {"type": "text", "text": "I run it."},
            {"type": "tool_use", "id": "c1", "name": "run", "input": {"path": "a"}},
        ],
    },
    "langchain": {"type": "ai", "content": "", "tool_calls": [{"id": "c1", "name": "run", "args": {"path": "a"}}]},
    "langchain, dumped": {
        "type": "ai",
        "data": {"content": "", "tool_calls": [{"id": "c1", "name": "run", "args": {"path": "a"}}]},
    },
    "responses": {"type": "function_call", "call_id": "c1", "id": "fc_9", "name": "run", "arguments": '{"path": "a"}'},
    "bedrock": {
        "role": "assistant",
        "content": [{"toolUse": {"toolUseId": "c1", "name": "run", "input": {"path": "a"}}}],
    },
}
RESULTS: dict[str, Any] = {
    "openai": {"role": "tool", "tool_call_id": "c1", "content": "Exit code: 1"},
    "anthropic": {
        "role": "user",
        "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "no", "is_error": True}],
    },
    "langchain": {"type": "tool", "tool_call_id": "c1", "content": "no", "status": "error"},
    "responses": {
        "type": "function_call_output",
        "call_id": "c1",
        "output": '{"output": "", "metadata": {"exit_code": 1}}',
    },
    "codex": {"type": "function_call_output", "call_id": "c1", "output": {"content": "no", "success": False}},
    "bedrock": {
        "role": "user",
        "content": [{"toolResult": {"toolUseId": "c1", "content": [{"text": "no"}], "status": "error"}}],
    },
}


@pytest.mark.parametrize("name", CALLS)
def test_a_call(name: str) -> None:
    assert calls_and_results(CALLS[name]) == [Call("c1", "run", {"path": "a"})]


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_that_failed(name: str) -> None:
    (result,) = calls_and_results(RESULTS[name])
    assert isinstance(result, Result) and result.call == "c1"
    assert result.verdict is not None and result.verdict.outcome == "failure"


def test_gemini_has_no_ids() -> None:
    (call,) = calls_and_results({"role": "model", "parts": [{"functionCall": {"name": "run", "args": {"path": "a"}}}]})
    assert call == Call("", "run", {"path": "a"})
    (result,) = calls_and_results(
        {"role": "user", "parts": [{"functionResponse": {"name": "run", "response": {"output": "ok", "exit_code": 0}}}]}
    )
    assert isinstance(result, Result) and result.verdict is not None and result.verdict.outcome == "success"


@pytest.mark.parametrize(
    "message",
    [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "x"}]},
        "Hi",
        3,
        {},
    ],
)
def test_what_is_neither(message: object) -> None:
    assert calls_and_results(message) == []


def test_broken_arguments_are_one_argument() -> None:
    message = {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "run", "arguments": "{broken"}}]}
    assert calls_and_results(message) == [Call("c", "run", {"input": "{broken"})]


def test_no_secret_and_no_content_is_part_of_a_step() -> None:
    arguments = {
        "password": "hunter2",
        "api_token": "abc",
        "pin": 48213,
        "max_tokens": 100,
        "header": "Authorization: Bearer sk-proj-abcdefghijklmnopqrstuvwxyz0123456789",
        "patch": "one\ntwo",
        "long": "x" * 500,
        "rows": [{"a": 1}],
        "options": {"deep": True},
        "command": ["pytest", "-q"],
        "force": True,
        "none": None,
    }
    text = step("run", arguments).text
    for secret in ("hunter2", "abc", "48213", "sk-proj"):
        assert secret not in text
    kept = step("run", arguments).arguments
    assert (kept["max_tokens"], kept["force"], kept["none"], kept["command"]) == (100, True, None, "pytest -q")
    assert (kept["patch"], kept["long"], kept["rows"], kept["options"]) == ("<text>", "<text>", "<list>", "<object>")


def test_a_word_that_is_part_of_another_is_no_blank() -> None:
    template = Template.of("Deploy alphabet", [step("deploy", {"service": "alpha"})])
    assert template.task == "Deploy alphabet"
    assert Template.of("alpha", [step("deploy", {"service": "alpha"})]).task == "alpha"
