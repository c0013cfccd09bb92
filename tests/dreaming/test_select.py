from __future__ import annotations

from typing import Any

import pytest

from hybridmem.core.records import AdapterRecord, Fact, Trust
from hybridmem.dreaming.steps.select import Selection, select
from tests.dreaming.nights import ANA, NIGHT, fact


def active(*facts: str, tainted: tuple[str, ...] = ()) -> AdapterRecord:
    return AdapterRecord(
        "v0001", ANA, "base", "0" * 64, None, "active", NIGHT, "d1", facts=(*facts, *tainted), tainted=tainted
    )


def chosen(facts: list[Fact], retired: tuple[Fact, ...] = (), held: AdapterRecord | None = None, **given: Any) -> Any:
    return select(facts, retired, held, given.pop("uses", {}), given.pop("limit", 32), **given)


def ids(facts: tuple[Fact, ...]) -> list[str]:
    return [f.id for f in facts]


def test_everything_is_new_on_the_first_night() -> None:
    assert chosen([fact("a"), fact("b")]) == Selection((fact("a"), fact("b")), (), 0, (), ())


def test_what_the_adapter_holds_is_old() -> None:
    night = chosen([fact("a"), fact("b")], held=active("a"))
    assert (ids(night.new), ids(night.old)) == (["b"], ["a"])


def test_the_most_used_and_best_attested_come_first_and_the_others_wait() -> None:
    facts = [fact("a", position=1), fact("b", position=2), fact("c", evidence=3, position=3), fact("d", position=4)]
    night = chosen(facts, uses={"d": 2}, limit=3)
    assert (ids(night.new), night.waiting) == (["d", "c", "a"], 1)


def test_what_failed_before_keeps_nobody_waiting() -> None:
    night = chosen([fact("a", evidence=9), fact("b", position=1)], limit=1, failed={"a"})
    assert (ids(night.new), night.waiting) == (["b"], 1)


@pytest.mark.parametrize("trust", ["tool", "web"])
def test_untrusted_facts_never_go_in(trust: Trust) -> None:
    night = chosen([fact("a", trust=trust)])
    assert (night.new, night.waiting) == ((), 0)


def test_quarantined_facts_never_go_in_and_leave_the_weights() -> None:
    night = chosen([fact("a", quarantined=True), fact("b", quarantined=True)], held=active(tainted=("b",)))
    assert (night.new, night.old, night.replaced, night.deleted) == ((), (), ("b",), ())


def test_a_superseded_fact_is_replaced_and_its_successor_new() -> None:
    night = chosen([fact("b")], (fact("a", retired_at=NIGHT, superseded_by="b"),), active("c", tainted=("a",)))
    assert (ids(night.new), night.replaced, night.deleted) == (["b"], ("a",), ("c",))


def test_what_neither_list_has_was_deleted() -> None:
    night = chosen([fact("b")], held=active("b", tainted=("a",)))
    assert (ids(night.old), night.replaced, night.deleted) == (["b"], (), ("a",))


def test_what_an_earlier_adapter_held_is_deleted_too() -> None:
    retired = (fact("a", retired_at=NIGHT),)
    assert chosen([fact("b")], retired, active("b"), inherited={"a", "b"}).deleted == ()
    assert chosen([fact("b")], (), active("b"), inherited={"a", "b"}).deleted == ("a",)


def test_a_reworded_fact_is_learned_anew() -> None:
    night = chosen([fact("a")], held=active(tainted=("a",)))
    assert (ids(night.new), night.old, night.replaced, night.deleted) == (["a"], (), (), ())


def test_a_tainted_fact_that_waits_is_neither_replaced_nor_deleted() -> None:
    night = chosen([fact("a"), fact("b", evidence=2)], held=active(tainted=("a", "b")), limit=1)
    assert (ids(night.new), night.waiting, night.replaced, night.deleted) == (["b"], 1, (), ())
