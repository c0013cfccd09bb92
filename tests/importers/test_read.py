"""What each importer takes in, what it reports as broken, and what it refuses."""

from __future__ import annotations

import json
import tracemalloc
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmem.core.errors import EmptyText, InvalidEncoding, InvalidInput, UnknownFormat
from hybridmem.importers import BrokenLine, ImportedTurn, LeftOut, detect, read
from hybridmem.importers import text as text_importer

LOCOMO = Path(__file__).parents[2].parent / "shared/data/locomo_dev/locomo_dev.json"


def file(tmp_path: Path, content: str | bytes | Any, name: str = "input.dat") -> Path:
    path = tmp_path / name
    if not isinstance(content, (str, bytes)):
        content = json.dumps(content)
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def split(path: Path, format: str = "auto") -> tuple[list[ImportedTurn], list[BrokenLine]]:
    entries = list(read(path, format))
    return (
        [entry for entry in entries if isinstance(entry, ImportedTurn)],
        [entry for entry in entries if isinstance(entry, BrokenLine)],
    )


def said(path: Path, format: str = "auto") -> list[tuple[str, str | None, str]]:
    return [(turn.role, turn.speaker, turn.text) for turn in split(path, format)[0]]


class TestText:
    def test_paragraphs_are_turns(self, tmp_path: Path) -> None:
        path = file(tmp_path, "First line\nsame paragraph.\r\n\r\n\nSecond.\n", "diary.txt")
        turns, broken = split(path)
        assert [turn.text for turn in turns] == ["First line\nsame paragraph.", "Second."]
        assert {turn.session for turn in turns} == {"diary"} and not broken

    def test_lines_are_turns_where_nothing_is_blank(self, tmp_path: Path) -> None:
        assert said(file(tmp_path, "Ana moved to Lisbon.\nShe has a ferret.")) == [
            ("user", None, "Ana moved to Lisbon."),
            ("user", None, "She has a ferret."),
        ]

    def test_dialogue(self, tmp_path: Path) -> None:
        path = file(tmp_path, "Ana: I moved.\nto Lisbon, in fact\nBen: Since when?\n\nAna: March.\n")
        assert said(path) == [
            ("user", "Ana", "I moved.\nto Lisbon, in fact"),
            ("user", "Ben", "Since when?"),
            ("user", "Ana", "March."),
        ]

    def test_an_assistant_speaks_with_its_own_trust(self, tmp_path: Path) -> None:
        turns, _ = split(file(tmp_path, "User: hello there\nAssistant: good day\n"))
        assert [(turn.role, turn.trust) for turn in turns] == [("user", "user"), ("assistant", "agent")]

    @pytest.mark.parametrize("text", ["Name: Ana\nCity: Lisbon\nJob: baker", "At 10:30 we met.\nThen: lunch."])
    def test_fields_are_no_speakers(self, tmp_path: Path, text: str) -> None:
        assert [speaker for _, speaker, _ in said(file(tmp_path, text))] == [None] * len(text.splitlines())

    def test_speakers_can_be_forced(self, tmp_path: Path) -> None:
        path = file(tmp_path, "Ana: one\nBen: two\nCleo: three")
        speakers = [e.speaker for e in text_importer.read(path, speakers=True) if isinstance(e, ImportedTurn)]
        assert speakers == ["Ana", "Ben", "Cleo"]

    def test_other_encodings_are_refused_before_anything_goes_in(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidEncoding, match=r"line 2, byte 4 .*0xe9"):
            read(file(tmp_path, b"fine\ncaf\xe9\n"))

    def test_a_byte_order_mark_is_no_text(self, tmp_path: Path) -> None:
        assert said(file(tmp_path, b"\xef\xbb\xbfHello there.")) == [("user", None, "Hello there.")]

    def test_a_paragraph_above_the_limit_is_parted_between_lines(self, tmp_path: Path) -> None:
        line = "word " * 50_000
        turns, broken = split(file(tmp_path, "\n".join([line.strip()] * 6) + "\n\nend"))
        assert len(turns) == 3 and not broken
        assert sum(turn.text.count("word") for turn in turns) == 300_000

    @given(
        st.lists(
            st.text(
                st.characters(codec="utf-8", exclude_categories=["Cc", "Cf", "Mn", "Mc", "Me", "Zl", "Zp"]), min_size=1
            )
        )
    )
    def test_no_word_is_lost(self, tmp_path_factory: pytest.TempPathFactory, paragraphs: list[str]) -> None:
        path = file(tmp_path_factory.mktemp("text"), "start\n\n" + "\n\n".join(paragraphs))
        turns, broken = split(path, "text")
        spoken = [f"{turn.speaker}: {turn.text}" if turn.speaker else turn.text for turn in turns]
        # a byte order mark at the very start is not a word, hence "start"
        assert " ".join(spoken).split() == ["start", *" ".join(paragraphs).split()] and not broken


class TestJsonLines:
    def test_every_field(self, tmp_path: Path) -> None:
        line = {
            "content": "I adopted a ferret.",
            "role": "human",
            "name": "Ana",
            "session": 7,
            "timestamp": "2026-03-01T09:00:00+01:00",
            "metadata": {"channel": "chat"},
            "trust": "web",
            "topic": "pets",
        }
        (turn,), broken = split(file(tmp_path, json.dumps(line) + "\n"))
        assert turn == ImportedTurn(
            "I adopted a ferret.",
            "user",
            "Ana",
            "7",
            datetime(2026, 3, 1, 8, tzinfo=UTC),
            "jsonl",
            "web",
            {"channel": "chat", "topic": "pets"},
        )
        assert not broken

    @pytest.mark.parametrize("name", ["at", "timestamp", "created_at", "date", "ts"])
    @pytest.mark.parametrize(
        "stamp",
        [
            1_772_355_600,
            1_772_355_600_000,
            1_772_355_600_000_000,
            1_772_355_600.0,
            "1772355600",
            "1772355600.0",
            "2026-03-01T09:00:00Z",
            "2026-03-01 10:00+01:00",
            "2026/03/01 09:00",
            "Mar 1, 2026 at 9:00 AM",
            "Sun, 01 Mar 2026 09:00:00 +0000",
        ],
    )
    def test_spellings_of_a_time(self, tmp_path: Path, stamp: float | str, name: str) -> None:
        (turn,), _ = split(file(tmp_path, json.dumps({"text": "x", name: stamp})))
        assert turn.at == datetime(2026, 3, 1, 9, tzinfo=UTC)

    def test_broken_lines_are_named_and_the_rest_goes_in(self, tmp_path: Path) -> None:
        good = b'{"text": "good"}'
        bad: list[bytes] = [
            b'{"text": "half',
            b'{"text": "caf\xe9"}',
            b'{"words": "none"}',
            b'"just a string"',
            b'{"text": "x", "at": "yesterday"}',
            b'{"text": "x", "at": 1e300}',
            b'{"text": "x", "at": true}',
            b'{"text": "x", "trust": "friend"}',
            b'{"text": "x", "metadata": 3}',
            b'{"text": "x", "metadata": {"score": NaN}}',
            b'{"text": "x", "role": 3}',
            b'{"text": "x", "speaker": {}}',
            b'{"text": "a\\u0000b"}',
            b'{"text": 5}',
            b"[" * 100_000,
            b'{"text": ' + b"9" * 5_000 + b"}",
            b'{"text": "' + b"x" * 1_000_001 + b'"}',
        ]
        content = b"\n".join(part for line in bad for part in (good, b"", line)) + b"\n" + good
        turns, broken = split(file(tmp_path, content, "log.jsonl"))
        assert len(turns) == len(bad) + 1
        assert [each.number for each in broken] == [3 * (i + 1) for i in range(len(bad))]
        assert all(each.reason and "\n" not in each.reason for each in broken)
        assert broken[1].reason == "it is not valid UTF-8 at byte 14"

    def test_a_conversation_on_a_line_goes_in_whole_or_not_at_all(self, tmp_path: Path) -> None:
        chat = {"messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}]}
        half = {"messages": [{"role": "user", "content": "lost"}, {"role": "user", "content": 3}]}
        turns, broken = split(file(tmp_path, "\n".join(map(json.dumps, [chat, half, chat])), "chats.jsonl"))
        assert [(turn.session, turn.text) for turn in turns] == [
            ("chats/1", "hi"),
            ("chats/1", "hello"),
            ("chats/3", "hi"),
            ("chats/3", "hello"),
        ]
        assert [each.number for each in broken] == [2]

    def test_a_line_without_end_does_not_fill_the_memory(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("hybridmem.importers.base.MAX_LINE", 1000)
        content = '{"text": "a"}\n' + '{"text": "' + "x" * 5000 + '"}\n{"text": "b"}\n'
        turns, broken = split(file(tmp_path, content))
        assert [turn.text for turn in turns] == ["a", "b"] and [each.number for each in broken] == [2]

    def test_it_is_a_stream(self, tmp_path: Path) -> None:
        path = tmp_path / "big.jsonl"
        line = json.dumps({"text": "word " * 200})
        path.write_text(f"{line}\n" * 4_000)
        assert path.stat().st_size > 4_000_000
        tracemalloc.start()
        count = sum(1 for _ in read(path))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert count == 4_000 and peak < 200_000


class TestMessages:
    def test_openai(self, tmp_path: Path) -> None:
        messages = [
            {"role": "developer", "content": "Be brief."},
            {"role": "user", "content": [{"type": "text", "text": "Look:"}, {"type": "image_url", "image_url": {}}]},
            {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
            {"role": "tool", "tool_call_id": "1", "content": "12 degrees"},
            {"role": "assistant", "content": "It is cold."},
        ]
        expected = [
            ("system", "Be brief.", "tool"),
            ("user", "Look:", "user"),
            ("tool", "12 degrees", "tool"),
            ("assistant", "It is cold.", "agent"),
        ]
        for content in (messages, {"messages": messages}):
            turns, broken = split(file(tmp_path, content, "chat.json"))
            assert [(turn.role, turn.text, turn.trust) for turn in turns] == expected and not broken
            assert {turn.session for turn in turns} == {"chat"}

    def test_anthropic_tool_results_are_the_tools_words(self, tmp_path: Path) -> None:
        parts = [
            {"type": "tool_result", "tool_use_id": "t", "content": [{"type": "text", "text": "page text"}]},
            {"type": "text", "text": "Summarise it."},
        ]
        thought = [{"type": "thinking", "thinking": "hm", "text": "hm"}, {"type": "tool_use", "name": "x", "input": {}}]
        turns, _ = split(
            file(tmp_path, [{"role": "user", "content": parts}, {"role": "assistant", "content": thought}])
        )
        assert [(t.role, t.text, t.trust) for t in turns] == [
            ("user", "Summarise it.", "user"),
            ("tool", "page text", "tool"),
        ]

    @pytest.mark.parametrize(
        "wrap",
        [
            lambda kind, text: {"type": kind, "content": text},
            lambda kind, text: {"type": kind, "data": {"content": text, "type": kind}},
            lambda kind, text: {
                "lc": 1,
                "type": "constructor",
                "id": ["langchain", "schema", "messages", {"human": "Human", "ai": "AI"}[kind] + "Message"],
                "kwargs": {"content": text},
            },
        ],
    )
    def test_langchain(self, tmp_path: Path, wrap: Any) -> None:
        path = file(tmp_path, [wrap("human", "hi"), wrap("ai", "hello")])
        assert said(path) == [("user", None, "hi"), ("assistant", None, "hello")]

    def test_many_chats_and_a_broken_message(self, tmp_path: Path) -> None:
        chats = [
            {"messages": [{"role": "user", "content": "one"}]},
            {"id": "named", "messages": [{"content": ""}, {"content": 5}, {"role": "user", "content": "two"}]},
        ]
        turns, broken = split(file(tmp_path, json.dumps(chats, indent=1), "all.json"))
        assert [(turn.session, turn.text) for turn in turns] == [("all/1", "one"), ("named", "two")]
        assert [each.number for each in broken] == [3] and "message 3" in broken[0].reason

    @pytest.mark.parametrize("empty", [{"content": ""}, {"content": None}, {"content": []}, {"tool_calls": []}])
    def test_a_turn_without_words_costs_itself_alone(self, tmp_path: Path, empty: dict[str, Any]) -> None:
        messages = [
            {"role": "user", "content": "hi"},
            {"role": "assistant", **empty},
            {"role": "user", "content": "ho"},
        ]
        entries = list(read(file(tmp_path, json.dumps({"messages": messages}) + "\n", "log.jsonl")))
        assert [entry.text for entry in entries if isinstance(entry, ImportedTurn)] == ["hi", "ho"]
        assert LeftOut("no words") in entries


class TestLocomo:
    SAMPLE: ClassVar = {
        "sample_id": "conv-1",
        "conversation": {
            "speaker_a": "Ana",
            "session_10_date_time": "9:05 am on 1 March, 2026",
            "session_10": [{"speaker": "Ben", "dia_id": "D10:1", "text": "later"}],
            "session_2_date_time": "1:56 pm on 8 May, 2023",
            "session_2": [
                {"speaker": "Ana", "dia_id": "D2:1", "text": "Look!", "blip_caption": "a photo of a ferret"},
                {"speaker": "Ana", "dia_id": "D2:2"},
            ],
        },
    }

    @pytest.mark.parametrize("many", [False, True])
    def test_sessions_in_order(self, tmp_path: Path, many: bool) -> None:
        turns, broken = split(file(tmp_path, [self.SAMPLE] if many else self.SAMPLE))
        assert [(t.session, t.speaker, t.text, t.metadata) for t in turns] == [
            ("conv-1/session_2", "Ana", "Look! [photo: a photo of a ferret]", {"dia_id": "D2:1"}),
            ("conv-1/session_10", "Ben", "later", {"dia_id": "D10:1"}),
        ]
        assert turns[0].at == datetime(2023, 5, 8, 13, 56, tzinfo=UTC)
        assert len(broken) == 1 and "conv-1/session_2, turn 2" in broken[0].reason

    def test_the_real_file(self) -> None:
        if not LOCOMO.is_file():
            pytest.skip(f"{LOCOMO} is not here")
        turns, broken = split(LOCOMO)
        assert len(turns) == 2760 and not broken
        assert all(turn.at and turn.speaker and turn.metadata["dia_id"] for turn in turns)


class TestDetect:
    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            ("Just words.", "text"),
            ("[Music] and a story\nthat goes on", "text"),
            ("{a brace} starts this line", "text"),
            ('A note.\n{"text": "quoted"}\nMore.\nAnd more.', "text"),
            ('{"text": "a"}', "jsonl"),
            ('{\n "text": "a"\n}', "openai"),
            ('{"text": "a"}\n{"text": "b"}', "jsonl"),
            ('broken{\n{"text": "b"}\n{"text": "c"}', "jsonl"),
            ('{"text": "a\n{broken\n{broken\n{"text": "b"}', "jsonl"),
            ('{"messages": [{"role": "user", "content": "x"}]}', "openai"),
            ('[{"role": "user", "content": "x"}]', "openai"),
            ('[\n{"role": "user", "content": "x"},\n{"role": "user", "content": "y"}\n]', "openai"),
            ('[{"conversation": {"session_1": []}}]', "locomo"),
            ('\ufeff[{"role": "user", "content": "x"}]', "openai"),
        ],
    )
    def test_by_content(self, tmp_path: Path, content: str, expected: str) -> None:
        assert detect(file(tmp_path, content)) == expected

    @pytest.mark.parametrize(
        ("content", "name", "error", "words"),
        [
            (b"\x89PNG\r\n\x1a\n\x00\x00", "a.png", UnknownFormat, "binary"),
            (b"PK\x03\x04zip", "a.txt", UnknownFormat, "binary"),
            (b"", "a.txt", EmptyText, "empty"),
            (b" \n ", "a.txt", EmptyText, "empty"),
            ("hello there".encode("utf-16-le"), "a.txt", UnknownFormat, "binary"),
            (b'{"rows": [1, 2]}', "a.json", UnknownFormat, "shape"),
            (b"[1, 2]", "a.json", UnknownFormat, "shape"),
            (b'{"messages": [', "a.json", InvalidInput, "not valid JSON at line 1"),
        ],
    )
    def test_refused(self, tmp_path: Path, content: bytes, name: str, error: type[Exception], words: str) -> None:
        with pytest.raises(error, match=words) as caught:
            read(file(tmp_path, content, name))
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32", "utf-32-be"])
    @pytest.mark.parametrize(
        ("name", "content"),
        [
            ("a.txt", "Zoë said: ação 😀"),
            ("a.jsonl", '{"text": "Zoë said: ação 😀"}\n{"text": "more"}\n'),
            ("a.json", '[{"role": "user", "content": "Zoë said: ação 😀"}]'),
            ("a.csv", "role,content\nuser,Zoë said: ação 😀\n"),
            ("a.md", "---\ntags: [a]\n---\nZoë said: ação 😀\n"),
        ],
    )
    def test_any_encoding_of_unicode_with_its_byte_order_mark(
        self, tmp_path: Path, encoding: str, name: str, content: str
    ) -> None:
        marked = content if encoding == "utf-8-sig" or not encoding.endswith("-be") else f"\ufeff{content}"
        plain = said(file(tmp_path, content, name))
        assert plain[0] == ("user", None, "Zoë said: ação 😀")
        assert said(file(tmp_path, marked.encode(encoding), name)) == plain

    def test_a_file_in_utf16_is_read_a_piece_at_a_time(self, tmp_path: Path) -> None:
        lines = [f"{number} lines, {'é' * (number % 50)}." for number in range(5_000)]
        found = said(file(tmp_path, "\n".join(lines).encode("utf-16")))
        assert [text for _, _, text in found] == lines
        assert said(file(tmp_path, "hello".encode("utf-16")[:-1])) == [("user", None, "hell\ufffd")]

    def test_paths_and_formats(self, tmp_path: Path) -> None:
        with pytest.raises(InvalidInput, match="no file"):
            read(tmp_path / "missing.txt")
        with pytest.raises(UnknownFormat, match="choose one of auto, text, jsonl, openai, locomo"):
            read(file(tmp_path, "x"), "xml")

    def test_a_named_format_is_believed(self, tmp_path: Path) -> None:
        assert said(file(tmp_path, '{"text": "a"}'), "text") == [("user", None, '{"text": "a"}')]
        with pytest.raises(UnknownFormat, match="LoCoMo"):
            list(read(file(tmp_path, '{"text": "a"}'), "locomo"))
