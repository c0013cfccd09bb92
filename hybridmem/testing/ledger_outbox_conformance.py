"""What every ledger must tell the derived indexes: a part of `LedgerConformance`."""

from __future__ import annotations

from hybridmem.stores.ledger.base import Ledger
from hybridmem.stores.ledger.inmemory.ledger import InMemoryLedger
from hybridmem.testing.ledger_samples import ANA, NOW, episode


class OutboxConformance:
    """Everything that `Outbox` promises."""

    def test_the_outbox_tells_each_consumer_once_and_again_after_a_reset(self, ledger: Ledger) -> None:
        assert ledger.identity() == ledger.identity() != InMemoryLedger().identity()
        ledger.append([episode("e1"), episode("e2")])
        entries = ledger.pending("dense")
        assert [(entry.memory, entry.operation, entry.namespace) for entry in entries] == [
            ("e1", "upsert", ANA),
            ("e2", "upsert", ANA),
        ]
        assert ledger.pending("dense", limit=1) == entries[:1]
        ledger.acknowledge("dense", entries[-1].position)
        ledger.acknowledge("dense", entries[0].position)
        assert (ledger.pending("dense"), ledger.pending("graph")) == ([], entries)
        for home in (None, ANA):
            assert ledger.last_pending(["dense"], home) == 0
            assert (
                ledger.last_pending(["graph"], home)
                == ledger.last_pending(["dense", "graph"], home)
                == entries[-1].position
            )
        assert ledger.last_pending(["graph"], ("nobody",)) == 0
        assert ledger.acknowledged(["dense", "graph"]) == {"dense": entries[-1].position, "graph": 0}
        assert ledger.counts(ANA).outbox == 0
        ledger.update_text(ANA, "e1", "new", NOW)
        ledger.erase(ANA, "e2", NOW)
        assert [(e.memory, e.operation) for e in ledger.pending("dense")] == [("e1", "upsert"), ("e2", "delete")]
        assert ledger.counts(ANA).outbox == 2
        ledger.reset_consumer("dense")
        assert {e.memory for e in ledger.pending("dense")} >= {"e1"}
