"""Ask, and see on what grounds the router chose: the signals, the prompt, and what each route would have said."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from starlette.responses import Response

from hybridmem.core.records import checked_text
from hybridmem.inspector.charts import Why, whys
from hybridmem.inspector.site import Visit
from hybridmem.inspector.words import signal_texts
from hybridmem.router.policy import Explanation
from hybridmem.router.routing import RouteResult


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


def page(visit: Visit) -> Response:
    question = visit.asked("q")
    asked: Asked | None = None
    if question:
        memory = visit.memory
        memory.catch_up()
        with visit.site.asking:
            explanation = memory.router.explain(checked_text(question))
        asked = Asked(
            explanation=explanation,
            chosen=explanation.routes.get(explanation.answer.route),
            known=dataclasses.asdict(explanation.known),
            hits=whys(explanation.hits),
            meanings=signal_texts(),
        )
    return visit.page("ask", title=f"{question} · Ask" if question else "Ask", here="ask", q=question, asked=asked)
