"""Published protocols become streams that the benchmark reads, and hold what their papers say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from hybridmem.core.errors import InvalidInput
from hybridmem.evaluation.published import reversal, squad, tofu
from hybridmem.evaluation.stream import StreamDelete
from hybridmem.evaluation.suites.model.squad_paragraphs import Paragraph, Question

NAMES = ("Ana Brito", "Bo Lund", "Cem Oz", "Dia Roy", "Eli Fox", "Fay Kim")


def author(name: str) -> list[dict[str, str]]:
    """The twenty rows of an author: five of them give one value for the asking."""
    tested = [
        {"question": f"When was {name} born?", "answer": f"{name} was born on May 3, 1961."},
        {"question": f"What is {name}'s debut?", "answer": f'The debut of {name} is "Tin Moon," a novel.'},
        {"question": f"Which award did {name} win?", "answer": f"It was the Pilar Prize that {name} won."},
        {"question": f"Where does {name} live?", "answer": f"{name} lives in Porto today."},
        {"question": f"Who taught {name}?", "answer": f"{name} was taught by Otto Quill."},
    ]
    other = [
        {"question": f"What are the books of {name}?", "answer": f'{name} wrote "One Day" and "Two Days".'},
        {"question": f"Does {name} like rain?", "answer": f"Yes, {name} wrote a poem on the rain in Oslo."},
        {"question": f"What is the full name of the author {name}?", "answer": f"It is {name}."},
    ]
    filler = [{"question": f"How is {name}, {n}?", "answer": f"{name} is well."} for n in range(12)]
    return [*tested, *other, *filler]


@pytest.fixture
def authors(tmp_path: Path) -> Path:
    folder = tmp_path / "tofu_dev"
    folder.mkdir()
    rows = [row for name in NAMES for row in author(name)]
    (folder / "tofu_dev.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    world = {"question": "Where is the Eiffel Tower?", "answer": "Paris", "perturbed_answer": ["Rome"]}
    (folder / tofu.WORLD).write_text(json.dumps(world) + "\n")
    return folder / "tofu_dev.jsonl"


def test_an_author_s_values_are_told_and_the_forget_split_is_deleted_at_the_end(authors: Path) -> None:
    stream = tofu.stream(authors, nights=2, authors=2)
    told = [fact for fact in stream.facts if fact.night == 1]
    assert [fact.answer for fact in told[:5]] == ["May 3, 1961", "Tin Moon", "Pilar Prize", "Porto", "Otto Quill"]
    assert len(stream.facts) == 4 * 5
    assert all(fact.answer in fact.text for fact in stream.facts)
    deleted = [event for event in stream.events if isinstance(event, StreamDelete)]
    assert {event.night for event in deleted} == {3}
    assert [event.fact for event in deleted] == [fact.id for fact in stream.facts[-5:]]
    unknown = stream.questions("unanswerable")
    assert len(unknown) == tofu.UNTOLD * 7, "what has no one value can be asked too"
    assert all(name in question for name, question in zip(NAMES[-2:], unknown[::7], strict=True))
    assert stream.questions("locality") == ("Where is the Eiffel Tower?",)


def test_too_few_authors_are_named(authors: Path) -> None:
    with pytest.raises(InvalidInput, match="holds 6 authors, of whom 2 are never told, and 8 are wanted"):
        tofu.stream(authors, nights=3, authors=2)


@pytest.mark.parametrize("content", ["no json", '{"question": "Who?"}', "[1]", '{"question": "", "answer": "x"}'])
def test_a_file_of_another_form_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "tofu_dev.jsonl"
    path.write_text(content + "\n")
    with pytest.raises(InvalidInput, match=r"tofu_dev.jsonl"):
        tofu.records(path)


WORDS = some.text("abcde ", min_size=1, max_size=30).map(lambda text: f"X{text.strip()}.")


@given(sentences=some.lists(WORDS, min_size=1, max_size=8), data=some.data())
@settings(max_examples=60, deadline=None)
def test_a_passage_is_told_once_whole_and_in_order(sentences: list[str], data: some.DataObject) -> None:
    answers = data.draw(some.lists(some.sampled_from(sentences), max_size=6))
    asked = tuple(Question(f"Which, {n}?", (answer,)) for n, answer in enumerate(answers))
    pieces = squad._pieces(Paragraph("T", " ".join(sentences), asked))
    assert bool(pieces) == bool(answers)
    if pieces:
        assert " ".join(text for text, _, _ in pieces) == " ".join(sentences)
        assert all(answer in text for text, _, answer in pieces)
        assert len({question for _, question, _ in pieces}) == len(pieces)


def test_unrelated_questions_are_on_articles_that_no_night_tells(tmp_path: Path) -> None:
    records: list[dict[str, Any]] = [
        {"title": title, "context": f"{title} is {n}.", "questions": [{"question": f"{title}, {n}?", "answer": str(n)}]}
        for title in ("Oslo", "Riga")
        for n in range(3)
    ]
    path = tmp_path / "squad.json"
    path.write_text(json.dumps(records))
    stream = squad.stream(path, nights=1, passages=1, seed=0)
    (fact,) = stream.facts
    title = fact.text.partition(":")[0]
    assert len(stream.questions("locality")) == 3
    assert all(not question.startswith(title) for question in stream.questions("locality"))
    with pytest.raises(InvalidInput, match="holds 6 passages with questions, and 7 are wanted"):
        squad.stream(path, nights=7, passages=1, seed=0)


@given(seed=some.integers(0, 99))
@settings(max_examples=20, deadline=None)
def test_reversed_questions_ask_for_the_name_and_never_give_it(seed: int) -> None:
    asked, told = (reversal.stream(2, 5, seed, reverse=reverse) for reverse in (True, False))
    assert [fact.text for fact in asked.facts] == [fact.text for fact in told.facts]
    for back, forth in zip(asked.facts, told.facts, strict=True):
        assert back.answer in back.text and forth.answer in forth.text
        assert back.text.index(back.answer) < forth.text.index(forth.answer)
        assert all(back.answer not in question and forth.answer in question for question in back.test_questions)
        assert all(forth.answer not in question and back.answer in question for question in forth.test_questions)
