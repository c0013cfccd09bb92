"""Whatever a log holds, a session is read or refused in one line."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybridmem.core.errors import InvalidInput
from hybridmem.memory import HybridMemory
from hybridmem.skills.calls import calls_and_results
from hybridmem.skills.learning import events
from hybridmem.skills.memory_kind import steps_of, steps_text
from hybridmem.skills.runs import runs
from hybridmem.skills.template import Template
from tests.skills.sessions import session

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


ARGUMENTS = st.dictionaries(st.text(max_size=8), LEAVES | st.floats() | JSON, max_size=4)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=10), ARGUMENTS)
def test_any_call_is_a_step_that_is_kept(memory: HybridMemory, task: str, tool: str, arguments: dict[str, Any]) -> None:
    before = memory.ledger.counts(memory.namespace).facts
    try:
        learned = memory.learn_skills(session(task, (tool, arguments, "", False)))
    except InvalidInput:
        return
    assert learned.runs <= 1
    assert memory.ledger.counts(memory.namespace).facts <= before + 1
    assert all(steps_of(memory.get(id)) for id in learned.facts)


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
