"""Whatever a log holds, a session is read or refused in one line."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hybridmem.core.errors import InvalidInput
from hybridmem.skills.calls import calls_and_results
from hybridmem.skills.learning import events
from hybridmem.skills.memory_kind import steps_text
from hybridmem.skills.runs import runs
from hybridmem.skills.template import Template

MESSAGE = ["role", "content", "type", "text", "parts", "tool_calls", "function_call", "metadata", "exit_code"]
CALL = ["function", "name", "arguments", "input", "args", "action", "command", "id", "call_id", "tool_call_id"]
RESULT = ["output", "is_error", "status", "toolUse", "toolResult", "functionCall", "functionResponse", "response"]
KEYS = st.sampled_from([*MESSAGE, *CALL, *RESULT])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=12)
WORDS = st.sampled_from(
    ["user", "assistant", "tool", "tool_use", "tool_result", "function_call", "local_shell_call", "{}"]
)
JSON = st.recursive(
    LEAVES | WORDS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=12
)


@settings(max_examples=40, deadline=None)
@given(st.lists(JSON, max_size=4))
def test_any_json_is_read_or_refused(messages: list[Any]) -> None:
    for each in messages:
        calls_and_results(each)
    try:
        found = list(runs(events(messages)))
    except InvalidInput:
        return
    for run in found:
        template = Template.of(run.task, run.steps)
        assert "\n" not in steps_text(template.steps)
        assert template.filled(run.task) is not None
