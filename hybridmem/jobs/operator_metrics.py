"""An operator's view of a memory as Prometheus metrics: a collector that reads the ledger at each scrape.

>>> from prometheus_client import CollectorRegistry, generate_latest                  # doctest: +SKIP
>>> registry = CollectorRegistry()                                                    # doctest: +SKIP
>>> registry.register(MemoryCollector(memory))                                        # doctest: +SKIP
>>> generate_latest(registry)                                                         # doctest: +SKIP
b'# HELP hybridmem_memories Memories that can be found...
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from hybridmem.core.errors import MissingExtra
from hybridmem.core.records import DreamReport
from hybridmem.dreaming.bounds import BOUNDS, current_name
from hybridmem.maintenance.secrets import SecretCounts

try:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
    from prometheus_client.registry import Collector
except ImportError:
    raise MissingExtra("a metrics page needs prometheus-client: pip install 'hybridmem[schedule]'") from None

if TYPE_CHECKING:
    from hybridmem.memory import HybridMemory

VERDICTS = ("promoted", "rejected", "nothing")


class MemoryCollector(Collector):
    """Contents and dreams of every namespace in `memory`'s folder, as names and figures without any text."""

    def __init__(self, memory: HybridMemory) -> None:
        self._memory = memory
        self._secrets = SecretCounts()

    def collect(self) -> Iterator[Metric]:
        """The present metrics. Raises `StoreError`."""
        ledger = self._memory.ledger
        memories = _Gauge("memories", "Memories that can be found, by kind.", "kind")
        outbox = _Gauge("index_backlog", "Changes that some index has not followed yet.")
        secrets = _Gauge("secrets", "Memories that hold a secret, by its kind; counted every ten minutes.", "kind")
        dreams = _Counter("dreams", "Dreams that came to a report, by verdict.", "verdict")
        refusals = _Counter("gate_refusals", "Checks of the gate that refused a dream.", "check")
        seconds = _Counter("dream_seconds", "Seconds spent dreaming.")
        tokens = _Counter("trained_tokens", "Tokens trained on.")
        read = {
            "calls": _Counter("reader_calls", "Calls of another model that reads for the dreams."),
            "prompt_tokens": _Counter("reader_prompt_tokens", "Tokens of its prompts."),
            "completion_tokens": _Counter("reader_completion_tokens", "Tokens of its completions."),
            "refused_calls": _Counter("reader_refused_calls", "Calls that it refused or answered with nothing."),
            "cost": _Counter("reader_cost", "What that cost, in the currency of its prices; 0 without prices."),
        }
        last = {
            name: _Gauge(f"last_dream_{name}", text)
            for name, text in (
                ("timestamp_seconds", "When the last dream with a report began, in Unix time."),
                ("duration_seconds", "What it took."),
                ("peak_memory_bytes", "The most main memory that its process took."),
            )
        }
        trained = {bound.name: _Gauge(f"last_{bound.name}", f"Last trained dream: {bound.text}") for bound in BOUNDS}
        trained["facts_held"] = _Gauge("last_facts_held", "Facts in the weights after the last trained dream.")
        for namespace in ledger.namespaces():
            name = "/".join(namespace)
            counts = ledger.counts(namespace)
            for kind in ("episodes", "facts", "retired_facts"):
                memories.put(name, getattr(counts, kind), kind.removesuffix("s"))
            outbox.put(name, counts.outbox)
            for kind, number in sorted(self._secrets(ledger, namespace).items()):
                secrets.put(name, number, kind)
            reports = [report for report in ledger.dreams(namespace) if report.status in VERDICTS]
            verdicts = Counter(report.status for report in reports)
            for verdict in VERDICTS:
                dreams.put(name, verdicts[verdict], verdict)  # type: ignore[index]
            refused = Counter(
                current_name(check.name) for report in reports for check in report.gate if not check.passed
            )
            for check, times in sorted(refused.items()):
                refusals.put(name, times, check)
            seconds.put(name, sum(report.seconds for report in reports))
            tokens.put(name, sum(report.trained_tokens for report in reports))
            took = [report.reader for report in reports if report.reader is not None]
            for figure, counter in read.items():
                counter.put(name, sum(getattr(each, figure) or 0 for each in took))
            if reports:
                last["timestamp_seconds"].put(name, reports[-1].started_at.timestamp())
                last["duration_seconds"].put(name, reports[-1].seconds)
                last["peak_memory_bytes"].put(name, reports[-1].peak_memory_mb * 2**20)
            gated = next((report for report in reversed(reports) if report.gate), None)
            for figure, value in (_figures(gated) if gated is not None else {}).items():
                trained[figure].put(name, value)
        for family in (
            memories,
            outbox,
            secrets,
            dreams,
            refusals,
            seconds,
            tokens,
            *read.values(),
            *last.values(),
            *trained.values(),
        ):
            yield family.metric


def _figures(report: DreamReport) -> dict[str, float]:
    """What the gate bounds, as the test split measured it; by the gate itself where only that did."""
    by_gate = {current_name(check.name): check.value for check in report.gate}
    on_test = {current_name(name): value for name, value in report.test.items()}
    measured = by_gate | on_test
    return {
        "facts_held": float(report.held_facts),
        **{bound.name: measured[bound.name] for bound in BOUNDS if bound.name in measured},
    }


class _Gauge:
    """One gauge for every namespace."""

    def __init__(self, name: str, text: str, *labels: str) -> None:
        self.metric: Metric = GaugeMetricFamily(f"hybridmem_{name}", text, labels=["namespace", *labels])

    def put(self, namespace: str, value: float, *labels: str) -> None:
        self.metric.add_metric([namespace, *labels], value)  # type: ignore[attr-defined]


class _Counter(_Gauge):
    """One counter for every namespace; its name ends in ``_total`` on the page."""

    def __init__(self, name: str, text: str, *labels: str) -> None:
        self.metric = CounterMetricFamily(f"hybridmem_{name}", text, labels=["namespace", *labels])
