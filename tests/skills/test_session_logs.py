"""Skills from files of agents' sessions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hybridmem.core.errors import InvalidInput
from hybridmem.memory import HybridMemory
from tests.skills.sessions import deployed, tools_of


def claude_code(messages: list[dict[str, Any]], **more: Any) -> str:
    lines = [
        {
            "type": message["role"],
            "message": message,
            "uuid": f"u{number}",
            "sessionId": "s1",
            "timestamp": f"2026-03-01T09:00:{number:02}Z",
            **more,
        }
        for number, message in enumerate(messages)
    ]
    return "".join(f"{json.dumps(line)}\n" for line in lines)


def codex(messages: list[dict[str, Any]]) -> str:
    lines: list[dict[str, Any]] = [{"type": "session_meta", "payload": {"id": "s2"}}]
    for message in messages:
        items = [{"type": "message", **message}] if isinstance(message["content"], str) else []
        for part in message["content"] if isinstance(message["content"], list) else ():
            if part["type"] == "tool_use":
                arguments = json.dumps(part["input"])
                items.append(
                    {"type": "function_call", "call_id": part["id"], "name": part["name"], "arguments": arguments}
                )
            else:
                output = json.dumps({"output": "", "metadata": {"exit_code": int(part["is_error"])}})
                items.append({"type": "function_call_output", "call_id": part["tool_use_id"], "output": output})
        lines += [{"type": "response_item", "timestamp": "2026-03-01T09:00:00Z", "payload": item} for item in items]
    return "".join(f"{json.dumps(line)}\n" for line in lines)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("claude.jsonl", claude_code(deployed("alpha", word="Thanks, that worked!"))),
        ("rollout.jsonl", codex(deployed("alpha", word="Thanks, that worked!"))),
        ("chat.json", json.dumps({"messages": deployed("alpha", word="Thanks, that worked!")})),
        ("chat.jsonl", "".join(f"{json.dumps(each)}\n" for each in deployed("alpha", word="Thanks, that worked!"))),
    ],
)
def test_a_file_is_learned_from_once(memory: HybridMemory, tmp_path: Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    learned = memory.learn_skills_from(file)
    assert (learned.runs, learned.already, learned.without_source) == (1, 0, 0)
    (skill,) = memory.skills()
    assert (skill.task, tools_of(skill.steps), skill.successes) == ("Deploy {service}", ["build", "deploy"], 1)
    assert memory.get(skill.episodes[0]).text == "Deploy alpha."
    again = memory.learn_skills_from(file)
    assert (again.runs, again.already) == (0, 1)
    assert memory.skills() == [skill]


def test_a_request_that_was_erased_carries_nothing(memory: HybridMemory, tmp_path: Path) -> None:
    file = tmp_path / "claude.jsonl"
    file.write_text(claude_code(deployed("alpha")))
    memory.learn_skills_from(file)
    memory.delete(memory.skills()[0].episodes[0])
    learned = memory.learn_skills_from(file)
    assert (learned.runs, learned.without_source) == (0, 1)
    assert memory.skills(failed=True) == []


def test_other_agents_and_summaries_are_left_out(memory: HybridMemory, tmp_path: Path) -> None:
    file = tmp_path / "claude.jsonl"
    file.write_text(claude_code(deployed("alpha"), isSidechain=True))
    assert memory.learn_skills_from(file).runs == 0


def test_what_may_go_on_waits(memory: HybridMemory, tmp_path: Path) -> None:
    file = tmp_path / "chat.json"
    done = deployed("alpha")
    for message in done[2::2]:
        message["content"][0].pop("is_error")
    file.write_text(json.dumps({"messages": done}))
    assert memory.learn_skills_from(file).runs == 0
    file.write_text(json.dumps({"messages": [*done, {"role": "user", "content": "That worked!"}]}))
    assert memory.learn_skills_from(file).runs == 1


def test_the_same_words_twice_are_two_requests(memory: HybridMemory, tmp_path: Path) -> None:
    file = tmp_path / "claude.jsonl"
    file.write_text(claude_code([*deployed("alpha"), *deployed("alpha", ok=False)]))
    assert memory.learn_skills_from(file).runs == 2
    (skill,) = memory.skills(failed=True)
    assert (skill.successes, skill.failures, len(skill.episodes)) == (1, 1, 2)


def test_a_file_that_is_none_is_refused(memory: HybridMemory, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no file"):
        memory.learn_skills_from(tmp_path / "none.jsonl")
    with pytest.raises(InvalidInput, match="name one file in it"):
        memory.learn_skills_from(tmp_path)


def test_a_chat_without_tools_teaches_nothing(memory: HybridMemory, tmp_path: Path) -> None:
    file = tmp_path / "chat.json"
    file.write_text(json.dumps([{"role": "user", "content": "I moved to Porto."}]))
    assert memory.learn_skills_from(file).runs == 0
    assert len(memory.list()) == 1
    text = tmp_path / "chat.txt"
    text.write_text("Ana: I moved to Porto.\nBo: Nice!\n")
    with pytest.raises(InvalidInput, match="not valid JSON"):
        memory.learn_skills_from(text)
    assert len(memory.list()) == 1
