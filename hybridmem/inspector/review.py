"""A night for a person to review: what it would believe, as a diff, of which they accept what they tick."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection

from starlette.responses import RedirectResponse, Response

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import to_json
from hybridmem.core.text.plural import counted
from hybridmem.dreaming.proposal import DreamReview
from hybridmem.inspector import known
from hybridmem.inspector.site import Fields, Visit

TICK = "take."
"""Before the id of a change, in the name of its field."""
MOST_FIELDS = 100_000
"""A night may propose as many changes."""
ACTIONS = {
    "added": ("new", ""),
    "superseded": ("replaces", "It takes the place of what is believed now."),
    "merged": ("said again", "It is believed already: this is more evidence."),
    "late": ("past", "It was true before what is believed now, and goes into the past."),
    "disjoint": ("true again", "It was believed of another time; it stands beside that."),
    "contradiction": ("contradicts", "What it contradicts is trusted more and stays. It waits in `hybridmem review`."),
    "ended": ("ends", "It was denied, and is believed no longer."),
}
"""What each kind of change is called, and what it does."""


def page(visit: Visit) -> Response:
    """What waits; with ``?tick=all`` every change is ticked."""
    review = visit.memory.proposed_dream()
    ticked = {change.id for change in review.changes} if review and visit.asked("tick") == "all" else set()
    believed, of = visit.number("believed", 0), visit.number("of", 0)
    done = f"Believed now: {believed:,} of {counted(of, 'change')}. The next night learns what is new." if of else ""
    return _shown(visit, review, ticked, done=done)


def read(visit: Visit, fields: Fields) -> Response:
    """Read what is new for a review; nothing else changes."""
    visit.site.readings.start(visit.memory)
    return RedirectResponse(visit.link("/review"), status_code=303)


def accept(visit: Visit, fields: Fields) -> Response:
    """Believe what is ticked and nothing else, if what waits is still what the page showed."""
    review = visit.memory.proposed_dream()
    if review is None:
        raise InvalidInput("no night waits for your word any more: the page Review reads one")
    changes = [change.id for change in review.changes]
    ticked = [id for id in changes if f"{TICK}{id}" in fields]
    if fields.get("seen") != digest(review):
        problem = "What waits has changed since the page showed it, and nothing was accepted: look at it again."
        return _shown(visit, review, ticked, problem=problem, status=409)
    take = fields.get("take")
    if take not in ("ticked", "none"):
        return _shown(visit, review, ticked)
    if take == "ticked" and not ticked:
        problem = "Nothing is ticked, and nothing was accepted: tick what is right, or believe none of it below."
        return _shown(visit, review, ticked, problem=problem, status=400)
    accepted = ticked if take == "ticked" else []
    visit.memory.believe(accepted)
    return RedirectResponse(visit.link("/review", believed=len(accepted), of=len(changes)), status_code=303)


def digest(review: DreamReview) -> str:
    """Of what a person sees of `review`: what each change is depends on what else is believed, too."""
    return hashlib.sha256(json.dumps(to_json(review.changes)).encode()).hexdigest()[:32]


def _shown(
    visit: Visit,
    review: DreamReview | None,
    ticked: Collection[str],
    *,
    done: str = "",
    problem: str = "",
    status: int = 200,
) -> Response:
    reading = visit.site.readings.of(visit.memory.namespace)
    unread = known.unread(visit.memory)
    return visit.page(
        "review",
        title="Review a night",
        here="review",
        status=status,
        review=review,
        seen=digest(review) if review else "",
        tick=TICK,
        ticked=ticked,
        actions=ACTIONS,
        done=done,
        problem=problem or (reading.problem if reading and not review else ""),
        reading=reading if reading and not reading.problem else None,
        unread=unread,
        unread_counted=known.UNREAD_COUNTED,
        newer=max(0, unread - review.episodes) if review else 0,
        sent=visit.memory.workspace.resources.backends.reader is not None,
    )
