"""A night makes the profile's order anew, and answers the standing questions on which something bears that changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hybridmem.core.records import Fact
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel
from hybridmem.standing.candidates import Making


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    with HybridMemory.open(tmp_path / "m", model=FakeModel(), embedder="hashing") as opened:
        yield opened


def test_a_night_answers_standing_questions_and_says_so(memory: HybridMemory) -> None:
    memory.add("Zoe lives in Riga.")
    memory.standing_questions.add("Where does Zoe live?")
    report = memory.dream()
    (answer,) = memory.standing_questions.list()
    assert answer.text == "Riga"
    (step,) = [step for step in report.steps if step.name == "standing questions"]
    assert step.counts == {"questions": 1}
    assert memory.dreams() == [report]
    memory.dream()
    # Nothing came or went: nobody is asked, and the report has no such step.
    asked = memory.standing_questions.list()[0].answered_at
    assert "standing questions" not in [step.name for step in memory.dream().steps]
    assert [each.answered_at for each in memory.standing_questions.list()] == [asked]


def test_a_night_counts_the_uses(memory: HybridMemory) -> None:
    for value in ("tea", "salt"):
        memory.ledger.put_fact(Fact(value, memory.namespace, "Ben", "likes", value, f"Ben likes {value}.",
                                    memory.clock(), recorded_at=memory.clock()), replace=False)  # fmt: skip
    assert [line.facts for line in memory.profile().lines] == [("salt",), ("tea",)]
    memory.ledger.touch(memory.namespace, ["tea"], memory.clock())
    before = memory.ledger.get_state(memory.namespace, Making)
    memory.dream()
    after = memory.ledger.get_state(memory.namespace, Making)
    assert [line.facts for line in memory.profile().lines] == [("tea",), ("salt",)]
    assert before is not None and after is not None
    assert before.night_from is None
    assert after.night_from == memory.ledger.last_pending(["nobody"], memory.namespace)
