"""The operator's figures as Prometheus metrics."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fastapi import APIRouter, Request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.responses import Response

from hybridmem.core.records import DreamReport, Route
from hybridmem.dreaming.bounds import BOUNDS, current_name
from hybridmem.maintenance.secrets import SecretCounts
from hybridmem.server.tokens import Grant
from hybridmem.stores.ledger.base import Ledger

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
router = APIRouter(tags=["operations"])


class Figures:
    """Counts and times of this process, in a registry of their own."""

    def __init__(self) -> None:
        self.secrets = SecretCounts()
        self.registry = CollectorRegistry()
        self._operations = Histogram(
            "hybridmem_operation_seconds",
            "Seconds of an operation on a memory, waiting for a thread included.",
            ["operation"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._requests = Counter(
            "hybridmem_requests",
            "Requests by endpoint and status.",
            ["endpoint", "method", "status"],
            registry=self.registry,
        )
        self._seconds = Histogram(
            "hybridmem_request_seconds",
            "Seconds from a request's headers to the end of its response.",
            ["endpoint"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._routes = Counter(
            "hybridmem_answers", "Answers by the route that they came from.", ["route"], registry=self.registry
        )

    def took(self, operation: str, seconds: float) -> None:
        self._operations.labels(operation).observe(seconds)

    def routed(self, route: Route | None) -> None:
        """Count an answer by its route; None for a turn of chat."""
        self._routes.labels(route or "chat").inc()

    def served(self, scope: Mapping[str, Any], status: int, seconds: float) -> None:
        """Count a request under its endpoint's pattern: ids in a path must not become labels."""
        endpoint = getattr(scope.get("route"), "path", None) or "unknown"
        method = scope["method"] if endpoint != "unknown" else "unknown"
        self._requests.labels(endpoint, method, str(status)).inc()
        self._seconds.labels(endpoint).observe(seconds)


class MemoryFigures:
    """Counts of the ledger at the moment of the scrape, for the namespaces that a grant may read."""

    def __init__(self, ledger: Ledger, grant: Grant, secrets: SecretCounts) -> None:
        self._ledger = ledger
        self._grant = grant
        self._secrets = secrets

    def collect(self) -> Iterator[Metric]:
        memories = GaugeMetricFamily("hybridmem_memories", "Memories held.", labels=["namespace", "kind"])
        waiting = GaugeMetricFamily(
            "hybridmem_outbox", "Changes that some index has yet to follow.", labels=["namespace"]
        )
        held = GaugeMetricFamily(
            "hybridmem_secrets",
            "Memories that hold a secret, by its kind; counted every ten minutes.",
            labels=["namespace", "kind"],
        )
        dreams = GaugeMetricFamily("hybridmem_dreams", "Dreams by verdict.", labels=["namespace", "verdict"])
        last = {
            name: GaugeMetricFamily(f"hybridmem_last_dream_{name}", text, labels=["namespace"])
            for name, text in _LAST.items()
        }
        for namespace in self._ledger.namespaces():
            if not (self._grant.metrics or self._grant.covers(namespace)):
                continue
            name = "/".join(namespace)
            counts = self._ledger.counts(namespace)
            for kind in ("episodes", "facts", "retired_facts"):
                memories.add_metric([name, kind], getattr(counts, kind))
            waiting.add_metric([name], counts.outbox)
            for kind, number in sorted(self._secrets(self._ledger, namespace).items()):
                held.add_metric([name, kind], number)
            reports = self._ledger.dreams(namespace)
            for verdict in ("promoted", "rejected", "nothing"):
                dreams.add_metric([name, verdict], sum(report.status == verdict for report in reports))
            for figure, value in last_dream(reports).items():
                last[figure].add_metric([name], value)
        yield from (memories, waiting, held, dreams, *last.values())


_LAST = {
    **{bound.name: f"By the gate of the last dream that trained: {bound.text}" for bound in BOUNDS},
    "seconds": "Seconds of the last dream.",
    "trained_tokens": "Tokens that the last dream trained on.",
    "reader_tokens": "Tokens that another model took that read for the last dream, of prompts and completions.",
    "reader_cost": "What that cost, in the currency of the reader's prices; left out without prices.",
    "ended_timestamp_seconds": "When the last dream ended, in seconds since 1970.",
}


def last_dream(reports: list[DreamReport]) -> dict[str, float]:
    """The figures of the last of `reports` (oldest first), without those that were not measured."""
    if not reports:
        return {}
    latest = reports[-1]
    found = {
        "seconds": latest.seconds,
        "trained_tokens": float(latest.trained_tokens),
        "ended_timestamp_seconds": latest.started_at.timestamp() + latest.seconds,
    }
    if latest.reader is not None:
        found["reader_tokens"] = float(latest.reader.tokens)
        if latest.reader.cost is not None:
            found["reader_cost"] = latest.reader.cost
    gated = [report for report in reports if report.gate]
    if gated:
        by_gate = {current_name(check.name): check.value for check in gated[-1].gate}
        found |= {bound.name: by_gate[bound.name] for bound in BOUNDS if bound.name in by_gate}
    return found


def scrape(figures: Figures, ledger: Ledger, grant: Grant) -> bytes:
    """The whole page."""
    registry = CollectorRegistry()
    registry.register(MemoryFigures(ledger, grant, figures.secrets))
    return generate_latest(figures.registry) + generate_latest(registry)


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {CONTENT_TYPE_LATEST: {"schema": {"type": "string"}}}}},
)
async def metrics(request: Request) -> Response:
    """Prometheus' text format. A token sees the memories of its own namespaces; one for metrics, those of all."""
    state = request.app.state
    grant: Grant = request.scope["grant"]
    page = await state.workers.run("read", lambda: scrape(state.figures, state.memory.ledger, grant))
    return Response(page, media_type=CONTENT_TYPE_LATEST)
