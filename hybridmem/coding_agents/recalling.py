"""What a session is given: at its start the profile and what was said last, at each prompt what bears on it; within a
token budget."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from hybridmem.coding_agents.hook_event import HookEvent
from hybridmem.coding_agents.hook_settings import HookSettings
from hybridmem.coding_agents.sessions import Session
from hybridmem.core.clock import parse_time
from hybridmem.core.errors import InvalidDate
from hybridmem.core.records import TRAINABLE_TRUST, Episode, Fact, MemoryRecord, has_expired
from hybridmem.core.text.excerpt import excerpt
from hybridmem.core.text.injected import HEADER
from hybridmem.core.text.questions import only_asks
from hybridmem.memory import HybridMemory
from hybridmem.models import prompts
from hybridmem.retrieval.shortlist import estimated_tokens

if TYPE_CHECKING:
    from hybridmem.standing.profile import ProfileLine

LONGEST = 600
"""Characters of one memory: of longer ones, what the prompt is most likely about."""
QUERY = 1_000
"""Characters of a prompt that are searched for: what is pasted below a question would drown it."""
LEAST_RELEVANCE = 0.15
"""`Hit.relevance` below which nothing is given."""
HITS = 12
LAST_TURNS = 12
"""Turns of earlier sessions at the start of one."""
EVER = datetime.min.replace(tzinfo=UTC)
"""Before everything that has a time."""
WAIT = 5.0
"""Seconds for a server's answer."""


@dataclass(frozen=True, slots=True)
class Line:
    """One memory as the agent reads it."""

    id: str
    text: str
    at: datetime | None = None
    by: str | None = None
    same: tuple[str, ...] = ()
    """Further memories that say it in these words."""

    @property
    def ids(self) -> tuple[str, ...]:
        """The memories that are given with it."""
        return (self.id, *self.same)

    @classmethod
    def of(cls, record: MemoryRecord) -> Line:
        if isinstance(record, Fact):
            return cls(record.id, record.text, record.valid_from)
        return cls(record.id, record.text, record.at, record.speaker or record.role)

    @classmethod
    def of_profile(cls, line: ProfileLine) -> Line:
        return cls(line.facts[0], line.text, line.since, same=line.facts[1:])

    def written(self, query: str) -> str:
        return f"- {prompts.memory(excerpt(self.text, query, LONGEST), speaker=self.by, at=self.at)}"

    def tokens(self, query: str) -> int:
        """About how many it takes in a prompt."""
        return estimated_tokens(self.written(query) + "\n")


def standing(memory: HybridMemory, session: str, budget: int) -> list[Line]:
    """Where things stand: the profile, best first, and then what was said in other sessions, the newest first.

    Half of the `budget` is the profile's, and it has what the turns do not need. A turn that a line of it rests on is
    left out."""
    # As in the profile: what nobody asked for holds no passwords and keys, and no words of tools and web pages.
    ledger, namespace, now = memory.workspace.without_secrets().ledger, memory.namespace, memory.clock()
    ledger.expire_due(namespace, now)
    said = [
        each
        for each in ledger.latest(namespace, limit=4 * LAST_TURNS)
        if each.session != session
        and each.trust in TRAINABLE_TRUST
        and not (each.quarantined or each.superseded_by or has_expired(each, now) or only_asks(each.text))
    ]
    turns = {each.id: Line.of(each) for each in said[:LAST_TURNS]}
    needed = sum(line.tokens("") for line in turns.values())
    known = memory.profile(budget=max(budget // 2, budget - needed)).lines
    told = {episode for line in known for episode in line.episodes}
    return [*map(Line.of_profile, known), *(line for id, line in turns.items() if id not in told)]


def by_words(memory: HybridMemory, query: str) -> list[Line]:
    """What bears on `query` by its words: the full-text index alone, the turns around its hits, and what the ledger
    says of them. It loads no model and no vectors."""
    from hybridmem.embedding.hashing import HashingEmbedder
    from hybridmem.retrieval.pipeline import Retrieval
    from hybridmem.stores.index.inmemory import InMemoryGraphIndex, InMemoryVectorIndex

    namespace, now = memory.namespace, memory.clock()
    memory.ledger.expire_due(namespace, now)
    memory.indexes.catch_up_words(of=namespace)
    retrieval = Retrieval(
        memory.ledger,
        InMemoryVectorIndex(),
        memory.indexes.lexical,
        InMemoryGraphIndex(),
        HashingEmbedder(),
        clock=memory.clock,
    )
    found = retrieval.find(
        namespace,
        query,
        limit=HITS,
        min_score=LEAST_RELEVANCE,
        questions=False,
        half_life=memory.policy.half_life,
    )
    memory.ledger.touch(namespace, [hit.id for hit in found.hits[:1]], now)
    return [Line.of(found.records[hit.id]) for hit in found.hits]


def by_server(settings: HookSettings, namespace: Sequence[str], query: str) -> list[Line] | None:
    """What a `hybridmem serve` finds for `query`; None where it does not answer. It is asked without proxies."""
    from urllib.error import URLError
    from urllib.parse import quote
    from urllib.request import ProxyHandler, Request, build_opener

    asked = {"query": query, "limit": HITS, "min_score": LEAST_RELEVANCE}
    headers = {"Content-Type": "application/json", "X-Hybridmem-Namespace": quote("/".join(namespace))}
    if token := os.environ.get("HYBRIDMEM_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    if not settings.server.startswith(("http://", "https://")):
        return None
    request = Request(f"{settings.server.rstrip('/')}/v1/search", json.dumps(asked).encode(), headers)  # noqa: S310
    try:
        with build_opener(ProxyHandler({})).open(request, timeout=WAIT) as response:
            hits = json.load(response)["hits"]
            return [_served(hit) for hit in hits]
    except (URLError, OSError, ValueError, KeyError, TypeError):
        return None


def recall(memory: HybridMemory, event: HookEvent, session: Session, settings: HookSettings) -> list[Line]:
    """What the session is given now, within the budget; nothing that stands in its context already."""
    if event.kind == "start":
        lines = standing(memory, event.session, settings.budget) if event.fresh else []
        query = ""
    else:
        query = event.prompt[:QUERY]
        if not query.strip():
            return []
        found = by_server(settings, memory.namespace, query) if settings.server else None
        lines = by_words(memory, query) if found is None else found
    there = memory.ledger.get_many(memory.namespace, [line.id for line in lines])
    own = {id for id, each in there.items() if isinstance(each, Episode) and each.session == event.session}
    here = own.union(session.given)
    return _within(settings.budget, [line for line in lines if line.id not in here], query)


def context(lines: Iterable[Line], query: str) -> str:
    """The lines as quoted data."""
    return "\n".join([HEADER, *(line.written(query) for line in lines)]) + "\n"


def _within(budget: int, lines: Sequence[Line], query: str) -> list[Line]:
    """The first of `lines` that fit, oldest first, since a later memory replaces an earlier one. What is too long is
    passed over."""
    left = budget - estimated_tokens(HEADER)
    kept = []
    for line in lines:
        cost = line.tokens(query)
        if cost <= left:
            kept.append(line)
            left -= cost
    return sorted(kept, key=lambda line: line.at or EVER)


def _served(hit: Mapping[str, Any]) -> Line:
    try:
        at = parse_time(hit["at"]) if hit.get("at") else None
    except InvalidDate:
        at = None
    return Line(str(hit["id"]), str(hit["text"]), at, hit.get("speaker"))
