"""Every format: what is in its documented shape, and what holds for all of them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hybridmem.importers import FORMATS, BrokenLine, ImportedTurn, detect, read
from tests.importers import exports
from tests.importers.exports import EXPORTS, SECOND, broken, facts, left_out, lines, said, turns, write

MORNING = datetime(2026, 3, 1, 9, tzinfo=UTC)
THEN = datetime.fromtimestamp(SECOND, UTC)


@pytest.mark.parametrize("format", sorted(EXPORTS))
def test_every_format_is_told_by_its_content_and_keyed_alike_at_every_import(tmp_path: Path, format: str) -> None:
    path = EXPORTS[format](tmp_path, ["I adopted a ferret.", "Her name is Pip."])
    assert detect(path) == format
    before = turns(path)
    assert any("ferret" in turn.text for turn in before) and not broken(path)
    assert all(turn.key and turn.at and turn.at.tzinfo for turn in before)
    EXPORTS[format](tmp_path, ["I adopted a ferret.", "Her name is Pip.", "She bites."])
    keys = [turn.key for turn in turns(path)]
    assert keys[: len(before)] != keys and {turn.key for turn in before} < set(keys)
    assert len(set(keys)) == len(keys)


def test_every_format_has_a_sample() -> None:
    assert set(EXPORTS) == set(FORMATS) - {"locomo"}


def test_what_has_no_date_says_where_its_time_comes_from(tmp_path: Path) -> None:
    path = write(tmp_path, "log.jsonl", lines({"text": "a"}, {"text": "b", "at": "2026-03-01T09:00Z"}, {"text": "c"}))
    first, second, third = turns(path)
    assert (first.metadata["dated_by"], third.metadata["dated_by"]) == ("file", "neighbour")
    assert first.at == datetime.fromtimestamp(path.stat().st_mtime, UTC)
    assert (second.at, second.metadata, third.at) == (MORNING, {}, MORNING)


def test_the_same_id_for_several_texts_is_no_id(tmp_path: Path) -> None:
    path = write(tmp_path, "log.jsonl", lines(*({"text": text, "id": 1} for text in ("a", "b", "a"))))
    first, second, copy = (turn.key for turn in turns(path))
    assert first == copy != second


def test_equal_lines_of_one_file_are_several_messages(tmp_path: Path) -> None:
    path = write(tmp_path, "log.jsonl", lines({"text": "yes"}, {"text": "yes"}))
    assert len({turn.key for turn in turns(path)}) == 2


class TestChatGpt:
    def test_the_documented_shape(self, tmp_path: Path) -> None:
        user = {"author": {"role": "user"}, "content": {"content_type": "text", "parts": ["I adopted a ferret."]}}
        parts = [{"content_type": "image_asset_pointer"}, "Lovely!"]
        reply = {"author": {"role": "assistant"}, "content": {"content_type": "multimodal_text", "parts": parts}}
        mapping = {
            "r": {"id": "r", "message": None, "parent": None, "children": ["a"]},
            "a": {"id": "a", "parent": "r", "children": ["b"], "message": {**user, "create_time": SECOND + 0.5}},
            "b": {"id": "b", "parent": "a", "children": [], "message": {**reply, "create_time": None}},
        }
        path = write(tmp_path, "conversations.json", [{"title": None, "mapping": mapping, "current_node": "b"}])
        first, second = turns(path)
        assert (first.role, first.text, first.trust, second.role, second.text, second.trust) == (
            *("user", "I adopted a ferret.", "user"),
            *("assistant", "Lovely!", "agent"),
        )
        assert first.at == second.at == datetime.fromtimestamp(SECOND + 0.5, UTC)
        assert second.metadata == {"dated_by": "neighbour"} and first.session == second.session

    @pytest.mark.parametrize(
        "change",
        [
            {"metadata": {"is_visually_hidden_from_conversation": True}},
            {"content": {"content_type": "user_editable_context", "user_profile": "secret", "parts": ["secret"]}},
            {"content": {"content_type": "thoughts", "parts": ["secret"]}},
            {"content": {"content_type": "reasoning_recap", "content": "secret"}},
            {"author": {"role": "system"}},
            {"author": {"role": "assistant"}, "recipient": "python"},
            {"content": None},
            {"content": {"parts": None}},
        ],
    )
    def test_hidden_messages_are_left_out(self, tmp_path: Path, change: dict[str, Any]) -> None:
        conversation = exports.chatgpt_conversation(("user", "one"), ("user", "secret"), ("user", "two"))
        conversation["mapping"]["0123456789abcdef-1-message-1"]["message"].update(change)
        path = write(tmp_path, "conversations.json", [conversation])
        assert [turn.text for turn in turns(path)] == ["one", "two"] and len(left_out(path)) == 1

    def test_only_the_branch_that_was_seen_last_is_read(self, tmp_path: Path) -> None:
        conversation = exports.chatgpt_conversation(("user", "one"), ("assistant", "two"))
        root = conversation["mapping"]["0123456789abcdef-1-message-0"]
        other = {**root["message"], "content": {"content_type": "text", "parts": ["never sent"]}}
        conversation["mapping"]["x"] = {"id": "x", "parent": "root", "children": [], "message": other}
        assert [turn.text for turn in turns(write(tmp_path, "c.json", [conversation]))] == ["one", "two"]
        del conversation["current_node"]
        assert [turn.text for turn in turns(write(tmp_path, "c.json", conversation))] == ["one", "two"]

    def test_a_circle_of_parents_ends(self, tmp_path: Path) -> None:
        conversation = exports.chatgpt_conversation(("user", "one"), ("assistant", "two"))
        conversation["mapping"]["root"]["parent"] = conversation["current_node"]
        assert len(turns(write(tmp_path, "c.json", [conversation]))) == 2


class TestClaude:
    def test_words_attachments_and_their_trust(self, tmp_path: Path) -> None:
        conversation = exports.claude_conversation(("human", "Read this."), ("assistant", "I have."))
        message, reply = conversation["chat_messages"]
        message["attachments"] = [{"file_name": "a.txt", "extracted_content": "A page."}]
        reply["content"] = [None, {"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "I have."}]
        path = write(tmp_path, "conversations.json", [conversation])
        assert [(turn.role, turn.trust, turn.text) for turn in turns(path)] == [
            ("user", "user", "Read this."),
            ("document", "web", "A page."),
            ("assistant", "agent", "I have."),
        ]
        assert {turn.metadata["title"] for turn in turns(path)} == {"Pets"} and turns(path)[0].at == MORNING

    def test_json_lines(self, tmp_path: Path) -> None:
        several = [exports.claude_conversation(("human", text), uuid=text * 16) for text in "ab"]
        assert [turn.text for turn in turns(write(tmp_path, "c.jsonl", lines(*several)))] == ["a", "b"]

    def test_projects(self, tmp_path: Path) -> None:
        document = {"uuid": "d1", "filename": "plan.md", "content": "The plan.", "created_at": "2026-03-01T09:00:00Z"}
        project = {"uuid": "p1", "name": "Garden", "prompt_template": "Be brief.", "docs": [document]}
        found = turns(write(tmp_path, "projects.json", [project]))
        assert [(turn.role, turn.text) for turn in found] == [("system", "Be brief."), ("document", "The plan.")]
        assert {turn.trust for turn in found} == {"web"} and found[1].at == MORNING


class TestAgents:
    def test_claude_code(self, tmp_path: Path) -> None:
        blocks = [
            {"type": "thinking", "thinking": "..."},
            {"type": "text", "text": "Noted."},
            {"type": "tool_use", "name": "Bash", "input": {}},
        ]
        reminded = "<system-reminder>Secret.</system-reminder>\nAlways use uv."
        path = write(
            tmp_path,
            "s.jsonl",
            lines(
                {"type": "summary", "summary": "x", "leafUuid": "l"},
                exports.claude_code_line("user", reminded),
                exports.claude_code_line("assistant", blocks, 5),
                exports.claude_code_line("user", [{"type": "tool_result", "content": "secret"}], 6),
                exports.claude_code_line("user", "secret", 7, isMeta=True),
                exports.claude_code_line("assistant", "secret", 8, isSidechain=True),
                exports.claude_code_line("user", "secret", 9, isCompactSummary=True),
                {"type": "progress", "sessionId": "s1"},
            ),
        )
        first, second = turns(path)
        assert (first.role, first.trust, first.text, first.session) == ("user", "user", "Always use uv.", "s1")
        assert (second.role, second.trust, second.text) == ("assistant", "agent", "Noted.")
        assert (first.at, len(left_out(path))) == (MORNING, 6)

    def test_codex(self, tmp_path: Path) -> None:
        path = write(
            tmp_path,
            "rollout-1.jsonl",
            lines(
                {"type": "session_meta", "payload": {"id": "0123456789abcdef"}},
                exports.codex_line("developer", "secret"),
                exports.codex_line("user", "# AGENTS.md instructions for /x\nsecret"),
                exports.codex_line("user", "<environment_context>secret</environment_context>"),
                exports.codex_line("user", "Always use uv."),
                {"type": "event_msg", "payload": {"type": "user_message", "message": "Always use uv."}},
                {"type": "event_msg", "payload": {"type": "agent_message", "message": "Noted."}},
                exports.codex_line("assistant", "Noted."),
                {"type": "response_item", "payload": {"type": "reasoning", "summary": []}},
            ),
        )
        assert said(path) == [("user", None, "Always use uv."), ("assistant", None, "Noted.")]
        assert {turn.session for turn in turns(path)} == {"0123456789abcdef"}

    def test_gemini_and_the_shape_of_its_api(self, tmp_path: Path) -> None:
        path = write(
            tmp_path,
            "session-1.jsonl",
            lines(
                {"type": "session_metadata", "sessionId": "s9"},
                {"type": "user", "content": [{"text": "Where is Heron?"}]},
                {"type": "gemini", "content": [{"text": "I moved to Berlin."}]},
                {"role": "model", "parts": [{"text": "Hm.", "thought": True}, {"text": "Noted."}]},
            ),
        )
        found = [(turn.role, turn.trust, turn.text, turn.session) for turn in turns(path)]
        assert found == [
            ("user", "user", "Where is Heron?", "s9"),
            ("assistant", "agent", "I moved to Berlin.", "s9"),
            ("assistant", "agent", "Noted.", "s9"),
        ]

    def test_a_session_of_gemini_as_one_object(self, tmp_path: Path) -> None:
        messages = [
            {"id": "1", "type": "user", "timestamp": "2026-03-01T09:00:00Z", "content": "I like tea."},
            {"id": "2", "type": "gemini", "content": "Good.", "thoughts": [{"subject": "x"}]},
            {"id": "3", "type": "info", "content": "Update available"},
            5,
        ]
        path = write(tmp_path, "session-2.json", {"sessionId": "s2", "messages": messages})
        assert [(t.role, t.text, t.session) for t in turns(path)] == [
            ("user", "I like tea.", "s2"),
            ("assistant", "Good.", "s2"),
        ]
        assert left_out(path) == ["events"] and "message 4" in broken(path)[0].reason
        path = write(tmp_path, "request.json", {"contents": [{"role": "user", "parts": [{"text": "Hi."}]}]})
        assert [(t.role, t.text) for t in turns(path)] == [("user", "Hi.")]


class TestPeople:
    def test_slack(self, tmp_path: Path) -> None:
        write(tmp_path, "users.json", [{"id": "U1", "real_name": "Ivo Reis"}, {"id": "U2", "name": "ana"}])
        messages = [
            exports.slack_message("U1", "<@U2> see <https://x.org|this> &amp; that"),
            exports.slack_message("U1", "joined", 1, subtype="channel_join"),
            {"type": "message", "subtype": "bot_message", "username": "Cal", "text": "Meeting.", "ts": f"{SECOND}.2"},
        ]
        path = write(tmp_path, "general/2023-11-14.json", messages)
        human, bot = turns(path)
        assert (human.role, human.speaker, human.text) == ("participant", "Ivo Reis", "@ana see this & that")
        assert (human.session, human.trust, human.at) == (
            "general",
            "web",
            datetime.fromtimestamp(SECOND + 0.0001, UTC),
        )
        assert (bot.role, bot.speaker, bot.trust) == ("assistant", "Cal", "web") and left_out(path) == ["notices"]
        assert said(path, me=["ivo reis"])[0][0] == "user" and turns(path, me=["ivo reis"])[0].trust == "user"

    def test_telegram(self, tmp_path: Path) -> None:
        messages = [
            telegram := exports.telegram_message(0, "Ivo", ["see ", {"type": "link", "text": "https://x.org"}]),
            {"id": 1, "type": "service", "actor": "Ivo", "action": "phone_call", "text": ""},
            exports.telegram_message(2, "Ana", "I moved to Porto.", reply_to_message_id=0),
            exports.telegram_message(3, "Ana", "Good news", forwarded_from="Paper"),
            exports.telegram_message(4, "Ana", "", media_type="voice_message"),
            {"id": 5, "type": "message", "text": 7},
        ]
        chat = {"name": "Ivo", "type": "personal_chat", "id": 7, "messages": messages}
        path = write(tmp_path, "result.json", chat)
        assert said(path) == [
            ("participant", "Ivo", "see https://x.org"),
            ("user", "Ana", "I moved to Porto."),
            ("participant", "Paper", "Good news"),
        ]
        assert turns(path)[0].at == THEN and turns(path)[1].metadata == {"chat": "Ivo", "reply_to": 0}
        assert sorted(left_out(path)) == ["media", "no words", "notices"]
        owner = {
            "personal_information": {"user_id": len(telegram["from"])},
            "chats": {"list": [chat, {"name": "empty"}]},
        }
        path = write(tmp_path, "all.json", owner)
        assert [role for role, _, _ in said(path)] == ["user", "user", "participant"]
        assert "no list of messages" in broken(path)[0].reason

    def test_messenger(self, tmp_path: Path) -> None:
        messages = [
            exports.messenger_message("Zoë", "See you at the café 🎉", 3),
            exports.messenger_message("Ivo", "", 2, photos=[{"uri": "a.jpg"}]),
            exports.messenger_message("Ivo", "gone", 1, is_unsent=True),
            exports.messenger_message("Ivo", "I moved to Porto.", 0, type="Generic"),
            exports.messenger_message("Ivo", "Ivo called you.", 0, type="Call"),
            "broken",
        ]
        path = write(tmp_path, "message_1.json", {"title": "Zoe", "thread_path": "inbox/zoe_1", "messages": messages})
        assert said(path) == [
            ("participant", "Ivo", "I moved to Porto."),
            ("participant", "Zoë", "See you at the café 🎉"),
        ]
        first = turns(path)[0]
        assert (first.session, first.trust, first.at, first.metadata) == ("inbox/zoe_1", "web", THEN, {"chat": "Zoe"})
        assert sorted(left_out(path)) == ["media", "messages that were unsent", "notices"]
        assert "not an object" in broken(path)[0].reason
        assert said(path, me=["Ivo"])[0][0] == "user"

    def test_discord(self, tmp_path: Path) -> None:
        messages = [
            exports.discord_message("Ivo", "I moved to Porto."),
            exports.discord_message("Ivo", "Added Ana to the group.", 1, type="RecipientAdd"),
            exports.discord_message("Cal", "Build passed", 2, author={"id": "6", "name": "cal", "isBot": True}),
            exports.discord_message("Ivo", "", 3, attachments=[{"fileName": "a.png"}]),
            exports.discord_message("Ana", "Good!", 4, type="Reply"),
        ]
        channel = {"guild": {"name": "Home"}, "channel": {"id": "9", "name": "general"}, "messages": messages}
        path = write(tmp_path, "general.json", channel)
        assert said(path) == [
            ("participant", "Ivo", "I moved to Porto."),
            ("assistant", "cal", "Build passed"),
            ("participant", "Ana", "Good!"),
        ]
        assert {turn.trust for turn in turns(path)} == {"web"}
        assert turns(path)[0].metadata == {"chat": "general", "server": "Home"} and turns(path)[0].session == "9"
        assert turns(path)[0].at == datetime(2023, 11, 14, 22, 13, 20, 123_000, tzinfo=UTC)
        assert sorted(left_out(path)) == ["media", "notices"]

    def test_deepseek(self, tmp_path: Path) -> None:
        def node(id: str, parent: str | None, *fragments: tuple[str, str]) -> dict[str, Any]:
            parts = [{"type": kind, "content": text} for kind, text in fragments]
            message = {"inserted_at": "2025-01-27T10:00:00+08:00", "fragments": parts} if parts else None
            return {"id": id, "parent": parent, "children": [], "message": message}

        nodes = [
            node("root", None),
            node("1", "root", ("REQUEST", "I play the oud.")),
            node("2", "1", ("THINK", "Hm."), ("SEARCH", "oud"), ("RESPONSE", "Great.")),
        ]
        path = write(tmp_path, "conversations.json", [{"id": "d", "mapping": {each["id"]: each for each in nodes}}])
        assert said(path) == [("user", None, "I play the oud."), ("assistant", None, "Great.")]
        assert turns(path)[0].at == datetime(2025, 1, 27, 2, tzinfo=UTC)

    @pytest.mark.parametrize(
        ("written", "expected"),
        [
            ("[14/11/2023, 22:13:20] {}", (2023, 11, 14, 22, 13, 20)),
            ("[14.11.23, 22:13:20] {}", (2023, 11, 14, 22, 13, 20)),
            ("14/11/2023, 22:13 - {}", (2023, 11, 14, 22, 13, 0)),
            ("14.11.23, 22:13 - {}", (2023, 11, 14, 22, 13, 0)),
            ("11/14/23, 10:13 PM - {}", (2023, 11, 14, 22, 13, 0)),
            ("[11/14/23, 12:13:20\u202fAM] {}", (2023, 11, 14, 0, 13, 20)),
            ("[2023-11-14, 22:13:20] {}", (2023, 11, 14, 22, 13, 20)),
            ("14/11/2023, 10:13 p. m. - {}", None),
        ],
    )
    def test_whatsapp_in_the_spellings_of_phones(
        self, tmp_path: Path, written: str, expected: tuple[int, ...] | None
    ) -> None:
        if expected is None:
            written, expected = "14/11/2023, 10:13 p.m. - {}", (2023, 11, 14, 22, 13, 0)
        content = written.format("Ivo: hello\nsecond line\n") + written.format("Ana: \u200e<Media omitted>\n")
        content += written.format("Ana created the group\n") + written.format("Ana: bye")
        path = write(tmp_path, "_chat.txt", "\u200e" + content)
        assert said(path) == [("participant", "Ivo", "hello\nsecond line"), ("participant", "Ana", "bye")]
        assert turns(path)[0].at == datetime(*expected, tzinfo=UTC)  # type: ignore[misc]
        assert {turn.trust for turn in turns(path)} == {"web"} and len(left_out(path)) == 2
        assert said(path, me=["Ana"])[1][0] == "user"

    @pytest.mark.parametrize(
        "written",
        [
            "14/11/2023 à 22:13 - {}",
            "14.11.23 um 22:13 - {}",
            "14. 11. 2023 22:13 - {}",
            "[2023. 11. 14. 오후 10:13:00] {}",
            "[23/11/14 下午10:13:00] {}",
            "2023/11/14 午後10:13 - {}",
            "١٤/١١/٢٠٢٣، ١٠:١٣ م - {}",
            "١٤\u200f/١١\u200f/٢٠٢٣, ١٠:١٣ م - {}",
            "14/11/23, 10:13 μ.μ. - {}",
        ],
    )
    def test_whatsapp_in_other_languages(self, tmp_path: Path, written: str) -> None:
        path = write(tmp_path, "chat.txt", written.format("Ivo : olá\n") + written.format("Ana: tudo bem?\n"))
        found = [(turn.role, turn.speaker, turn.text) for turn in turns(path)]
        assert found == [("participant", "Ivo", "olá"), ("participant", "Ana", "tudo bem?")]
        assert {turn.at for turn in turns(path)} == {datetime(2023, 11, 14, 22, 13, tzinfo=UTC)}

    def test_whatsapp_days_are_told_from_months_by_the_whole_file_or_asked_for(self, tmp_path: Path) -> None:
        path = write(tmp_path, "a.txt", "03/04/2026, 09:00 - Ivo: a\n04/04/2026, 09:00 - Ivo: b\n")
        with pytest.raises(ValueError, match=r"3/4/2026 begins with the day or the month: pass --day-first"):
            read(path)
        assert [turn.at.month for turn in turns(path, day_first=True) if turn.at] == [4, 4]
        assert [turn.at.month for turn in turns(path, day_first=False) if turn.at] == [3, 4]
        # read with the month first, the second message would come months before the first
        path = write(tmp_path, "b.txt", "09/04/2026, 09:00 - Ivo: a\n01/05/2026, 09:00 - Ivo: b\n")
        assert [turn.at.day for turn in turns(path) if turn.at] == [9, 1]


class TestMemories:
    @pytest.mark.parametrize("envelope", ["results", "page", "list"])
    def test_mem0(self, tmp_path: Path, envelope: str) -> None:
        memory = {**exports.mem0_memory("m1", "Likes hiking."), "categories": ["sport"]}
        shapes: dict[str, Any] = {
            "results": {"results": [memory, {"id": "m2"}]},
            "page": {"count": 2, "next": None, "previous": None, "results": [memory, {"id": "m2"}]},
            "list": [{"text": "Likes hiking.", "user_id": "ana", "agent_id": "a", "created_at": "2026-03-01T09:00Z"}],
        }
        path = write(tmp_path, "mem0.json", shapes[envelope])
        (turn,) = turns(path)
        assert (turn.role, turn.trust, turn.text, turn.at) == ("assistant", "agent", "Likes hiking.", MORNING)
        assert turn.metadata["user_id"] == "ana"
        assert len(broken(path)) == (envelope != "list")

    def test_mem0_markdown(self, tmp_path: Path) -> None:
        block = (
            "---\nid: {0}\ncreated_at: 2026-03-01T09:00:00Z\nconfidence: 0.9\ncategories: [style]\n---\nUse {0}.\n\n"
        )
        path = write(tmp_path, "memories.md", block.format("uv") + "---\n\nA rule above.\n\n" + block.format("ruff"))
        first, second = turns(path)
        assert (first.key, first.text, second.text) == ("uv", "Use uv.\n\n---\n\nA rule above.", "Use ruff.")
        assert (first.at, first.trust) == (MORNING, "agent")
        assert first.metadata == {"confidence": 0.9, "categories": ["style"]}

    def test_letta(self, tmp_path: Path) -> None:
        content = exports.letta_file(
            ("system", "secret"),
            ("user", '{"type": "user_message", "message": "I adopted a ferret.", "time": "now"}'),
            ("user", '{"type": "heartbeat", "reason": "secret"}'),
            ("tool", "secret"),
        )
        call = {"function": {"name": "send_message", "arguments": '{"message": "Lovely!"}'}}
        content["agents"][0]["messages"].append({"id": "m9", "role": "assistant", "content": [], "tool_calls": [call]})
        path = write(tmp_path, "sam.af", content)
        assert [(turn.role, turn.trust, turn.text) for turn in turns(path)] == [
            ("assistant", "agent", "human: Likes ferrets."),
            ("user", "user", "I adopted a ferret."),
            ("assistant", "agent", "Lovely!"),
        ]
        assert len(left_out(path)) == 3

    def test_langgraph(self, tmp_path: Path) -> None:
        items = [
            exports.store_item("a", {"text": "Likes tea.", "topic": "drinks"}),
            exports.store_item("b", {"kind": "Memory", "content": {"content": "Likes hiking."}}),
            exports.store_item("c", {"age": 3}),
            exports.store_item("d", {}),
        ]
        found = turns(write(tmp_path, "store.json", items))
        assert [turn.text for turn in found] == ["Likes tea.", "Likes hiking.", 'c: {"age": 3}']
        assert found[0].metadata == {"namespace": ["users", "ana"], "key": "a", "topic": "drinks"}
        assert (found[0].at, found[0].trust) == (MORNING, "agent")

    def test_mcp_reference_memory(self, tmp_path: Path) -> None:
        content = lines(
            {"type": "entity", "name": "Alice", "entityType": "person", "observations": ["Lives in Porto"]},
            {"type": "entity", "entityName": "Bob", "observations": []},
            {"type": "relation", "from_id": "Alice", "to_id": "Bob", "relation_type": "works_with"},
            {"type": "relation", "from": "Alice", "to": "Bob", "relationType": "knows"},
            {"type": "relation", "from": "Alice"},
        ).rstrip("\n")
        path = write(tmp_path, "memory.jsonl", content)
        assert [(turn.text, turn.trust) for turn in turns(path)] == [("Alice: Lives in Porto", "agent")]
        assert facts(path) == [("Alice", "works with", "Bob"), ("Alice", "knows", "Bob")]
        assert [each.number for each in broken(path)] == [5] and left_out(path) == ["entities without observations"]

    def test_hindsight(self, tmp_path: Path) -> None:
        document = exports.hindsight_document("d1", "I adopted a ferret.", "The user has a ferret.")
        document["facts"] += [{"text": ""}, 3]
        write(tmp_path, "bank/documents/000000.json", document)
        write(tmp_path, "bank/manifest.json", {"schema_version": 1})
        path = tmp_path / "bank"
        assert [(turn.role, turn.trust, turn.text) for turn in turns(path)] == [
            ("document", "web", "I adopted a ferret."),
            ("assistant", "agent", "The user has a ferret."),
        ]
        assert turns(path)[1].at == MORNING and turns(path)[0].metadata == {"tags": ["pets"]}
        assert [each.file for each in broken(path)] == ["documents/000000.json"]


class TestNotes:
    def test_a_memory_folder_of_claude_code(self, tmp_path: Path) -> None:
        fields = "name: pnpm\ndescription: use pnpm: not npm\nmetadata:\n  type: feedback\n"
        note = f"---\n{fields}---\nUse it. See [[tooling]]."
        write(tmp_path, "memory/pnpm.md", note)
        write(tmp_path, "memory/MEMORY.md", "- [pnpm](pnpm.md)\n")
        (turn,) = turns(tmp_path / "memory")
        assert (turn.role, turn.trust, turn.text) == ("assistant", "agent", "pnpm\nUse it. See [[tooling]].")
        assert turn.metadata["links"] == ["tooling"] and turn.metadata["dated_by"] == "file"
        assert left_out(tmp_path / "memory") == ["an index"]

    @pytest.mark.parametrize(
        ("fields", "role"),
        [
            ("title: Pip", "user"),
            ("title: Pip\nsource: https://x.org/ferrets", "document"),
            ("title: Pip\ntype: note\npermalink: pets/pip", "assistant"),
            ("description: about the pet", "assistant"),
        ],
    )
    def test_whose_words_a_note_is(self, tmp_path: Path, fields: str, role: str) -> None:
        path = write(tmp_path, "Pip.md", f"---\n{fields}\ncreated: 2026-03-01T09:00:00Z\n---\nPip bites.\n")
        (turn,) = turns(path)
        assert (turn.role, turn.text, turn.at) == (role, "Pip bites.", MORNING)
        assert turn.trust == {"user": "user", "document": "web", "assistant": "agent"}[role]

    def test_basic_memory(self, tmp_path: Path) -> None:
        body = "# Pip\n- [trait] bites #pets (always)\n- [ ] buy food\n\n"
        body += '## Relations\n- lives_with [[Ana]]\n- "afraid of" [[Rex]]\n'
        path = write(tmp_path, "Pip.md", f"---\ntitle: Pip\npermalink: pip\ntags: [pets]\n---\n{body}")
        assert facts(path) == [("Pip", "lives with", "Ana"), ("Pip", "afraid of", "Rex")]
        (turn,) = turns(path)
        assert turn.metadata["links"] == ["Ana", "Rex"] and turn.metadata["tags"] == ["pets"]

    def test_a_long_note_is_a_memory_a_section(self, tmp_path: Path) -> None:
        path = write(tmp_path, "Pip.md", "# Food\n" + "meat " * 900 + "\n```\n# no heading\n```\n## Toys\nball\n")
        assert [turn.metadata["headings"] for turn in turns(path)] == [["Food"], ["Food", "Toys"]]
        assert turns(path)[1].text == "Pip > Food > Toys\nball"

    def test_instructions_are_a_system_prompt_and_name_files_of_their_folder_alone(self, tmp_path: Path) -> None:
        write(tmp_path, "secret.md", "# Secret\nkey")
        main = "Mail ana@x.org, `@code.md`.\n# Tests\nUse pytest. @docs/style.md\n@../secret.md @/etc/passwd @~/.ssh/id"
        write(tmp_path, "project/AGENTS.md", main)
        write(tmp_path, "project/code.md", "no")
        write(tmp_path, "project/docs/style.md", "# Style\nShort. @one.md")
        for number, name in enumerate(("one", "two", "three", "four", "five", "six")):
            following = ("two", "three", "four", "five", "six", "one")[number]
            write(tmp_path, f"project/docs/{name}.md", f"{name} @{following}.md")
        path = tmp_path / "project/AGENTS.md"
        texts = [turn.text for turn in turns(path)]
        assert (
            texts[0].startswith("Mail") and texts[1].startswith("Tests\nUse pytest.") and texts[2].startswith("Style\n")
        )
        assert [text.split()[0] for text in texts[3:]] == ["one", "two", "three", "four"]
        assert {turn.trust for turn in turns(path)} == {"tool"}
        reasons = left_out(path)
        assert reasons.count("files outside the folder") == 3 and "files more than 5 hops away" in reasons

    @pytest.mark.parametrize(
        "yaml",
        ["a: &x [1]\nb: *x", "a: [", "created: 2026-99-99", "a: !!python/object:os.system x", "? [1]: 2", "n: .nan"],
    )
    def test_odd_front_matter_loses_no_note(self, tmp_path: Path, yaml: str) -> None:
        path = write(tmp_path, "Pip.md", f"---\ntitle: Pip\n{yaml}\n---\nPip bites.\n")
        (turn,) = turns(path)
        assert turn.text == "Pip bites."


class TestTables:
    def test_a_table_of_messages(self, tmp_path: Path) -> None:
        content = (
            'date;time;sender;role;text\n2026-03-01;09:00;Ana;user;"Two\nlines; one field"\n2026-03-01;09:01;Bot;ai\n'
        )
        path = write(tmp_path, "messages.csv", content)
        (turn,) = turns(path)
        assert (turn.speaker, turn.role, turn.text, turn.at) == ("Ana", "user", "Two\nlines; one field", MORNING)
        assert "4 columns where the first row names 5" in broken(path)[0].reason

    def test_a_table_without_words_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="table without a column of words"):
            read(write(tmp_path, "t.csv", "id,date,user\n1,2026-03-01,ana\n"))

    def test_prose_with_commas_is_no_table(self, tmp_path: Path) -> None:
        assert detect(write(tmp_path, "list.txt", "Milk, eggs\nBread, butter\n")) == "text"

    def test_html_is_refused(self, tmp_path: Path) -> None:
        for content in ("<!DOCTYPE html><html><body>Hi</body></html>", "\n<html>\n<p>Hi"):
            with pytest.raises(ValueError, match="is HTML"):
                read(write(tmp_path, "chat.html", content))


class TestBrokenInTheMiddle:
    @pytest.mark.parametrize("format", ["chatgpt", "claude", "slack", "langgraph", "hindsight"])
    @pytest.mark.parametrize(
        "middle", [b'{"mapping": 3}', b"17", b'{"half": "', b'{"mapping": {"a": [}}', b'{"x": "\xff"}', b"nonsense"]
    )
    def test_of_a_list(self, tmp_path: Path, format: str, middle: bytes) -> None:
        whole = EXPORTS[format](tmp_path, ["one ferret", "two ferrets"])
        before = turns(whole)
        first, second = _parted(whole.read_bytes())
        path = write(tmp_path, whole.name, b"[" + first + b", " + middle + b",\n" + second + b"]")
        assert [turn.key for turn in turns(path)] == [turn.key for turn in before]
        found = [entry for entry in read(path) if not isinstance(entry, ImportedTurn)]
        assert any(isinstance(entry, BrokenLine) for entry in found) or format == "slack"

    def test_of_a_folder(self, tmp_path: Path) -> None:
        write(tmp_path, "a.jsonl", lines({"text": "one"}))
        write(tmp_path, "b.json", "{")
        write(tmp_path, "c.md", b"caf\xe9")
        write(tmp_path, "d.png", b"\x89PNG\x00")
        write(tmp_path, "e.html", "<html>")
        write(tmp_path, ".hidden/f.jsonl", lines({"text": "no"}))
        write(tmp_path, "g.jsonl", "not json\n" + lines({"text": "two"}))
        assert [turn.text for turn in turns(tmp_path)] == ["one", "two"]
        assert [(each.file, each.number) for each in broken(tmp_path)] == [("b.json", 0), ("c.md", 0), ("g.jsonl", 1)]
        assert left_out(tmp_path) == ["files of other kinds"] * 2

    def test_a_cut_list_gives_what_came_before(self, tmp_path: Path) -> None:
        whole = EXPORTS["chatgpt"](tmp_path, ["one ferret", "two ferrets"])
        first, second = _parted(whole.read_bytes())
        path = write(tmp_path, "cut.json", b"[" + first + b", " + second[:50])
        assert [turn.text for turn in turns(path)] == ["one ferret"] and broken(path)


def _parted(content: bytes) -> list[bytes]:
    import json

    return [json.dumps(item).encode() for item in json.loads(content)]
