from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
from filelock import FileLock

from hybridmem.adapters.registry import AdapterRegistry
from hybridmem.core.records import AdapterRecord
from hybridmem.dreaming.steps.unlearn import erased, in_weights, probe, remove_training, remove_weights
from hybridmem.models.fake import ADAPTER_FILE, FakeModel
from hybridmem.stores.ledger.inmemory.ledger import InMemoryLedger
from tests.dreaming.nights import ANA, NIGHT, fact


@pytest.fixture
def ledger() -> InMemoryLedger:
    made = InMemoryLedger()
    for id in ("f1", "f2", "f3"):
        made.put_fact(fact(id, f"Person {id}"))
    return made


@pytest.fixture
def registry(ledger: InMemoryLedger, tmp_path: Path) -> Iterator[AdapterRegistry]:
    """v0001 holds f1 and f2; v0002 goes on from it without f1; v0003 is a fresh start; v0003 is active."""
    made = AdapterRegistry(ledger, tmp_path / "adapters", ANA, lambda: NIGHT)
    for held, parent in ((("f1", "f2"), None), (("f2",), "v0001"), (("f3",), None)):
        folder = tmp_path / "candidate"
        folder.mkdir()
        (folder / "adapter_model.safetensors").write_bytes(b"weights")
        record = AdapterRecord("", ANA, "base", "0" * 64, parent, "candidate", NIGHT, "d", facts=held)
        made.promote(made.register(folder, record).version)
    yield made


def on_disk(registry: AdapterRegistry) -> list[str]:
    return [record.version for record in registry.list() if registry.path(record.version).exists()]


def test_weights_hold_what_their_parents_were_trained_on(registry: AdapterRegistry) -> None:
    records = registry.list()
    assert [in_weights(records, f"v000{n}") for n in (1, 2, 3)] == [{"f1", "f2"}, {"f1", "f2"}, {"f3"}]
    assert in_weights(records, "v0009") == frozenset()


@pytest.mark.parametrize(
    ("facts", "left"),
    [
        ([], ["v0001", "v0002", "v0003"]),
        (["f1"], ["v0003"]),
        (["f2", "f9"], ["v0003"]),
        (["f3"], ["v0001", "v0002", "v0003"]),
    ],
)
def test_every_adapter_whose_weights_saw_it_goes_but_the_active_one(
    registry: AdapterRegistry, facts: list[str], left: list[str]
) -> None:
    removed = remove_weights(registry, facts)
    assert on_disk(registry) == left
    assert removed == [v for v in ("v0001", "v0002", "v0003") if v not in left]
    assert remove_weights(registry, facts) == []


def test_what_was_erased_is_what_adapters_hold_and_the_ledger_lacks(
    ledger: InMemoryLedger, registry: AdapterRegistry
) -> None:
    assert erased(ledger, ANA) == frozenset()
    ledger.erase(ANA, "f1", NIGHT)
    ledger.expire(ANA, "f2", NIGHT)
    assert erased(ledger, ANA) == {"f1"}


def test_a_probe_says_what_the_weights_give_and_what_the_base_would(tmp_path: Path) -> None:
    (tmp_path / ADAPTER_FILE).write_text(json.dumps({"Where does Ana live?": "Lisbon"}))
    pairs = [("Where does Ana live?", "Lisbon"), ("Where does Ben live?", "Oslo")]
    held, not_held = probe(FakeModel(), tmp_path, pairs)
    assert (held.recalled, held.answer, not_held.recalled) == (True, "Lisbon", False)
    assert held.probability > 0.9 > held.base_probability
    assert not_held.probability == not_held.base_probability == pytest.approx(math.exp(-8.0))
    assert [p.recalled for p in probe(FakeModel(), None, pairs)] == [False, False]


def test_what_a_stopped_training_left_goes_unless_a_dream_runs(tmp_path: Path) -> None:
    folder, lock = tmp_path / "dream", tmp_path / "lock"
    assert not remove_training(folder, lock)
    (folder / "1234").mkdir(parents=True)
    with FileLock(lock):
        assert not remove_training(folder, lock)
    assert folder.exists()
    assert remove_training(folder, lock)
    assert not folder.exists()
