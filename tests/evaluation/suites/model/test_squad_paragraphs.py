"""SQuAD's paragraphs: how they are read, cut and split, on small files and on the real one where it is there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hybridmem.core.errors import InvalidInput
from hybridmem.evaluation.suites.model import squad_paragraphs as squad

DATA = Path(__file__).parents[5] / "shared" / "data" / squad.FILE


def test_sentences_end_where_they_end() -> None:
    text = "J. R. Smith met Dr. Who in St. Louis. It cost $3.50 (a lot). “Really?” She left, e.g. Then what? Nothing!"
    assert squad.sentences(text) == [
        "J. R. Smith met Dr. Who in St. Louis.",
        "It cost $3.50 (a lot).",
        "“Really?”",
        "She left, e.g. Then what?",
        "Nothing!",
    ]
    assert " ".join(squad.sentences(text)) == text


def test_files_of_either_form_are_read(tmp_path: Path) -> None:
    path = tmp_path / "squad.json"
    asked = [{"question": "Who?", "answers": ["Ana", "Ana Brito"]}, {"question": "Where?", "answer": "Riga"}]
    path.write_text(json.dumps([{"title": "T", "context": "Ana Brito is in Riga.", "questions": asked}]))
    (paragraph,) = squad.read(path)
    assert [question.answers for question in paragraph.questions] == [("Ana", "Ana Brito"), ("Riga",)]


@pytest.mark.parametrize("text", ["{}x", '[{"title": "T"}]', "[1]"])
def test_other_files_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "squad.json"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=r"squad_dev\.json"):
        squad.read(path)
    with pytest.raises(InvalidInput):
        squad.read(tmp_path / "missing.json")


def test_the_split_of_the_real_file() -> None:
    if not DATA.is_file():
        pytest.skip(f"{DATA} is not here")
    paragraphs = squad.read(DATA)
    titles = {paragraph.title for paragraph in paragraphs}
    held_out = {title for title in titles if squad.is_held_out(title)}
    assert (len(titles), len(held_out)) == (24, 6)
    assert sum(len(each.questions) for each in paragraphs if each.title in held_out) == 1045
    for paragraph in paragraphs:
        joined = " ".join(squad.sentences(paragraph.context))
        assert joined.split() == paragraph.context.split()
        for question in paragraph.questions:
            assert all(answer in paragraph.context for answer in question.answers)
