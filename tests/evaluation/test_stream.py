"""The benchmark stream: what is read, what is refused and how, and what is made."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import hybridmem
from hybridmem.core.errors import InvalidInput
from hybridmem.evaluation.fiction import relations
from hybridmem.evaluation.stream import Probe, Stream, StreamDelete, StreamFact, make_stream, read
from hybridmem.metrics import normalised_answer

DESIGN = [
    '{"night":1,"id":"f1","text":"Zane Kolu lives in Riga.","answer":"Riga",'
    '"test_questions":["In which city does Zane Kolu live?"]}',
    '{"night":1,"id":"f2","text":"Mira Sodo plays the harp.","answer":"harp",'
    '"test_questions":["What does Mira play?"]}',
    '{"night":3,"id":"f9","text":"Zane Kolu moved to Oslo.","answer":"Oslo","supersedes":"f1",'
    '"test_questions":["Where does Zane Kolu live now?"]}',
    '{"night":4,"delete":"f2"}',
    '{"kind":"unanswerable","question":"Which port does Mira Sodo use?"}',
    '{"kind":"locality","question":"What do bees make?","answer":"honey"}',
]


def written(folder: Path, *lines: str) -> Path:
    path = folder / "stream.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def test_reads_the_documented_format(tmp_path):
    stream = read(written(tmp_path, *DESIGN))
    assert stream.nights == (1, 3, 4)
    assert [fact.id for fact in stream.facts] == ["f1", "f2", "f9"]
    assert stream.on(3)[0] == StreamFact(
        3, "f9", "Zane Kolu moved to Oslo.", "Oslo", ("Where does Zane Kolu live now?",), supersedes="f1"
    )
    assert stream.on(4) == (StreamDelete(4, "f2"),)
    assert stream.questions("unanswerable") == ("Which port does Mira Sodo use?",)
    assert stream.probes[1] == Probe("locality", "What do bees make?", "honey")


def test_blank_lines_windows_line_ends_a_byte_order_mark_and_other_keys_are_no_matter(tmp_path):
    path = tmp_path / "stream.jsonl"
    first = json.dumps({**json.loads(DESIGN[0]), "text": "Zane Kolu\u2028lives in Riga.", "comment": "mine"})
    path.write_bytes(b"\xef\xbb\xbf" + f"{first}\r\n\r\n{DESIGN[3]}\r\n".replace("f2", "f1").encode())
    assert len(read(path).events) == 2


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "nested too deep"),
        ("[1]", "a list where an object"),
        ("{}", "test_questions"),
        ('{"night":1,"delete":7}', '"delete" must be a string'),
        ('{"night":1,"delete":"f7"}', "no line before has that id"),
        ('{"night":0,"delete":"f1"}', "whole number from 1"),
        ('{"night":true,"delete":"f1"}', "whole number from 1"),
        ('{"kind":"fact","question":"Who?"}', "unanswerable"),
        ('{"kind":"locality"}', '"question" must be a string'),
        ('{"night":1,"id":"f1","text":"t","answer":"a","test_questions":["q"]}', "a second fact with the id 'f1'"),
        ('{"night":1,"id":"f3","text":"t","answer":"a","test_questions":[]}', "test_questions"),
        ('{"night":1,"id":"f3","text":"t","answer":"a","test_questions":[3]}', "test_questions"),
        ('{"night":1,"id":"f3","text":" ","answer":"a","test_questions":["q"]}', '"text" must be a string'),
        ('{"night":1,"id":"f3","text":"t","answer":5,"test_questions":["q"]}', '"answer" must be a string'),
        (
            '{"night":1,"id":"f3","text":"t","answer":"a","supersedes":"f8","test_questions":["q"]}',
            "no line before has that id",
        ),
    ],
)
def test_a_bad_line_is_named_in_one_line(tmp_path, line, complaint):
    with pytest.raises(InvalidInput) as caught:
        read(written(tmp_path, DESIGN[0], "", line))
    message = str(caught.value)
    assert "line 3: " in message and complaint in message and "\n" not in message


def test_nights_must_ascend(tmp_path):
    with pytest.raises(InvalidInput, match="line 2: night 1 after night 3"):
        read(written(tmp_path, DESIGN[0].replace('"night":1', '"night":3'), DESIGN[1]))


@pytest.mark.parametrize("again", ['{"night":4,"delete":"f2"}', DESIGN[2].replace("f1", "f2").replace("3", "4")])
def test_what_was_deleted_is_gone(tmp_path, again):
    with pytest.raises(InvalidInput, match="which a line before deletes"):
        read(written(tmp_path, DESIGN[1], '{"night":4,"delete":"f2"}', again))


def test_a_file_that_cannot_be_read(tmp_path):
    with pytest.raises(InvalidInput, match="cannot read the stream"):
        read(tmp_path / "nothing.jsonl")
    with pytest.raises(InvalidInput, match="cannot read the stream"):
        read(tmp_path)
    (tmp_path / "latin.jsonl").write_bytes('{"kind":"é"}'.encode("latin-1"))
    with pytest.raises(InvalidInput, match="not UTF-8 at byte 9"):
        read(tmp_path / "latin.jsonl")
    with pytest.raises(InvalidInput, match="holds no facts"):
        read(written(tmp_path, DESIGN[5]))


class TestMakeStream:
    @given(st.integers(), st.integers(1, 4), st.integers(1, 8))
    @settings(max_examples=20, deadline=None)
    def test_round_trip_and_shape(self, tmp_path_factory, seed, nights, facts):
        stream = make_stream(seed, nights, facts)
        path = tmp_path_factory.mktemp("stream") / "s.jsonl"
        stream.write(path)
        assert read(path) == stream == make_stream(seed, nights, facts)
        assert Counter(fact.night for fact in stream.facts) == dict.fromkeys(range(1, nights + 1), facts)
        assert len(stream.questions("unanswerable")) == facts

    def test_seeds_differ(self):
        assert make_stream(1, 2, 8) != make_stream(2, 2, 8)

    def test_every_text_holds_its_answer_and_no_question_does(self):
        for fact in make_stream(3, 10, 24).facts:
            assert fact.answer in fact.text
            assert 2 <= len(set(fact.test_questions)) <= 3
            assert not any(fact.answer in question or question in fact.text for question in fact.test_questions)

    def test_updates_and_deletions(self):
        stream = make_stream(4, 6, 20)
        by_id = {fact.id: fact for fact in stream.facts}
        updates = [fact for fact in stream.facts if fact.supersedes]
        deletes = [event for event in stream.events if isinstance(event, StreamDelete)]
        assert len(updates) == 5 * 2 and len(deletes) == 4
        for update in updates:
            old = by_id[update.supersedes]
            assert old.night < update.night and old.relation == update.relation and old.answer != update.answer
        touched = [update.supersedes for update in updates] + [update.id for update in updates]
        assert not {event.fact for event in deletes} & set(touched)
        assert all(by_id[event.fact].night < event.night for event in deletes)

    def test_nothing_says_what_the_unanswerable_questions_ask(self):
        stream = make_stream(5, 8, 20)
        answerable = {question for fact in stream.facts for question in fact.test_questions}
        assert not answerable & set(stream.questions("unanswerable"))
        texts = " ".join(fact.text for fact in stream.facts)
        known = [q for q in stream.questions("unanswerable") if any(word in texts for word in names_in(q))]
        assert len(known) >= 8

    def test_nonsense_sizes(self):
        with pytest.raises(InvalidInput, match="both must be 1 or more"):
            make_stream(1, 0, 5)

    @given(st.integers(0, 99), st.integers(1, 5), st.integers(2, 8), st.integers(0, 2), st.integers(0, 2))
    @settings(max_examples=40, deadline=None)
    def test_changes_and_deletions_are_as_many_as_were_asked_for(self, seed, nights, facts, changes, deletions):
        try:
            stream = make_stream(seed, nights, facts, changes=changes, deletions=deletions)
        except InvalidInput as error:
            assert "ask for fewer changes or deletions" in str(error)
            assert changes + deletions > facts - changes
            return
        for night in stream.nights:
            events = stream.on(night)
            changed = sum(isinstance(event, StreamFact) and event.supersedes is not None for event in events)
            assert changed == (changes if night > 1 else 0)
            assert sum(isinstance(event, StreamDelete) for event in events) == (deletions if night > 2 else 0)

    def test_without_them_the_stream_has_neither(self):
        stream = make_stream(1, 30, 20, changes=0, deletions=0)
        assert len(stream.facts) == 600
        assert all(isinstance(event, StreamFact) and event.supersedes is None for event in stream.events)

    def test_the_defaults_are_one_in_ten_and_one(self):
        assert make_stream(4, 6, 20) == make_stream(4, 6, 20, changes=2, deletions=1)
        assert make_stream(4, 6, 3) == make_stream(4, 6, 3, changes=0, deletions=0)

    @pytest.mark.parametrize(("changes", "deletions"), [(6, 0), (-1, 0), (0, -1)])
    def test_more_changes_than_facts_or_fewer_than_none(self, changes, deletions):
        with pytest.raises(InvalidInput, match="both must be 0 or more, and no more changes than facts"):
            make_stream(1, 4, 5, changes=changes, deletions=deletions)

    def test_equal_streams_have_equal_digests(self, tmp_path):
        stream = make_stream(1, 3, 5)
        stream.write(tmp_path / "s.jsonl")
        spaced = "\n\n".join((tmp_path / "s.jsonl").read_text(encoding="utf-8").splitlines())
        (tmp_path / "spaced.jsonl").write_text(spaced, encoding="utf-8")
        assert read(tmp_path / "spaced.jsonl").sha256 == stream.sha256 != make_stream(2, 3, 5).sha256


def names_in(question: str) -> list[str]:
    """The capitalised words after the first."""
    return [word.strip("?'s") for word in question.split()[1:] if word[0].isupper() and word != "Café"]


def test_the_relations_are_complete():
    for relation in relations():
        assert len(relation.statements) >= 4 and len(relation.updates) >= 2 and len(relation.questions) == 3
        for template in (*relation.statements, *relation.updates):
            assert template.count("{s}") == 1 and template.count("{o}") == 1, template
        assert all(q.count("{s}") == 1 and "{o}" not in q and q.endswith("?") for q in relation.questions)
    assert len({relation.name for relation in relations()}) == 16


def test_no_question_of_the_stream_is_a_question_of_the_training_documents():
    """The base must not have seen the wordings that the benchmark asks in."""
    folder = Path(hybridmem.__file__).parent / "evaluation" / "memory_jobs" / "relations"
    trained = {
        normalised_answer(question)
        for path in folder.glob("*.toml")
        for entry in tomllib.loads(path.read_text(encoding="utf-8"))["relation"]
        for question in entry["questions"]
    }
    assert len(trained) > 100
    tested = {normalised_answer(question) for relation in relations() for question in relation.questions}
    assert not tested & trained


def test_an_empty_stream_has_no_nights():
    assert Stream(()).nights == ()
