"""The scheduler's own metrics page on loopback, for operators who do not run the HTTP server."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hybridmem.core.clock import Clock
from hybridmem.core.errors import InvalidInput
from hybridmem.jobs.operator_metrics import MemoryCollector
from hybridmem.schedule import schedule_state
from hybridmem.schedule.status import standings

# Imported after the collector, whose error names the package to install.
from prometheus_client import CollectorRegistry, start_http_server  # isort: skip
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric  # isort: skip
from prometheus_client.registry import Collector  # isort: skip

if TYPE_CHECKING:
    from hybridmem.memory import HybridMemory

LOOPBACK = "127.0.0.1"


class ScheduleCollector(Collector):
    """The scheduled nights of every namespace: verdicts, retries, and when the next is due."""

    def __init__(self, memory: HybridMemory, clock: Clock) -> None:
        self._memory = memory
        self._clock = clock

    def collect(self) -> Iterator[Metric]:
        """The present metrics. Raises `StoreError`."""
        names = ["namespace"]
        due = GaugeMetricFamily("hybridmem_next_night_timestamp_seconds", "When the next is due.", labels=names)
        running = GaugeMetricFamily("hybridmem_night_running", "Whether a scheduled dream runs.", labels=names)
        retries = CounterMetricFamily("hybridmem_night_retries", "Attempts after a failure.", labels=names)
        last = GaugeMetricFamily(
            "hybridmem_recent_nights",
            f"The last {schedule_state.REMEMBERED} scheduled nights, by verdict.",
            labels=["namespace", "verdict"],
        )
        for standing in standings(self._memory, self._memory.ledger.namespaces(), self._clock()):
            name = "/".join(standing.namespace)
            if standing.next is not None:
                due.add_metric([name], standing.next.timestamp())
            running.add_metric([name], standing.state == "running")
            schedule = schedule_state.read(self._memory.ledger, standing.namespace)
            retries.add_metric([name], schedule.retries if schedule is not None else 0)
            for verdict, times in sorted(Counter(run.verdict for run in standing.runs).items()):
                last.add_metric([name, verdict], times)
        yield from (due, running, retries, last)


@contextmanager
def page(memory: HybridMemory, port: int, clock: Clock) -> Iterator[int]:
    """Serve ``/metrics`` on loopback until the block ends, and give the port; 0 picks a free one.

    Raises `InvalidInput` where the port is taken."""
    registry = CollectorRegistry()
    registry.register(MemoryCollector(memory))
    registry.register(ScheduleCollector(memory, clock))
    try:
        server, thread = start_http_server(port, addr=LOOPBACK, registry=registry)
    except (OSError, OverflowError) as error:
        raise InvalidInput(f"the metrics page cannot have the port {port} ({error}): choose another") from None
    try:
        yield int(server.server_port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
