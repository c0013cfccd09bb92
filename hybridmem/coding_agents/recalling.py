"""What a session is given: at its start where things stand, at each prompt what bears on it; within a token budget."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hybridmem.coding_agents.hook_event import HookEvent
from hybridmem.coding_agents.hook_settings import HookSettings
from hybridmem.coding_agents.sessions import Session
from hybridmem.core.clock import parse_time
from hybridmem.core.errors import InvalidDate
from hybridmem.core.records import Episode, Fact, MemoryRecord, Trust, has_expired
from hybridmem.core.text.excerpt import excerpt
from hybridmem.core.text.injected import HEADER
from hybridmem.core.text.questions import only_asks
from hybridmem.memory import HybridMemory
from hybridmem.models import prompts
from hybridmem.retrieval.shortlist import estimated_tokens

LONGEST = 600
"""Characters of one memory: of longer ones, what the prompt is most likely about."""
QUERY = 1_000
"""Characters of a prompt that are searched for: what is pasted below a question would drown it."""
LEAST_RELEVANCE = 0.15
"""`Hit.relevance` below which nothing is given."""
HITS = 12
LAST_TURNS = 12
"""Turns of earlier sessions at the start of one."""
RECENT = 2_000
"""How far back in the ledger the facts lie that a start shows."""
FACTS = 12
VOUCHED: tuple[Trust, ...] = ("user", "agent")
"""Whose words are given where nobody asked for them: not those of tools and web pages."""
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

    @classmethod
    def of(cls, record: MemoryRecord) -> Line:
        if isinstance(record, Fact):
            return cls(record.id, record.text, record.valid_from)
        return cls(record.id, record.text, record.at, record.speaker or record.role)

    def written(self, query: str) -> str:
        return f"- {prompts.memory(excerpt(self.text, query, LONGEST), speaker=self.by, at=self.at)}"


def standing(memory: HybridMemory, session: str) -> list[Line]:
    """Where things stand: facts, and then what was said in other sessions, the newest first of each."""
    ledger, namespace, now = memory.ledger, memory.namespace, memory.clock()
    ledger.expire_due(namespace, now)
    latest = ledger.latest(namespace, limit=4 * LAST_TURNS)
    newest = max((episode.position for episode in latest), default=0)
    facts = ledger.facts(namespace, after=max(0, newest - RECENT))[-FACTS:]
    turns = [each for each in latest if each.session != session and not only_asks(each.text)][:LAST_TURNS]
    shown: list[MemoryRecord] = [*reversed(facts), *turns]
    return [
        Line.of(each)
        for each in shown
        if each.trust in VOUCHED and not each.quarantined and not has_expired(each, now) and not _is_stale(each)
    ]


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
        lines = standing(memory, event.session) if event.fresh else []
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
        cost = estimated_tokens(line.written(query) + "\n")
        if cost <= left:
            kept.append(line)
            left -= cost
    return sorted(kept, key=lambda line: line.at or EVER)


def _is_stale(record: MemoryRecord) -> bool:
    return isinstance(record, Episode) and record.superseded_by is not None


def _served(hit: Mapping[str, Any]) -> Line:
    try:
        at = parse_time(hit["at"]) if hit.get("at") else None
    except InvalidDate:
        at = None
    return Line(str(hit["id"]), str(hit["text"]), at, hit.get("speaker"))
