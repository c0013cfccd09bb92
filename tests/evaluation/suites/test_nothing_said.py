"""What a night believes of sentences that state nothing positive."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hybridmem.core.errors import InvalidInput
from hybridmem.evaluation.suites.nothing_said import read, run
from hybridmem.models.fake import FakeModel

FILE = Path(__file__).parents[3] / "lab/weeks/nothing_positive.jsonl"
SECOND = FILE.with_name("nothing_positive_second.jsonl")


@pytest.mark.parametrize("file", [FILE, SECOND])
def test_there_are_sixty_of_all_kinds(file: Path) -> None:
    sentences = read(file)
    assert len(sentences) == 60
    assert len({sentence.text for sentence in sentences}) == 60
    assert sum(sentence.earlier is not None for sentence in sentences) >= 25
    assert {"negated", "wished", "quoted", "conditional", "joking"} <= {sentence.kind for sentence in sentences}


def test_what_is_believed_and_retired_is_counted(tmp_path: Path) -> None:
    file = tmp_path / "sentences.jsonl"
    slot = {"earlier": "Ana Brito lives in Porto.", "q": "Where does Ana Brito live?", "a": "Porto"}
    line = {"at": "2026-03-01T10:00", "kind": "negated", "tempting": "", "slot": slot}
    said = ["Good morning!", "Ana Brito lives in Lisbon."]  # the second one states something
    file.write_text("".join(json.dumps({**line, "text": text}) + "\n" for text in said))
    result = run(read(file), model=FakeModel(), progress=lambda *_: None)
    assert (result["sentences"], result["believed"], result["retired"]) == (2, 1, 1)
    assert (result["earlier_values"], result["answered_with_the_earlier_value"]) == (2, 1)
    assert [fact["sentence"] for fact in result["facts"]] == said[1:]
    assert result["retired_facts"] == [{"sentence": said[1], "fact": "Ana Brito lives in Porto."}]


def test_a_line_that_is_none_is_named(tmp_path: Path) -> None:
    file = tmp_path / "sentences.jsonl"
    file.write_text('{"at": "yesterday"}\n')
    with pytest.raises(InvalidInput, match="line 1 is no sentence"):
        read(file)
