"""The operator's page has the ledger's figures."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from hybridmem import HybridMemory
from hybridmem.core.clock import utc_now
from hybridmem.core.records import Check, DreamReport, ReaderUsage
from hybridmem.dreaming.bounds import BOUNDS
from hybridmem.jobs.operator_metrics import MemoryCollector
from hybridmem.models.fake import FakeModel

ANA = ("users", "ana")


def figures(memory: HybridMemory) -> dict[tuple[str, ...], float]:
    registry = CollectorRegistry()
    registry.register(MemoryCollector(memory))
    page = generate_latest(registry).decode()
    assert "Porto" not in page
    return {
        (sample.name.removeprefix("hybridmem_"), *sorted(sample.labels.values(), reverse=True)): sample.value
        for family in text_string_to_metric_families(page)
        for sample in family.samples
    }


def report(id: str, status: str, **given: object) -> DreamReport:
    values = {"night": 1, "started_at": utc_now(), "seconds": 30.0, "trained_tokens": 1000, "peak_memory_mb": 2.0}
    return DreamReport(id=id, namespace=ANA, status=status, **values | given)


def test_every_figure(tmp_path: Path) -> None:
    gate = (
        Check("learning_accuracy", 0.9, 0.7, True),
        Check("forgetting", 0.25, 0.15, False),
        Check("drift_nats", 0.4, 0.1, False),
    )
    with HybridMemory.open(tmp_path / "memory", namespace=ANA, model=FakeModel(), embedder="hashing") as memory:
        memory.add("Ana lives in Porto.")
        memory.add_fact("Ana", "lives in", "Porto")
        memory.at("users/odd").add("The password is Tr0ub4dor&3.")
        memory.ledger.save_dream(
            report(
                "d1", "promoted", gate=(Check("forgetting", 0.0, 0.15, True),), reader=ReaderUsage(5, 70, 30, cost=0.5)
            )
        )
        memory.ledger.save_dream(
            report("d2", "rejected", gate=gate, test={"drift_nats": 0.5}, held_facts=7, peak_memory_mb=4.0)
        )
        last = report("d3", "nothing", seconds=1.0, trained_tokens=0, reader=ReaderUsage(2, 7, 3, refused_calls=1))
        memory.ledger.save_dream(last)
        found = figures(memory)
    ana = "users/ana"
    assert found["memories", ana, "episode"] == 1
    assert found["memories", ana, "fact"] == 1
    assert found["memories", "users/odd", "episode"] == 1
    assert found["index_backlog", ana] == 2
    assert found["secrets", "users/odd", "password"] == 1
    assert ("secrets", ana, "password") not in found
    assert [found["dreams_total", ana, verdict] for verdict in ("promoted", "rejected", "nothing")] == [1, 1, 1]
    assert found["dreams_total", "users/odd", "promoted"] == 0
    assert found["gate_refusals_total", ana, "forgetting"] == found["gate_refusals_total", ana, "drift_nats"] == 1
    assert ("gate_refusals_total", ana, "learning_accuracy") not in found
    assert found["dream_seconds_total", ana] == 61
    assert found["trained_tokens_total", ana] == 2000
    assert [found[f"reader_{name}_total", ana] for name in ("calls", "prompt_tokens", "completion_tokens")] == [
        7,
        77,
        33,
    ]
    assert (found["reader_cost_total", ana], found["reader_refused_calls_total", ana]) == (0.5, 1)
    assert found["last_dream_timestamp_seconds", ana] == last.started_at.timestamp()
    assert found["last_dream_peak_memory_bytes", ana] == 2 * 2**20
    assert found["last_forgetting", ana] == 0.25
    assert found["last_learning_accuracy", ana] == 0.9
    assert found["last_drift_nats", ana] == 0.5
    assert found["last_facts_held", ana] == 7
    assert ("last_drift_nats", "users/odd") not in found


def test_a_name_with_every_quote(tmp_path: Path) -> None:
    with HybridMemory.open(tmp_path / "memory", model=FakeModel(), embedder="hashing") as memory:
        memory.at(("users", 'b"ob')).add("x")
        assert figures(memory)["memories", 'users/b"ob', "episode"] == 1


def test_a_report_of_an_earlier_release_counts_under_the_names_of_today(tmp_path: Path) -> None:
    gate = (
        Check("learned", 0.9, 0.7, True),
        Check("false answers", 0.4, 0.15, False),
        Check("drift", 0.1, 0.15, True),
        Check("stale", 0.0, 0.1, True),
    )
    with HybridMemory.open(tmp_path / "memory", namespace=ANA, model=FakeModel(), embedder="hashing") as memory:
        memory.ledger.save_dream(report("d1", "rejected", gate=gate, test={"new_facts": 0.8, "drift_nats": 0.2}))
        found = figures(memory)
    ana = "users/ana"
    assert found["gate_refusals_total", ana, "false_answer_rise"] == 1
    assert found["last_learning_accuracy", ana] == 0.8
    assert found["last_drift_nats", ana] == 0.2
    assert (found["last_false_answer_rise", ana], found["last_stale_answer_rate", ana]) == (0.4, 0.0)


def test_every_bound_of_the_gate_is_on_the_page(tmp_path: Path) -> None:
    gate = tuple(Check(bound.name, 0.5, 0.5, True) for bound in BOUNDS)
    with HybridMemory.open(tmp_path / "memory", namespace=ANA, model=FakeModel(), embedder="hashing") as memory:
        memory.ledger.save_dream(report("d1", "promoted", gate=gate))
        found = figures(memory)
    assert all(found[f"last_{bound.name}", "users/ana"] == 0.5 for bound in BOUNDS)
