"""Shapes that programs write beside those that they document: envelopes, cut lists, names for roles, chats as text."""

from __future__ import annotations

import json
import time
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hybridmem.core.errors import EmptyText, InvalidInput, UnknownFormat
from hybridmem.importers import BrokenLine, ImportedFact, ImportedTurn, LeftOut, read
from tests.importers import exports


def written(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def said(path: Path, **options: Any) -> list[tuple[str, str, str]]:
    return [(each.role, each.trust, each.text) for each in read(path, **options) if isinstance(each, ImportedTurn)]


def left_out(path: Path) -> list[str]:
    return [each.reason for each in read(path) if isinstance(each, LeftOut)]


def lines(*values: Any) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


# ---- whose words they are


@pytest.mark.parametrize(
    ("message", "role", "trust"),
    [
        ({"sender": "GPT-4", "text": "x", "isCreatedByUser": False}, "assistant", "agent"),
        ({"sender": "User", "text": "x", "isCreatedByUser": True}, "user", "user"),
        ({"sender": "Ivo", "text": "x"}, "participant", "web"),
        ({"sender": "assistant", "text": "x"}, "assistant", "agent"),
        ({"author": "Claude 3.5 Sonnet", "content": "x"}, "assistant", "agent"),
        ({"author": {"role": "tool", "name": "python"}, "content": "x"}, "tool", "tool"),
        ({"from": "Ivo", "text": "x", "fromMe": False}, "participant", "web"),
        ({"from": "gpt", "value": "x"}, "assistant", "agent"),
        ({"from": "human", "value": "x"}, "user", "user"),
        ({"name": "assistant", "text": "x"}, "assistant", "agent"),
        ({"speaker": "Ana", "text": "x"}, "user", "user"),
        ({"text": "x"}, "user", "user"),
    ],
)
def test_who_says_a_message_without_a_role(tmp_path: Path, message: dict[str, Any], role: str, trust: str) -> None:
    assert (
        said(written(tmp_path, "a.jsonl", lines(message, message | {"id": "other message"})))
        == [(role, trust, "x")] * 2
    )


def test_a_table_has_senders(tmp_path: Path) -> None:
    rows = 'sep=;\ndate;sender;message\n01.03.2026;assistant;Hi\n2.3.2026;Ivo;"I moved;\nto Riga"\n2026-03-02;;mine\n'
    entries = [each for each in read(written(tmp_path, "a.csv", rows)) if isinstance(each, ImportedTurn)]
    assert [(each.role, each.speaker, each.text) for each in entries] == [
        ("assistant", None, "Hi"), ("participant", "Ivo", "I moved;\nto Riga"), ("user", None, "mine"),
    ]  # fmt: skip
    assert [str(each.at.date()) for each in entries if each.at] == ["2026-03-01", "2026-03-02", "2026-03-02"]
    assert said(written(tmp_path, "b.csv", rows.encode("utf-16"))) == said(tmp_path / "a.csv")


CHAT = [
    ("user", "user", "I live in Riga."),
    ("assistant", "agent", "I live in a server.\n\nIt is cold."),
    ("user", "user", "ok"),
]


@pytest.mark.parametrize(
    "text",
    [
        "User: I live in Riga.\nAssistant: I live in a server.\n\nIt is cold.\nUser: ok\n",
        "**User:** I live in Riga.\n\n**ChatGPT:** I live in a server.\n\nIt is cold.\n\n**User:** ok\n",
        "**You**\nI live in Riga.\n\n**GPT-4o**\nI live in a server.\n\nIt is cold.\n\n**You**\nok\n",
        "## User\nI live in Riga.\n\n## Assistant\nI live in a server.\n\nIt is cold.\n\n## User\nok\n",
        "[09:00] Human: I live in Riga.\n[09:01] AI: I live in a server.\n\nIt is cold.\n[09:02] Human: ok\n",
    ],
)
@pytest.mark.parametrize("name", ["chat.txt", "chat.md"])
def test_a_chat_with_an_assistant_as_text(tmp_path: Path, name: str, text: str) -> None:
    assert said(written(tmp_path, name, text)) == CHAT
    assert said(written(tmp_path, name, f"My export of 1 March\n\n{text}")) == [
        ("document", "web", "My export of 1 March"),
        *CHAT,
    ]


def test_the_front_matter_of_a_chat_is_no_turn(tmp_path: Path) -> None:
    chat = "## User\nI live in Riga.\n\n## Assistant\nNoted.\n"
    assert said(written(tmp_path, "a.md", f"---\ntitle: A chat\n---\n{chat}")) == said(written(tmp_path, "b.md", chat))
    assert len(said(written(tmp_path, "c.md", f"---\n{chat}"))) == 3


def test_a_list_of_fields_is_no_chat(tmp_path: Path) -> None:
    assert said(written(tmp_path, "a.txt", "Model: X200\nSystem: Debian\nUser: ana\nAgent: 7\n"))[0][2] == "Model: X200"


def test_what_instructions_name_is_read_with_them(tmp_path: Path) -> None:
    written(tmp_path, "AGENTS.md", "# Style\nSee @docs/style.md\n")
    written(tmp_path, "docs/style.md", "Always be brief. @more.md\n")
    written(tmp_path, "docs/more.md", "Use uv.\n")
    written(tmp_path, "docs/note.md", "My own note.\n")
    written(tmp_path, ".cursor/rules/a.mdc", "---\nglobs: '*.py'\n---\nUse ruff.\n")
    written(tmp_path, ".github/copilot-instructions.md", "Use mypy.\n")
    written(tmp_path, ".github/secret.md", "hidden\n")
    found = sorted(said(tmp_path))
    assert [role for role, _, _ in found] == ["system"] * 5 + ["user"]
    assert found[-1][2].endswith("My own note.")


# ---- shapes of JSON


@pytest.mark.parametrize(
    "content",
    [
        {"data": [{"role": "user", "content": [{"type": "text", "text": {"value": "I sing.", "annotations": []}}]}]},
        {"conversations": [{"from": "human", "value": "I sing."}]},
        [{"id": "c", "chat": {"messages": [{"id": "1", "role": "user", "content": "I sing."}]}}],
        {"choices": [{"message": {"role": "user", "content": "I sing."}}]},
        '[{"role": "user", "content": "I sing."},]',
        '[{"role": "user", "content": "I sing."}, {"role": "user", "con',
        '{\n  "role": "user",\n  "content": "I sing."\n}\n{\n  "role": "user",\n  "content": ""\n}\n',
    ],
)
def test_messages_in_other_envelopes(tmp_path: Path, content: Any) -> None:
    assert said(written(tmp_path, "a.json", content)) == [("user", "user", "I sing.")]


def test_an_export_within_an_object(tmp_path: Path) -> None:
    node = {"id": "a", "parent": None, "message": {"author": {"role": "user"}, "content": {"parts": ["I sing."]}}}
    chat = {"title": "T", "mapping": {"a": node}, "current_node": "a"}
    assert said(written(tmp_path, "a.json", {"conversations": [chat, {"broken": True}]})) == [
        ("user", "user", "I sing.")
    ]
    assert any(isinstance(each, BrokenLine) for each in read(tmp_path / "a.json"))


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("a.json", "null", "without messages"),
        ("a.json", '"a text"', "without messages"),
        ("a.csv", "a,b\n1,2\n", "text column"),
        ("a.rtf", "{\\rtf1 hi}", "RTF"),
        ("a.txt", "BEGIN:VCALENDAR\nEND:VCALENDAR\n", "calendar"),
        ("a.srt", "1\n00:00:01,000 --> 00:00:02,000\nHello\n", "subtitles"),
        ("a.vtt", "WEBVTT\n\n00:01.000 --> 00:02.000\nHello\n", "subtitles"),
        ("a.eml", "From: a@b\nTo: c@d\nDate: Sun, 1 Mar 2026 09:00:00 +0000\nSubject: Hi\n\nI moved.\n", "mail"),
        ("a.xml", "<?xml version='1.0'?><a/>", "XML"),
    ],
)
def test_what_holds_words_in_another_form_is_refused(tmp_path: Path, name: str, content: str, why: str) -> None:
    with pytest.raises(UnknownFormat, match=why):
        list(read(written(tmp_path, name, content)))


@pytest.mark.parametrize("text", ["Ana: Hello there\nBen: Hi\n\nAna: ok\n", "Date: today\nTo: buy milk\n\nand eggs\n"])
def test_lines_with_colons_are_no_mail(tmp_path: Path, text: str) -> None:
    assert said(written(tmp_path, "a.txt", text))


@pytest.mark.parametrize("content", ["[]", "{}", " [ ]\n"])
def test_an_empty_export_holds_nothing(tmp_path: Path, content: str) -> None:
    with pytest.raises(EmptyText, match="holds nothing"):
        read(written(tmp_path, "a.json", content))


# ---- one format each


def test_chatgpts_marks_of_sources_are_no_words(tmp_path: Path) -> None:
    text = "It rains.\ue200cite\ue202turn0search0\ue201 Always."
    node = {"message": {"author": {"role": "assistant"}, "content": {"parts": [text]}}, "parent": None}
    assert (
        said(written(tmp_path, "a.json", [{"mapping": {"a": node}, "current_node": "a"}]))[0][2] == "It rains. Always."
    )


def test_claudes_memories(tmp_path: Path) -> None:
    memories = [
        {"conversations_memory": "Ana is a nurse.", "project_memories": {"p1": "Uses uv."}, "account_uuid": "x"}
    ]
    assert said(written(tmp_path, "memories.json", memories)) == [
        ("assistant", "agent", "Ana is a nurse."),
        ("assistant", "agent", "Uses uv."),
    ]


def test_what_claude_code_puts_into_a_session_is_nobodys(tmp_path: Path) -> None:
    def event(role: str, content: Any, **more: Any) -> dict[str, Any]:
        return {"type": role, "sessionId": "s", "message": {"role": role, "content": content}, **more}

    events = [
        event("user", "Use uv. [Request interrupted by user]"),
        event("user", "[Request interrupted by user for tool use]"),
        event("user", "Caveat: The messages below were generated by the user while running local commands. DO NOT"),
        event("assistant", [{"type": "text", "text": "API Error: 529"}], isApiErrorMessage=True),
        event("assistant", "Noted."),
    ]
    assert [text for _, _, text in said(written(tmp_path, "s.jsonl", lines(*events)))] == ["Use uv.", "Noted."]


def test_codex_adds_its_context_beside_the_users_words(tmp_path: Path) -> None:
    def item(*texts: str) -> dict[str, Any]:
        content = [{"type": "input_text", "text": text} for text in texts]
        return {"type": "response_item", "payload": {"type": "message", "role": "user", "content": content}}

    context = "<environment_context>\n<cwd>/x</cwd>\n</environment_context>"
    session = lines(item(context, "Fix the bug."), item("# AGENTS.md instructions for /x\n", context), item("Thanks."))
    path = written(tmp_path, "rollout-1.jsonl", session)
    assert [text for _, _, text in said(path)] == ["Fix the bug.", "Thanks."]
    assert left_out(path) == ["injected text"]


def test_codex_keeps_what_the_user_says_twice(tmp_path: Path) -> None:
    """Each message has two forms, and "continue" is said again and again."""
    events = {"user": "user_message", "assistant": "agent_message"}
    forms = []
    for number, (role, text) in enumerate([("user", "continue"), ("assistant", "Done.")] * 3):
        event = {"type": "event_msg", "payload": {"type": events[role], "message": text}}
        forms += [exports.codex_line(role, text, number), {"timestamp": f"2026-03-01T09:00:{number:02}Z", **event}]
    file = exports.write(tmp_path, "rollout-1.jsonl", exports.lines(*forms))
    assert [text for _, _, text in said(file)] == ["continue", "Done."] * 3


def test_codex_before_it_had_events(tmp_path: Path) -> None:
    message = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Fix it."}]}
    context = {**message, "content": [{"type": "input_text", "text": "<environment_context>x</environment_context>"}]}
    head = {"id": "old", "timestamp": "2025-05-01T00:00:00Z", "instructions": None}
    entries = list(read(written(tmp_path, "rollout-1.jsonl", lines(head, context, message, {"record_type": "state"}))))
    (turn,) = [each for each in entries if isinstance(each, ImportedTurn)]
    assert (turn.text, turn.session, turn.at and turn.at.year) == ("Fix it.", "old", 2025)


def test_slacks_words_may_be_in_blocks_alone(tmp_path: Path) -> None:
    parts = [
        {"type": "text", "text": "Lunch with "},
        {"type": "user", "user_id": "U2"},
        {"type": "text", "text": "?"},
    ]
    rich = {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": parts}]}
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "At one."}}
    message = {"type": "message", "user": "U1", "text": "", "blocks": [rich, section], "ts": "1772355600.0001"}
    assert said(written(tmp_path, "a.json", [message]))[0][2] == "Lunch with @U2?\nAt one."


def test_telegrams_words_may_be_in_entities_alone(tmp_path: Path) -> None:
    message = {"id": 1, "type": "message", "date_unixtime": "1772355600", "from": "Ivo", "from_id": "user9", "text": "",
               "text_entities": [{"type": "plain", "text": "Hi "}, {"type": "bold", "text": "there"}]}  # fmt: skip
    chat = {"name": "Ivo", "type": "personal_chat", "id": 9, "messages": [message]}
    assert said(written(tmp_path, "result.json", chat)) == [("participant", "web", "Hi there")]


WHATSAPP = """13/03/2026, 09:00 - Ana: Hi
13/03/2026, 09:01 - Ana changed the subject from "Trip" to "Rome: the plan"
13/03/2026, 09:02 - Ivo: IMG-1.jpg (file attached)
Look at that
13/03/2026, 09:03 - Ivo: IMG-2.jpg (file attached)
13/03/2026, 09:04 - Ivo: Se eliminó este mensaje.
13/03/2026, 09:04 - Ivo: Bild weggelassen
13/03/2026, 09:04 - Ivo: Mensagem apagada
13/03/2026, 09:05 - Ivo: Imagine that
"""


def test_whatsapps_notices_and_attachments(tmp_path: Path) -> None:
    assert [text for _, _, text in said(written(tmp_path, "a.txt", WHATSAPP))] == ["Hi", "Look at that", "Imagine that"]


@pytest.mark.parametrize(("zone", "hour"), [("Europe/Lisbon", 9), ("Asia/Tokyo", 0), ("UTC", 9), (None, 9)])
def test_whatsapps_clock_stands_somewhere(tmp_path: Path, zone: str | None, hour: int) -> None:
    first = next(iter(read(written(tmp_path, "a.txt", WHATSAPP), timezone=zone)))
    assert isinstance(first, ImportedTurn) and first.at is not None
    assert (first.at.hour, first.metadata["timezone"]) == (hour, zone or "UTC")
    assert first.key == next(each.key for each in read(tmp_path / "a.txt") if isinstance(each, ImportedTurn))


TIMELESS = {"id": 1, "type": "message", "from": "Ivo", "from_id": "user7", "text": "x"}
NAIVE = {
    "result.json": {
        "name": "Ivo",
        "type": "personal_chat",
        "id": 7,
        "messages": [TIMELESS | {"date": "2026-03-01T09:00:00"}, TIMELESS | {"id": 2, "date_unixtime": "1772355600"}],
    },
    "a.jsonl": lines({"text": "x", "at": "2026-03-01 09:00"}, {"text": "y", "at": "2026-03-01T09:00Z"}),
    "a.csv": "date,role,text\n2026-03-01 09:00,user,x\n2026-03-01T09:00:00Z,user,y\n",
    "a.json": [
        {"text": "x", "date": "Sun, 1 Mar 2026 09:00:00"},
        {"text": "y", "date": "Sun, 1 Mar 2026 09:00:00 GMT"},
    ],
}
"""The first message of each has no zone, the second has one."""


@pytest.mark.parametrize("name", NAIVE)
@pytest.mark.parametrize(("zone", "hour"), [("Europe/Berlin", 8), ("Asia/Tokyo", 0), (None, 9)])
def test_a_zone_that_the_file_does_not_say(tmp_path: Path, name: str, zone: str | None, hour: int) -> None:
    path = written(tmp_path, name, NAIVE[name])
    first, second = (each for each in read(path, timezone=zone) if isinstance(each, ImportedTurn))
    assert first.at is not None and second.at is not None
    assert (first.at.hour, second.at.hour) == (hour, 9)
    assert "timezone" not in second.metadata and first.metadata.get("timezone", "UTC") == (zone or "UTC")
    assert first.key == next(each.key for each in read(path) if isinstance(each, ImportedTurn))


def test_telegrams_clock_is_this_machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    hours = [each.at.hour for each in read(written(tmp_path, "result.json", NAIVE["result.json"])) if each.at]  # type: ignore[union-attr]
    assert hours == [0, 9]
    hours = [each.at.hour for each in read(written(tmp_path, "a.jsonl", NAIVE["a.jsonl"])) if each.at]  # type: ignore[union-attr]
    assert hours == [9, 9]


def test_a_day_is_the_same_in_every_zone(tmp_path: Path) -> None:
    path = written(tmp_path, "a.jsonl", lines({"text": "x", "date": "2026-03-01"}))
    assert [each.at for each in read(path, timezone="Asia/Tokyo")] == [datetime(2026, 3, 1, tzinfo=UTC)]  # type: ignore[union-attr]


def test_a_zone_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="Europe/Lisbon"):
        read(written(tmp_path, "a.txt", WHATSAPP), timezone="Lisbon/Europe")


def test_mcp_memorys_observations_come_in_several_shapes(tmp_path: Path) -> None:
    entities = [
        {"type": "entity", "name": "Bob", "observations": "sings"},
        {"type": "entity", "name": "Bob", "observations": ["dances", 42, "", None]},
        {"type": "observation", "entityName": "Bob", "contents": ["jumps"]},
    ]
    texts = [text for _, _, text in said(written(tmp_path, "memory.jsonl", lines(*entities)))]
    assert texts == ["Bob: sings", "Bob: dances", "Bob: 42", "Bob: jumps"]


def test_mem0s_graph_and_its_empty_memories(tmp_path: Path) -> None:
    results = [{"id": "1", "memory": "Likes tea"}, {"id": "2", "memory": None}, {"id": "3", "memory": " "}]
    relations = [{"source": "ana", "relationship": "works_at", "target": "acme"}, {"source": "ana"}]
    entries = list(read(written(tmp_path, "m.json", {"results": results, "relations": relations})))
    assert [(e.subject, e.relation, e.object) for e in entries if isinstance(e, ImportedFact)] == [
        ("ana", "works at", "acme")
    ]
    assert sum(isinstance(each, LeftOut) for each in entries) == 3
    assert not any(isinstance(each, BrokenLine) for each in entries)
    stored = [{"id": "1", "data": "Likes tea", "user_id": "ana"}]
    assert said(written(tmp_path, "n.json", stored)) == [("assistant", "agent", "Likes tea")]


def test_what_a_letta_agent_sends_is_what_it_says(tmp_path: Path) -> None:
    call = {"function": {"name": "send_message", "arguments": json.dumps({"message": "Hello!"})}}
    message = {
        "id": "m",
        "role": "assistant",
        "content": [{"type": "text", "text": "She seems sad."}],
        "tool_calls": [call],
    }
    agent = {"agents": [{"name": "Sam", "messages": [message]}], "blocks": []}
    assert said(written(tmp_path, "a.af", agent)) == [("assistant", "agent", "Hello!")]


def test_a_deleted_item_of_langgraph_is_no_broken_line(tmp_path: Path) -> None:
    items = [{"namespace": ["m"], "key": "a", "value": None}, {"namespace": ["m"], "key": "b", "value": {"text": "x"}}]
    assert left_out(written(tmp_path, "a.json", items)) == ["no words"]


def test_front_matter_in_toml(tmp_path: Path) -> None:
    note = '+++\ntitle = "Trip"\ndate = 2026-03-01\ntags = ["travel"]\n+++\nWe fly to Rome.\n'
    (turn,) = [each for each in read(written(tmp_path, "a.md", note)) if isinstance(each, ImportedTurn)]
    assert turn.text == "Trip\nWe fly to Rome."
    assert (turn.at and turn.at.day, turn.metadata["tags"]) == (1, ["travel"])


def test_one_name_may_be_a_text(tmp_path: Path) -> None:
    assert {role for role, _, text in said(written(tmp_path, "a.txt", WHATSAPP), me="Ana") if text == "Hi"} == {"user"}
    assert "user" not in {role for role, _, text in said(tmp_path / "a.txt", me="A") if text == "Hi"}


# ---- zips in folders


def test_a_zip_in_a_folder_is_read(tmp_path: Path) -> None:
    written(tmp_path, "in/a.txt", "One.\n")
    with zipfile.ZipFile(tmp_path / "in/b.zip", "w") as packed:
        packed.writestr("c.txt", "Two.\n")
        packed.writestr("d.json", "{broken")
    (tmp_path / "in/e.zip").write_bytes(b"PK no zip")
    entries = list(read(tmp_path / "in"))
    assert [each.text for each in entries if isinstance(each, ImportedTurn)] == ["One.", "Two."]
    assert [each.file for each in entries if isinstance(each, BrokenLine)] == ["b.zip/d.json", "e.zip"]
    alone = [each.key for each in read(tmp_path / "in/b.zip") if isinstance(each, ImportedTurn)]
    assert alone == [each.key for each in entries if isinstance(each, ImportedTurn)][1:]
