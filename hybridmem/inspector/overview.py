"""The opening page, what the agent knows: the profile with its sources, what last night changed, what the weights hold,
what waits; below it counts and the last weeks. And the list of namespaces."""

from __future__ import annotations

from datetime import date, timedelta

from starlette.responses import Response

from hybridmem.inspector import known
from hybridmem.inspector.charts import Column, columns
from hybridmem.inspector.site import Visit
from hybridmem.skills import recall

WEEKS = 26
BUDGET = 1_200
"""Tokens of the profile on the page."""
LATEST = 6
SKILLS = 5
"""Skills on the page, the last used."""


def page(visit: Visit) -> Response:
    memory = visit.memory
    counts = memory.ledger.counts(memory.namespace)
    span = memory.ledger.span(memory.namespace)
    summaries = memory.adapters.summaries()
    nights = memory.dreams()
    profile = memory.profile(budget=BUDGET)
    last = nights[-1] if nights else None
    return visit.page(
        "overview",
        title="What your agent knows",
        here="overview",
        counts=counts,
        secrets=visit.site.secrets(memory.ledger, memory.namespace),
        span=span,
        weeks=_weeks(visit, span[1].date()) if span else (),
        active=next((each for each in summaries if each.status == "active"), None),
        adapters=len(summaries),
        night=last,
        changed=known.night(memory, last) if last is not None else None,
        known=known.lines(memory, profile),
        skills=recall.skills(memory.workspace)[:SKILLS],
        blocks=memory.blocks.list(),
        questions=memory.standing_questions.list(),
        unread=known.unread(memory),
        unread_counted=known.UNREAD_COUNTED,
        review=visit.site.reviews(memory),
        latest=memory.ledger.latest(memory.namespace, limit=LATEST),
        folder=memory.folder.root,
    )


def namespaces(visit: Visit) -> Response:
    """Every namespace of the folder whose name contains the query."""
    wanted = visit.asked("q").casefold()
    every = ["/".join(each) for each in visit.memory.ledger.namespaces()]
    found = [each for each in every if wanted in each.casefold()]
    most = 200
    return visit.page(
        "namespaces", title="Namespaces", q=visit.asked("q"), found=found[:most], left=max(0, len(found) - most)
    )


def _weeks(visit: Visit, last: date) -> tuple[Column, ...]:
    """The number of episodes in each week, up to the last week with any."""
    monday = last - timedelta(days=last.weekday())
    first = monday - timedelta(weeks=WEEKS - 1)
    counts = visit.memory.ledger.days(visit.memory.namespace, first, monday + timedelta(weeks=1))
    weeks = [first + timedelta(weeks=number) for number in range(WEEKS)]
    totals = [sum(counts.get(week + timedelta(days=n), 0) for n in range(7)) for week in weeks]
    return columns(
        [
            (week, total, visit.link("/timeline", day=week + timedelta(days=6)))
            for week, total in zip(weeks, totals, strict=True)
        ]
    )
