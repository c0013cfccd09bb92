"""Messages as client libraries write them: parts, one part, objects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import Any

import pytest

from hybridmem import HybridMemory
from hybridmem.core.errors import InvalidInput
from hybridmem.core.roles import trust_of
from hybridmem.importers.message import turns


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    with HybridMemory.open(tmp_path / "home", ledger="memory", vectors="memory", embedder="hashing") as memory:
        yield memory


def added(memory: HybridMemory, content: Any) -> list[tuple[str, str, str]]:
    return [(episode.role, episode.trust, episode.text) for episode in memory.add(content)]


def test_one_part_is_a_content(memory: HybridMemory) -> None:
    picture = {"type": "image_url", "image_url": {"url": "https://example.com/r.jpg"}}
    messages = [
        {"role": "user", "content": {"type": "text", "text": "I am allergic to nuts."}},
        {"role": "user", "content": picture},
        {"role": "user", "content": [picture, "And to eggs."]},
    ]
    expected = [("user", "user", "I am allergic to nuts."), ("user", "user", "And to eggs.")]
    assert added(memory, messages) == expected
    with pytest.raises(InvalidInput, match="no messages to remember"):
        memory.add([{"role": "user", "content": picture}])


def test_a_single_message_is_one(memory: HybridMemory) -> None:
    assert added(memory, {"role": "user", "content": "I sing."}) == [("user", "user", "I sing.")]


def test_the_turns_of_a_tool_call_keep_the_others(memory: HybridMemory) -> None:
    calls = [{"id": "1", "type": "function", "function": {"name": "clock", "arguments": "{}"}}]
    messages = [
        {"role": "user", "content": "What time is it in Porto?"},
        {"role": "assistant", "content": "", "tool_calls": calls},
        {"role": "assistant", "tool_calls": calls},
        {"role": "tool", "tool_call_id": "1", "content": "10:35"},
        {"role": "assistant", "content": "It is 10:35."},
    ]
    assert [role for role, _, _ in added(memory, messages)] == ["user", "tool", "assistant"]


def test_langchains_objects(memory: HybridMemory) -> None:
    messages = pytest.importorskip("langchain_core.messages")
    said = [messages.HumanMessage("I adopted a ferret."), messages.AIMessage([{"type": "text", "text": "Lovely!"}])]
    assert added(memory, said) == [("user", "user", "I adopted a ferret."), ("assistant", "agent", "Lovely!")]
    assert added(memory, messages.HumanMessage("Her name is Pip.")) == [("user", "user", "Her name is Pip.")]


def test_openais_objects(memory: HybridMemory) -> None:
    types = pytest.importorskip("openai.types.chat")
    reply = types.ChatCompletionMessage(role="assistant", content="Lovely!")
    said = [{"role": "user", "content": "I adopted a ferret."}, reply]
    assert added(memory, said)[1] == ("assistant", "agent", "Lovely!")


def test_anthropics_blocks(memory: HybridMemory) -> None:
    types = pytest.importorskip("anthropic.types")
    block = types.TextBlock(type="text", text="Lovely!")
    assert added(memory, [{"role": "assistant", "content": [block]}]) == [("assistant", "agent", "Lovely!")]


@pytest.mark.parametrize(
    "fields",
    [
        {
            "creator": {"name": "Ivo", "user_type": "Human"},
            "created_date": "Tuesday, November 14, 2023 at 10:13:20\u202fPM UTC",
        },
        {"sender_full_name": "Ivo", "timestamp": 1_700_000_000},
        {"sender": {"displayName": "Ivo"}, "createdDateTime": "2023-11-14T22:13:20Z", "type": "Note"},
        {"author_name": "Ivo", "date_sent": "2023-11-14T22:13:20Z", "type": "Generic"},
        {"author": {"nickname": "Ivo"}, "timestamp_ms": 1_700_000_000_000},
    ],
)
def test_a_writer_by_any_field_is_a_participant_and_not_the_user(fields: dict[str, Any]) -> None:
    (turn,) = turns({"text": "I moved to Porto.", **fields})
    assert (turn.role, turn.speaker, turn.trust) == ("participant", "Ivo", "web")
    assert turn.at == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def test_a_chat_with_a_character() -> None:
    (own,) = turns({"name": "Ana", "is_user": True, "mes": "I broke my arm.", "send_date": "January 5, 2024 10:01am"})
    (other,) = turns({"name": "Seraphina", "is_user": False, "mes": "Oh no."})
    assert (own.role, own.trust, own.text) == ("user", "user", "I broke my arm.")
    assert own.at is not None and own.at.replace(tzinfo=None) == datetime(2024, 1, 5, 10, 1)
    assert (other.role, other.speaker, other.trust) == ("assistant", "Seraphina", "agent")


def test_gemini_s_parts() -> None:
    (turn,) = turns({"role": "model", "parts": [{"text": "Noted."}, {"inlineData": {}}]})
    assert (turn.role, turn.trust, turn.text) == ("assistant", "agent", "Noted.")


@pytest.mark.parametrize("role", ["gemini", "bot", "gpt", "ipython", "observation", "critic", "browser", "participant"])
def test_nobody_else_is_trusted_like_the_user(role: str) -> None:
    (turn,) = turns({"role": role, "content": "The policy is off."})
    assert turn.trust != "user" and turn.role != "user"
    assert trust_of("anything") == "web"


def test_the_short_forms_of_a_conversation(memory: HybridMemory) -> None:
    assert added(memory, [("user", "I adopted a ferret."), ("ai", "Lovely!")])[1] == ("assistant", "agent", "Lovely!")
    state = {"messages": [{"role": "user", "content": "Her name is Pip."}], "remaining_steps": 3}
    assert added(memory, state) == [("user", "user", "Her name is Pip.")]


def test_a_part_without_words_costs_itself_alone() -> None:
    parts = [None, {"type": "text", "text": {"value": "The sum is 4.", "annotations": []}}, {"type": "text"}]
    (turn,) = turns({"role": "assistant", "content": parts})
    assert turn.text == "The sum is 4."
    assert turns({"role": "assistant", "content": "\u200b"}) == []


@pytest.mark.parametrize("field", ["time", "datetime", "created", "createdAt", "create_time", "sent_at", "sentAt"])
def test_a_time_by_any_of_its_names(field: str) -> None:
    (turn,) = turns({"content": "x", field: "2026-03-01T09:00:00Z"})
    assert turn.at == datetime(2026, 3, 1, 9, tzinfo=UTC)
    (turn,) = turns({"content": "x", field: "three hours"})
    assert turn.at is None and turn.metadata[field] == "three hours"


TEA, NOTED, TIME = ("user", "user", "I like tea."), ("assistant", "agent", "Noted."), ("tool", "tool", "10:35")
ASKED = {"role": "user", "content": "I like tea."}


@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        pytest.param(
            [
                ASKED,
                {"type": "reasoning", "id": "rs", "summary": [{"type": "summary_text", "text": "The user likes"}]},
                {"type": "web_search_call", "id": "ws", "action": {"type": "search", "query": "tea"}},
                {"type": "function_call", "call_id": "c", "name": "clock", "arguments": "{}"},
                {"type": "function_call_output", "call_id": "c", "output": "10:35"},
                {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Noted."}]},
            ],
            [TEA, TIME, NOTED],
            id="OpenAI's responses",
        ),
        pytest.param(
            [ASKED, {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "The user likes"}]}],
            [TEA],
            id="open reasoning",
        ),
        pytest.param(
            [
                {"role": "user", "content": [{"text": "I like tea."}, {"image": {"format": "png"}}]},
                {"role": "assistant", "content": [{"reasoningContent": {}}, {"toolUse": {"toolUseId": "1"}}]},
                {"role": "user", "content": [{"toolResult": {"toolUseId": "1", "content": [{"text": "10:35"}]}}]},
            ],
            [TEA, TIME],
            id="Bedrock",
        ),
        pytest.param(
            [
                {"role": "user", "parts": [{"type": "text", "text": "I like tea."}]},
                {
                    "role": "assistant",
                    "parts": [
                        {"type": "step-start"},
                        {"type": "reasoning", "text": "The user likes"},
                        {"type": "tool-clock", "state": "output-available", "output": {"time": "10:35"}},
                        {"type": "text", "text": "Noted."},
                    ],
                },
            ],
            [TEA, NOTED],
            id="Vercel's SDK",
        ),
        pytest.param(
            [{"role": "user", "parts": [{"type": "text", "content": "I like tea."}]}], [TEA], id="OpenTelemetry"
        ),
        pytest.param(
            [{"role": "user", "blocks": [{"block_type": "text", "text": "I like tea."}]}], [TEA], id="LlamaIndex"
        ),
        pytest.param(
            [{"role": "USER", "message": "I like tea."}, {"role": "CHATBOT", "message": "Noted."}],
            [TEA, NOTED],
            id="Cohere",
        ),
        pytest.param([("human", [{"type": "text", "text": "I like tea."}])], [TEA], id="a pair with parts"),
        pytest.param(
            [{"role": "assistant", "content": [{"type": "redacted_thinking", "data": "x"}, {"text": "Noted."}]}],
            [NOTED],
            id="Anthropic",
        ),
    ],
)
def test_what_other_programs_call_messages(
    memory: HybridMemory, messages: Any, expected: list[tuple[str, str, str]]
) -> None:
    assert added(memory, messages) == expected


def test_a_dataclass_is_a_message(memory: HybridMemory) -> None:
    @dataclass
    class Message:
        role: str
        content: str
        timestamp: datetime

    moment = datetime(2026, 3, 1, 9, tzinfo=UTC)
    (episode,) = memory.add([Message("user", "I like tea.", moment)])
    assert (episode.role, episode.text, episode.at) == ("user", "I like tea.", moment)


def test_a_long_type_takes_no_time() -> None:
    started = perf_counter()
    assert turns({"type": "a_" * 5000, "content": "x"})[0].trust == "web"
    assert perf_counter() - started < 1


def test_results_within_results_end_somewhere(memory: HybridMemory) -> None:
    part: dict[str, Any] = {"type": "tool_result"}
    part["content"] = [part]
    with pytest.raises(InvalidInput, match="nested"):
        memory.add([{"role": "user", "content": [part]}])
