"""Ask, and see on what grounds the router chose: the signals, the prompt, and what each route would have said."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from starlette.responses import Response

from hybridmem import metrics
from hybridmem.core.records import checked_text
from hybridmem.inspector.charts import Why, polyline, whys
from hybridmem.inspector.site import Visit
from hybridmem.inspector.words import signal_texts
from hybridmem.metrics import Bin
from hybridmem.router.policy import Explanation, TrackRecord
from hybridmem.router.routing import RouteResult

BINS = 10
"""Of the reliability diagram."""


@dataclass(frozen=True, slots=True)
class Asked:
    """An explanation as the page shows it."""

    explanation: Explanation
    chosen: RouteResult | None
    """The forced twin of the route that was chosen, which has its prompt; None for an abstention."""
    known: dict[str, object]
    hits: tuple[Why, ...]
    meanings: dict[str, str]
    """What each signal measures, by name."""


@dataclass(frozen=True, slots=True)
class Trust:
    """How far the router may be believed, as the page draws it."""

    record: TrackRecord
    bins: tuple[Bin, ...]
    """The reliability diagram: the least confident answers first."""
    coverage: str
    """The risk-coverage curve, as points of a drawing."""
    at: tuple[float, float] | None
    """The coverage and the risk at the threshold."""


def trust(record: TrackRecord) -> Trust | None:
    """None where no answer was ever judged."""
    if not record.answers:
        return None
    confidences, right = zip(*record.answers, strict=True)
    curve = metrics.risk_coverage(confidences, [not each for each in right], record.asked)
    given = sum(each >= record.calibration.threshold for each in confidences)
    return Trust(
        record=record,
        bins=tuple(metrics.reliability(confidences, right, min(BINS, len(right)))),
        coverage=polyline(curve),
        at=curve[given - 1] if given else None,
    )


def page(visit: Visit) -> Response:
    question = visit.asked("q")
    asked: Asked | None = None
    record: TrackRecord | None = None
    if question:
        memory = visit.memory
        memory.catch_up()
        with visit.site.asking:
            explanation = memory.router.explain(checked_text(question))
            record = memory.router.track_record()
        asked = Asked(
            explanation=explanation,
            chosen=explanation.routes.get(explanation.answer.route),
            known=dataclasses.asdict(explanation.known),
            hits=whys(explanation.hits),
            meanings=signal_texts(),
        )
    return visit.page(
        "ask",
        title=f"{question} · Ask" if question else "Ask",
        here="ask",
        q=question,
        asked=asked,
        trust=record and trust(record),
    )
