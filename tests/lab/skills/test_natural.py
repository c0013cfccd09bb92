"""The natural records: every file is sound, and what is held out stays apart."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from hybridmem.core.text.tokens import normalised
from lab.skills import natural

FILES = sorted(natural.FOLDER.glob("*.jsonl"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_every_record_is_sound(file: Path) -> None:
    assert {record.id: found for record in natural.read(file) if (found := natural.problems(record))} == {}


def test_there_are_three_thousand_and_none_comes_twice() -> None:
    records = natural.load("train") + natural.load("held-out")
    assert len(records) >= 3000
    assert len({record.id for record in records}) == len(records)
    # Two people may well say "thanks!" in the same words.
    texts = Counter(normalised(record.text) for record in records if len(record.text) > 40)
    assert [text for text, times in texts.items() if times > 1] == []


def test_one_file_in_six_is_held_out() -> None:
    held = {record.id[0] for record in natural.load("held-out")}
    assert held
    assert not held & {record.id[0] for record in natural.load("train")}
    assert len(held) >= len(FILES) // 6


def test_most_questions_do_not_copy_the_message() -> None:
    records = natural.load("train")
    share = [
        len(set(normalised(question).split()) & set(normalised(record.text).split()))
        / len(normalised(question).split())
        for record in records
        for question, _ in record.questions
    ]
    assert sum(share) / len(share) < 0.55


def test_a_bad_line_is_named(tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text(json.dumps({"id": "x001"}) + "\n")
    with pytest.raises(ValueError, match=r"x\.jsonl, line 1"):
        natural.read(file)
