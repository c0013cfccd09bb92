"""What every ledger must do with blocks and standing questions: a part of `LedgerConformance`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmem.core.errors import EditRefused, InvalidInput
from hybridmem.core.records import new_id
from hybridmem.core.standing import Block, StandingQuestion, Statement
from hybridmem.stores.ledger.base import Ledger
from hybridmem.stores.ledger.inmemory.ledger import InMemoryLedger
from hybridmem.testing.ledger_samples import ANA, BEN, NOW, day, episode, fact
from hybridmem.testing.ledger_twins import ONE_LEDGER


def block(label: str = "persona", value: str = "You are brief.", **values: Any) -> Block:
    return Block(label, value, updated_at=NOW, **values)


def question(id: str = "sq1", *cited: str, **values: Any) -> StandingQuestion:
    said = (Statement("Ana lives in Lisbon.", cited),) if cited else ()
    answered: dict[str, Any] = {"shown": cited, "read_by": "tiny", "answered_at": NOW, "position": 7} if cited else {}
    return StandingQuestion(id, ANA, "Where does Ana live?", said, **answered | values)


class StandingConformance:
    """Everything that `Standing` promises."""

    def test_a_block_is_kept_under_its_label_with_its_history(self, ledger: Ledger) -> None:
        first = ledger.put_block(ANA, block(description="who you are", limit=50), replaces=None, by="user")
        assert first == block(description="who you are", limit=50)
        second = replace(first, value="You are kind.", updated_at=day(1))
        assert ledger.put_block(ANA, second, replaces=first, by="agent") == second
        third = replace(second, limit=60, read_only=True, updated_at=day(2))
        assert ledger.put_block(ANA, third, replaces=second, by="user") == third
        ledger.put_block(ANA, block("human"), replaces=None, by="user")
        assert ledger.blocks(ANA) == [block("human"), third]
        assert ledger.blocks(BEN) == []
        assert [(e.event, e.text, e.by, e.at, dict(e.changes)) for e in ledger.block_history(ANA, "persona")] == [
            ("added", "You are brief.", "user", NOW, {}),
            ("updated", "You are kind.", "agent", day(1), {}),
            ("edited", "You are kind.", "user", day(2), {"limit": [50, 60], "read_only": [False, True]}),
        ]
        assert ledger.namespaces() == [ANA]

    def test_the_second_of_two_edits_at_a_time_is_not_made(self, ledger: Ledger) -> None:
        first = ledger.put_block(ANA, block(), replaces=None, by="user")
        assert ledger.put_block(ANA, block(value="mine"), replaces=None, by="user") is None
        ledger.put_block(ANA, block(value="theirs"), replaces=first, by="user")
        assert ledger.put_block(ANA, block(value="mine"), replaces=first, by="user") is None
        assert [each.value for each in ledger.blocks(ANA)] == ["theirs"]

    def test_the_same_words_again_are_no_event(self, ledger: Ledger) -> None:
        first = ledger.put_block(ANA, block(), replaces=None, by="user")
        later = replace(block(), updated_at=day(3))
        assert ledger.put_block(ANA, later, replaces=first, by="user") == first
        assert len(ledger.block_history(ANA, "persona")) == 1

    def test_an_erased_block_leaves_no_words(self, ledger: Ledger) -> None:
        first = ledger.put_block(ANA, block(value="A secret."), replaces=None, by="user")
        second = ledger.put_block(ANA, replace(block(), value="Another."), replaces=first, by="user")
        assert second is not None
        assert ledger.remove_block(ANA, "persona", day(4), by="user") == {"ledger": 1, "history": 2}
        assert ledger.remove_block(ANA, "persona", day(4), by="user") == {}
        assert ledger.blocks(ANA) == []
        history = ledger.block_history(ANA, "persona")
        assert [(event.event, event.text) for event in history] == [
            ("added", None),
            ("updated", None),
            ("deleted", None),
        ]
        again = ledger.put_block(ANA, block(), replaces=None, by="agent")
        assert again == block()
        assert [event.event for event in ledger.block_history(ANA, "persona")][-2:] == ["deleted", "added"]

    @pytest.mark.parametrize(
        ("wrong", "error"),
        [
            (block("two words"), InvalidInput),
            (block(""), InvalidInput),
            (block("a" * 65), InvalidInput),
            (block(value="a" * 11, limit=10), EditRefused),
            (block(limit=0, value=""), InvalidInput),
            (block(value="\x00"), InvalidInput),
            (block(description="d" * 1001), InvalidInput),
        ],
    )
    def test_a_block_that_is_none_is_refused(self, ledger: Ledger, wrong: Block, error: type[Exception]) -> None:
        with pytest.raises(error):
            ledger.put_block(ANA, wrong, replaces=None, by="user")
        assert ledger.blocks(ANA) == []

    def test_a_standing_question_is_kept_with_its_answer(self, ledger: Ledger) -> None:
        ledger.append([episode("e1"), episode("e2")])
        ledger.put_standing_question(question())
        ledger.put_standing_question(question("sq0", "e2", "e1"))
        assert ledger.standing_questions(ANA) == [question("sq0", "e2", "e1"), question()]
        ledger.put_standing_question(question("sq1", "e1"))
        assert ledger.standing_questions(ANA)[1] == question("sq1", "e1")
        assert ledger.standing_questions(BEN) == []
        assert ledger.remove_standing_question(ANA, "sq0")
        assert not ledger.remove_standing_question(ANA, "sq0")
        assert [each.id for each in ledger.standing_questions(ANA)] == ["sq1"]

    def test_an_answer_goes_with_what_it_was_read_from(self, ledger: Ledger) -> None:
        ledger.append([episode("e1"), episode("e2")])
        ledger.put_fact(fact("f1", sources=("e1",)))
        read = question("sq1", "f1", shown=("f1", "e2"))
        ledger.put_standing_question(read)
        ledger.put_standing_question(question("sq2", "e2"))
        erased = ledger.erase(ANA, "e1", NOW)
        assert erased.removed["standing_answers"] == 1
        assert ledger.standing_questions(ANA) == [question("sq1"), question("sq2", "e2")]
        # It was read before the erasure, and is stored after it.
        ledger.put_standing_question(read)
        assert ledger.standing_questions(ANA)[0] == question("sq1")

    def test_changes_are_those_of_one_namespace_behind_a_position(self, ledger: Ledger) -> None:
        ledger.append([episode("e1"), episode("b1", namespace=BEN), episode("e2")])
        every = ledger.changes(ANA, after=0)
        assert [(entry.memory, entry.operation, entry.namespace) for entry in every] == [
            ("e1", "upsert", ANA),
            ("e2", "upsert", ANA),
        ]
        assert ledger.changes(ANA, after=0, limit=1) == every[:1]
        ledger.erase(ANA, "e1", NOW)
        later = ledger.changes(ANA, after=every[-1].position)
        assert [(entry.memory, entry.operation) for entry in later] == [("e1", "delete")]
        assert ledger.changes(ANA, after=later[-1].position) == []

    @ONE_LEDGER
    @given(
        steps=st.lists(
            st.tuples(
                st.sampled_from(["put", "late", "remove"]),
                st.sampled_from(["a", "b"]),
                st.sampled_from(["", "one", "two\nlines", "ü 🎉"]),
                st.sampled_from([10, 20]),
                st.booleans(),
            ),
            max_size=25,
        )
    )
    def test_blocks_agree_with_the_plainest_twin(self, ledger: Ledger, steps: list[Any]) -> None:
        twin, home = InMemoryLedger(), ("twins", new_id("ns"))
        for number, (what, label, value, limit, read_only) in enumerate(steps):
            for each in (ledger, twin):
                there = {block.label: block for block in each.blocks(home)}.get(label)
                made = Block(label, value, "", limit, read_only, day(number))
                if what == "remove":
                    each.remove_block(home, label, day(number), by="user")
                else:
                    each.put_block(home, made, replaces=there if what == "put" else None, by="agent")
            assert ledger.blocks(home) == twin.blocks(home)
            assert ledger.block_history(home, label) == twin.block_history(home, label)
