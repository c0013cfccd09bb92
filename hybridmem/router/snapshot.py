"""What an answer depends on beside its hits, read once, so that adapter, audits and calibration belong together.

A dream may promote another adapter while an answer is on its way. Whatever asks the ledger twice can then judge one
adapter's weights by the audits of another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from hybridmem.core.namespace import Namespace
from hybridmem.core.records import AdapterRecord, Audit
from hybridmem.retrieval.pipeline import Found
from hybridmem.router import calibration as calibrations
from hybridmem.router.calibration import Calibration
from hybridmem.router.signals import Evidence, evidence
from hybridmem.stores.ledger.base import Ledger


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The ledger's state of the weights at one moment."""

    adapter: AdapterRecord | None = None
    """The active version; None while the bare base answers. Tainted are also its facts that do not hold at the moment
    of the question: nothing is written when a day comes, and the weights go on saying what was true before it."""
    audits: Mapping[str, Audit] = field(default_factory=dict)
    """How well that adapter recalled each of its facts, over all splits."""
    last_dream: float = 0.0
    """POSIX time at which the last dream began: what was recorded while it ran, it may not have read."""
    calibration: Calibration = field(default_factory=Calibration)

    @property
    def version(self) -> str | None:
        return self.adapter.version if self.adapter else None

    @property
    def is_tainted(self) -> bool:
        """Whether the weights hold what was deleted or superseded since they were trained, or what holds no more."""
        return self.adapter is not None and bool(self.adapter.tainted)

    def evidence(
        self, question: str, found: Found, asked_on: date, exercises: Callable[[str], Iterable[str]]
    ) -> Evidence:
        """What the ledger knows of `question`, whose search `found` that; `exercises` as for `signals.evidence`."""
        return evidence(
            question, found.hits, found.records, self.adapter, self.audits, self.last_dream, asked_on, exercises
        )


def read(ledger: Ledger, namespace: Namespace, moments: Sequence[datetime]) -> Snapshot:
    """The state now, for a question that weights may answer with what holds at each of `moments`."""
    weights = ledger.active_weights(namespace, moments)
    return Snapshot(
        adapter=weights.adapter,
        audits=weights.audits,
        last_dream=weights.last_dream.timestamp() if weights.last_dream else 0.0,
        calibration=calibrations.load(ledger, namespace),
    )
