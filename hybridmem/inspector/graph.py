"""The entities around one of them, or the most mentioned ones, as a drawing and as a list."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

from hybridmem.core.records import Fact
from hybridmem.core.text.mentions import entity as as_entity
from hybridmem.inspector import layout
from hybridmem.inspector.site import Visit
from hybridmem.stores.ledger.fact_timeline import holds

SHOWN = 28
LISTED = 12
FOUND = 30
FACTS = 5_000
"""The most facts that are looked through for relations."""
WIDTH, HEIGHT = 1000.0, 640.0


@dataclass(frozen=True, slots=True)
class Dot:
    """One entity in the drawing."""

    name: str
    memories: int
    x: float
    y: float
    radius: float
    link: str
    centre: bool


@dataclass(frozen=True, slots=True)
class Tie:
    """Two entities that share memories, and how many."""

    x1: float
    y1: float
    x2: float
    y2: float
    strength: int
    """1 to 5, relative to the strongest."""
    relations: tuple[str, ...] = ()
    """What facts say of one and the other, as in "Ana lives in Lisbon"; none where they are only mentioned together."""
    label: str = ""
    """The relation of the first of these facts."""

    @property
    def middle(self) -> tuple[float, float]:
        return (self.x1 + self.x2) / 2, (self.y1 + self.y2) / 2


def page(visit: Visit) -> Response:
    memory, query = visit.memory, visit.asked("q")
    memory.catch_up()
    graph = memory.indexes.graph
    entity = as_entity(visit.asked("entity")) or None
    near = graph.neighbourhood(memory.namespace, entity, SHOWN)
    mentioned = graph.mentioning(memory.namespace, entity, LISTED) if entity else []
    shared = {name: count for a, b, count in near.links for name in (a, b) if entity in (a, b)}
    dots = _dots(visit, near.entities, near.links, entity)
    place = {dot.name: dot for dot in dots}
    strongest = max((count for _, _, count in near.links), default=1)
    stated = _stated(visit, {name for name, _ in near.entities})
    return visit.page(
        "graph",
        title=f"{entity} · Graph" if entity else "Graph",
        here="graph",
        entity=entity,
        q=query,
        found=graph.matching(memory.namespace, query, FOUND) if query else [],
        entities=near.entities,
        shared=shared,
        memories=list(memory.ledger.get_many(memory.namespace, mentioned).values()),
        dots=dots,
        ties=[
            Tie(
                place[a].x,
                place[a].y,
                place[b].x,
                place[b].y,
                max(1, round(5 * count / strongest)),
                tuple(dict.fromkeys(f"{fact.subject} {fact.relation} {fact.object}" for fact in between)),
                between[0].relation if between else "",
            )
            for a, b, count in reversed(near.links)
            for between in [stated.get(frozenset((a, b)), [])]
        ],
        relations={
            name: ", ".join(dict.fromkeys(fact.relation for fact in stated[frozenset((entity, name))]))
            for name, _ in near.entities
            if entity and frozenset((entity, name)) in stated
        },
        width=WIDTH,
        height=HEIGHT,
    )


def _stated(visit: Visit, names: set[str]) -> dict[frozenset[str], list[Fact]]:
    """The current facts between two of the entities `names`, by the two."""
    found: dict[frozenset[str], list[Fact]] = {}
    now = visit.memory.clock()
    for fact in visit.memory.ledger.facts(visit.memory.namespace, limit=FACTS):
        ends = frozenset((as_entity(fact.subject), as_entity(fact.object)))
        if len(ends) == 2 and ends <= names and not fact.quarantined and holds(fact, now):
            found.setdefault(ends, []).append(fact)
    return found


def _dots(
    visit: Visit, entities: tuple[tuple[str, int], ...], links: tuple[tuple[str, str, int], ...], centre: str | None
) -> list[Dot]:
    numbers = {name: number for number, (name, _) in enumerate(entities)}
    places = layout.spread(
        len(entities),
        [(numbers[a], numbers[b], count) for a, b, count in links],
        WIDTH,
        HEIGHT,
        pinned=centre is not None,
    )
    most = max((count for _, count in entities), default=1)
    return [
        Dot(name, count, x, y, 6 + 16 * (count / most) ** 0.5, visit.link("/graph", entity=name), name == centre)
        for (name, count), (x, y) in zip(entities, places, strict=True)
    ]
