"""The plainest ledger conforms: the suite that the SQL ledger must pass holds for the twin it is compared with."""

from __future__ import annotations

import pytest

from hybridmem.stores.ledger.inmemory.ledger import InMemoryLedger
from hybridmem.testing.ledger_conformance import LedgerConformance


class TestInMemoryLedger(LedgerConformance):
    @pytest.fixture
    def ledger(self) -> InMemoryLedger:
        return InMemoryLedger()
