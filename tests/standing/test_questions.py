"""Standing questions: answered with evidence, again when something that bears on them came or went, and else not."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridmem.core.errors import InvalidInput, UnknownQuestion
from hybridmem.core.standing import StandingQuestion
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel
from hybridmem.standing import questions

HOME = "Where does Ana live?"


def reads(memory: HybridMemory) -> int:
    """How often the model was asked."""
    model = memory.model
    assert isinstance(model, FakeModel)
    return model.calls["answer"]


def the_answer(memory: HybridMemory) -> StandingQuestion:
    (answer,) = memory.standing_questions.answers()
    return answer


def test_a_question_is_kept_answered_with_its_evidence(memory: HybridMemory) -> None:
    (said,) = memory.add("Ana lives in Lisbon.")
    kept = memory.standing_questions.add(HOME)
    assert (kept.text, kept.answered_at) == ("", None)
    assert memory.standing_questions.list() == [kept]
    answer = the_answer(memory)
    assert (answer.id, answer.text, answer.answered_at) == (kept.id, "Lisbon", memory.clock())
    assert [statement.sources for statement in answer.statements] == [(said.id,)]
    assert answer.shown == (said.id,)
    assert memory.standing_questions.list() == [answer]


def test_it_is_asked_again_when_what_bears_on_it_comes_and_not_else(memory: HybridMemory) -> None:
    memory.add("Ana lives in Lisbon.", at="2026-01-01")
    memory.standing_questions.add(HOME)
    assert the_answer(memory).text == "Lisbon"
    asked = reads(memory)
    assert the_answer(memory).text == "Lisbon"
    assert reads(memory) == asked
    memory.add("Ana lives in Porto.", at="2026-02-01")
    assert the_answer(memory).text == "Porto"
    assert reads(memory) == asked + 1


def test_it_is_asked_again_when_its_evidence_goes(memory: HybridMemory) -> None:
    memory.add("Ana lives in Lisbon.", at="2026-01-01")
    (later,) = memory.add("Ana lives in Porto.", at="2026-02-01")
    memory.standing_questions.add(HOME)
    assert the_answer(memory).text == "Porto"
    memory.delete(later.id)
    (withheld,) = memory.standing_questions.list()
    assert (withheld.text, withheld.answered_at) == ("", None)
    assert the_answer(memory).text == "Lisbon"


@pytest.mark.parametrize("go", ["quarantine", "delete", "supersede", "expire", "reword"])
def test_an_answer_is_not_given_any_more_once_its_evidence_is_gone(memory: HybridMemory, go: str) -> None:
    fact = memory.add_fact("Ana", "lives in", "Lisbon", valid_from="2026-01-01")
    memory.standing_questions.add(HOME)
    assert the_answer(memory).text == "Lisbon"
    if go == "supersede":
        memory.add_fact("Ana", "lives in", "Porto")
    elif go == "reword":
        memory.update(fact.id, "Ana lives in Porto.")
    elif go == "expire":
        memory.update(fact.id, expires_at="2026-02-01")
    else:
        getattr(memory, go)(fact.id)
    assert [each.text for each in memory.standing_questions.list()] == [""]


def test_the_words_of_an_answer_leave_the_files_with_what_it_was_read_from(memory: HybridMemory) -> None:
    (said,) = memory.add("Ana lives in Xanthippeville.")
    memory.standing_questions.add(HOME)
    assert the_answer(memory).text == "Xanthippeville"
    receipt = memory.delete(said.id)
    assert receipt.removed["standing_answers"] == 1
    ledger = Path(memory.folder.ledger)
    assert all(b"Xanthippeville" not in file.read_bytes() for file in ledger.parent.glob(f"{ledger.name}*"))


def test_what_the_memories_do_not_say_has_no_answer(memory: HybridMemory) -> None:
    memory.add("Ben plays chess.")
    memory.standing_questions.add(HOME)
    answer = the_answer(memory)
    assert (answer.text, answer.statements) == ("", ())
    assert answer.answered_at == memory.clock()


def test_the_same_question_is_kept_once_and_can_be_removed(memory: HybridMemory) -> None:
    kept = memory.standing_questions.add(HOME)
    assert memory.standing_questions.add("where does ana live") == kept
    memory.standing_questions.remove(kept.id)
    assert memory.standing_questions.list() == []
    with pytest.raises(UnknownQuestion, match="hybridmem question list"):
        memory.standing_questions.remove(kept.id)


def test_there_is_a_most(memory: HybridMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(questions, "MOST", 2)
    for number in range(2):
        memory.standing_questions.add(f"What is {number}?")
    with pytest.raises(InvalidInput, match="remove one first"):
        memory.standing_questions.add("And this?")
    assert memory.standing_questions.add("What is 1?").question == "What is 1?"
