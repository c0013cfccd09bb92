"""The plainest ledger conforms: the suite that the SQL ledger must pass holds for the twin it is compared with."""

from __future__ import annotations

import pytest

from hybridmem.stores.ledger.inmemory.ledger import InMemoryLedger
from hybridmem.testing.ledger_conformance import LedgerConformance
from hybridmem.testing.ledger_samples import ANA, fact


class TestInMemoryLedger(LedgerConformance):
    @pytest.fixture
    def ledger(self) -> InMemoryLedger:
        return InMemoryLedger()


def test_a_ledger_is_opened_with_other_relations_that_hold_several_values() -> None:
    ledger = InMemoryLedger(multi_valued={"Lives in"})
    assert ledger.multi_valued == {"lives in"}
    for number, (relation, value) in enumerate((("lives in", "Oslo"), ("lives in", "Rome"), ("likes", "tea"))):
        ledger.put_fact(fact(f"f{number}", value, number, relation=relation), replace=None)
    ledger.put_fact(fact("f3", "chess", 3, relation="likes"), replace=None)
    assert [f.object for f in ledger.facts(ANA)] == ["Oslo", "Rome", "chess"]
