"""One memory: its words, its record, its history, its sources and the adapters that hold it."""

from __future__ import annotations

from starlette.responses import Response

from hybridmem.core.records import Episode, Fact
from hybridmem.inspector.site import Visit
from hybridmem.maintenance.secrets import secrets_in

AROUND = 3


DONE = {
    "updated": "The words were changed; the old ones stay in the history.",
    "quarantined": "Quarantined: no search and no dream sees it until it is released.",
    "released": "Released: it takes part again.",
}
"""The message after a change."""


def page(visit: Visit) -> Response:
    memory, id = visit.memory, visit.asked("id")
    record = memory.get(id)
    trace = memory.why(id)
    related = [*trace["episodes"], *trace["facts"]]
    successors = memory.ledger.get_many(
        memory.namespace, list({each["superseded_by"] for each in related if each.get("superseded_by")})
    )
    around = memory.ledger.neighbours(memory.namespace, id, distance=AROUND) if isinstance(record, Episode) else []
    return visit.page(
        "record",
        title=record.text[:60],
        record=record,
        secrets=tuple(dict.fromkeys(secrets_in(record))),
        kind="fact" if isinstance(record, Fact) else "episode",
        events=memory.history(id),
        around=around,
        before=[turn for turn in around if turn.position < record.position],
        after=[turn for turn in around if turn.position > record.position],
        episodes=trace["episodes"],
        facts=trace["facts"],
        holders=trace["adapters"],
        successors=successors,
        uses=memory.ledger.uses(memory.namespace, [id])[id],
        done=DONE.get(visit.asked("done"), ""),
    )
