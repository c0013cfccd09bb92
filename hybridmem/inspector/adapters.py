"""The versions of the weights: their lineage, what they hold, what changed between two, and which one answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.responses import RedirectResponse, Response

from hybridmem.adapters.registry import AdapterDiff
from hybridmem.core.errors import AdapterError, CorruptAdapter
from hybridmem.dreaming.bounds import current_name
from hybridmem.inspector.site import Fields, Visit
from hybridmem.inspector.words import figure_texts, figures
from hybridmem.stores.ledger.lineage import AdapterSummary

FACTS = 50
BARE = "none"
"""The name of no adapter: the bare base answers."""


@dataclass(frozen=True, slots=True)
class Branch:
    """One version in the tree of parents."""

    adapter: AdapterSummary
    depth: int
    """How many forks lie above it: a line of parents stays in one column."""
    forks: bool
    """Whether it is not the only child of its parent."""


def page(visit: Visit) -> Response:
    summaries = visit.memory.adapters.summaries()
    return visit.page(
        "adapters",
        title="Adapters",
        here="adapters",
        branches=tree(summaries),
        active=next((each for each in summaries if each.status == "active"), None),
        moves=list(reversed(visit.memory.ledger.activations(visit.memory.namespace)))[:10],
        done=visit.asked("done"),
    )


def version(visit: Visit) -> Response:
    registry, name = visit.memory.adapters, visit.asked("version")
    record = registry.get(name)
    start = visit.number("after", 0)
    page_of_facts = record.facts[start : start + FACTS]
    found = visit.memory.ledger.get_many(visit.memory.namespace, page_of_facts)
    summaries, tainted = registry.summaries(), set(record.tainted)
    return visit.page(
        "adapter",
        title=name,
        here="adapters",
        record=record,
        scores=figures(record.scores),
        meanings=figure_texts(),
        card=_card(visit, name),
        facts=[(id, found.get(id), id in tainted) for id in page_of_facts],
        start=start,
        older=start + FACTS if start + FACTS < len(record.facts) else None,
        children=[each.version for each in summaries if each.parent == name],
        others=[each.version for each in summaries if each.version != name],
        verdict=_verdict(visit, name) if visit.asked("verify") else None,
    )


def diff(visit: Visit) -> Response:
    memory = visit.memory
    before, after = visit.asked("before"), visit.asked("after")
    difference = memory.adapters.diff(before, after)
    listed = [*difference.gained[:FACTS], *difference.lost[:FACTS]]
    found = memory.ledger.get_many(memory.namespace, listed)
    return visit.page(
        "diff",
        title=f"{before} to {after}",
        here="adapters",
        difference=difference,
        scores=_scores(difference),
        gained=[(id, found.get(id)) for id in difference.gained[:FACTS]],
        lost=[(id, found.get(id)) for id in difference.lost[:FACTS]],
        versions=[each.version for each in memory.adapters.summaries()],
    )


def promote(visit: Visit, fields: Fields) -> Response:
    name = fields.get("version", "")
    visit.memory.adapters.promote(None if name == BARE else name, force=fields.get("force") == "yes")
    return _back(visit)


def rollback(visit: Visit, fields: Fields) -> Response:
    visit.memory.adapters.rollback()
    return _back(visit)


def tree(summaries: Sequence[AdapterSummary]) -> list[Branch]:
    """The versions above their parents, the latest first; those whose parent is not there begin a tree."""
    known = {each.version for each in summaries}
    children: dict[str | None, list[AdapterSummary]] = {}
    for each in summaries:
        children.setdefault(each.parent if each.parent in known else None, []).append(each)
    made: list[Branch] = []
    # A stack and no recursion: a year of nights is one line of parents.
    waiting = [(each, 0, False) for each in reversed(children.get(None, []))]
    while waiting:
        adapter, depth, forks = waiting.pop()
        made.append(Branch(adapter, depth, forks))
        below = children.get(adapter.version, [])
        # The last child goes on in its parent's column, and the others, which led nowhere or not so far, stand beside.
        for place, child in enumerate(reversed(below)):
            aside = place > 0
            waiting.append((child, depth + aside, aside))
    return made[::-1]


def _verdict(visit: Visit, name: str) -> str:
    try:
        visit.memory.adapters.verify(name)
    except AdapterError as error:
        return str(error)
    return ""


def _scores(difference: AdapterDiff) -> dict[str, tuple[float | None, float | None]]:
    """(before, after) of every score by its name of today: the two versions may be of different releases."""
    merged: dict[str, tuple[float | None, float | None]] = {}
    for name, (before, after) in difference.scores.items():
        other = merged.get(current_name(name), (None, None))
        merged[current_name(name)] = (
            other[0] if before is None else before,
            other[1] if after is None else after,
        )
    return merged


def _card(visit: Visit, name: str) -> object:
    """The card beside the weights; None where they are no longer kept or came without one."""
    try:
        return visit.memory.adapters.card(name)
    except CorruptAdapter:
        return None


def _back(visit: Visit) -> Response:
    return RedirectResponse(visit.link("/adapters", done="yes"), status_code=303)
