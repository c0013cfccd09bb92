"""One search over a memory: candidates, fusion, neighbourhood, names, and what may be shown."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import get_args

from hybridmem.core.clock import Clock, Time, end_of_time, parse_time, utc_now
from hybridmem.core.errors import EmptyText, InvalidInput
from hybridmem.core.filters.nodes import EVERYTHING, Filter
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, Fact, Hit, Kind, MemoryRecord, checked_text
from hybridmem.core.text.moods import sentences
from hybridmem.core.text.questions import asks, ends_as_question, only_asks, parted
from hybridmem.core.text.tokens import normalised, tokens
from hybridmem.embedding.base import Embedder
from hybridmem.retrieval import dense, graph, lexical, neighbourhood
from hybridmem.retrieval.dates import AskedTime, said_in
from hybridmem.retrieval.fusion import Fused, fuse
from hybridmem.retrieval.relevance import calibration, coverage
from hybridmem.retrieval.settings import RetrievalSettings
from hybridmem.retrieval.shortlist import distinct, within_budget
from hybridmem.retrieval.visibility import Visibility
from hybridmem.stores.index.base import GraphIndex, LexicalIndex, VectorIndex, Vectors
from hybridmem.stores.ledger.base import Ledger

LONGEST_ECHO = 2_000
"""Characters of a memory that may be an earlier question with other words beside it."""
LOOKED_FOR_ECHOES = 20
"""Of the best candidates."""
MEASURED_BY = 10
"""Messages at least by which facts that were learned are measured."""
GROWTH = 4
"""How much wider the next pass looks when too few of the candidates may be shown."""


@dataclass(frozen=True, slots=True)
class Query:
    """What one search looks for."""

    namespace: Namespace
    text: str
    vector: Vectors
    limit: int
    visibility: Visibility
    moment: datetime
    """From when ages are counted."""
    half_life: timedelta | None = None
    """In which the rank of a memory falls by half of what age can take from it."""
    questions: bool = True
    """Whether episodes that only ask are hits. They tell nothing, and are the nearest to the same question."""
    time: AskedTime = field(default_factory=AskedTime)

    def repeats(self, record: MemoryRecord) -> bool:
        """Whether `record` is this query, asked before: not even the turns around it bear on it."""
        return not self.questions and normalised(record.text) == normalised(self.text)

    def echoes(self, record: MemoryRecord) -> bool:
        """Whether `record` is near to this query for what it asks alone: "Where does Ana live? You know it."."""
        if self.questions or isinstance(record, Fact) or len(record.text) > LONGEST_ECHO or not asks(record.text):
            return False
        asking, stating = parted(record.text)
        return coverage(self.text, asking) > 0 and coverage(self.text, stating) == 0

    def takes(self, record: MemoryRecord) -> bool:
        """Whether `record`, which may be shown, is a hit. What only asks tells nothing, nor does what says the query
        again, in whatever language that asks."""
        if self.questions or isinstance(record, Fact):
            return True
        return not self.repeats(record) and not only_asks(record.text)


@dataclass(frozen=True, slots=True)
class Found:
    """The hits of one search, best first, and the ledger's records of them as the search read them."""

    hits: tuple[Hit, ...] = ()
    records: Mapping[str, MemoryRecord] = field(default_factory=dict)
    """By id: one for each hit."""

    @classmethod
    def of(cls, hits: Sequence[Hit], records: Mapping[str, MemoryRecord]) -> Found:
        """`hits`, with those of `records` that they name."""
        return cls(tuple(hits), {hit.id: records[hit.id] for hit in hits})

    @property
    def facts(self) -> tuple[Fact, ...]:
        """The facts among the hits, best first."""
        return tuple(record for record in self.records.values() if isinstance(record, Fact))


@dataclass(frozen=True, slots=True)
class Retrieval:
    """The searchers over one memory's stores. It reads; it never writes."""

    ledger: Ledger
    vectors: VectorIndex
    lexical: LexicalIndex
    graph: GraphIndex
    embedder: Embedder
    settings: RetrievalSettings = field(default_factory=RetrievalSettings)
    clock: Clock = utc_now
    """By its time memories expire and age."""

    def search(
        self,
        namespace: Namespace,
        query: str,
        *,
        limit: int = 10,
        as_of: Time | None = None,
        token_budget: int | None = None,
        kinds: tuple[Kind, ...] = ("episode", "fact"),
        filter: Filter = EVERYTHING,
        min_score: float | None = None,
        questions: bool = True,
        half_life: timedelta | None = None,
        include_expired: bool = False,
        vector: Vectors | None = None,
        reference_date: Time | None = None,
    ) -> list[Hit]:
        """The hits of `find`, which explains the arguments."""
        found = self.find(
            namespace,
            query,
            limit=limit,
            as_of=as_of,
            token_budget=token_budget,
            kinds=kinds,
            filter=filter,
            min_score=min_score,
            questions=questions,
            half_life=half_life,
            include_expired=include_expired,
            vector=vector,
            reference_date=reference_date,
        )
        return list(found.hits)

    def find(
        self,
        namespace: Namespace,
        query: str,
        *,
        limit: int = 10,
        as_of: Time | None = None,
        token_budget: int | None = None,
        kinds: tuple[Kind, ...] = ("episode", "fact"),
        filter: Filter = EVERYTHING,
        min_score: float | None = None,
        questions: bool = True,
        half_life: timedelta | None = None,
        include_expired: bool = False,
        vector: Vectors | None = None,
        reference_date: Time | None = None,
    ) -> Found:
        """At most `limit` memories for `query`, best first, each with why it is there.

        Without `as_of`: what holds now, and episodes that nobody has superseded; with it, what held at that moment. An
        episode that an extracted fact superseded ranks lower, unless the query has all of its words.
        A query that names a period, as "last week" seen from `reference_date` (else from `as_of`, else from today),
        prefers what was said in it or names it; one that asks when, what tells a time.
        `token_budget` bounds the texts together, at four characters a token. `filter` keeps to what it admits, and
        `min_score` to hits of at least that relevance: none where nothing bears on the query. Without `questions`,
        episodes that only ask are left out, before the cut to the best hits. `half_life` ranks older memories lower and
        hides none. What has expired is found with `include_expired` alone. `vector` is the query's embedding, for a
        caller who has it. Raises `EmptyText` and `InvalidInput`."""
        if not query.strip():
            raise EmptyText("the query is empty: say what to look for")
        if limit < 1:
            raise InvalidInput(f"the limit {limit} is below 1: ask for at least one memory")
        if token_budget is not None and token_budget < 0:
            raise InvalidInput(f"the token budget {token_budget} is negative: give the tokens that are free")
        if unknown := set(kinds) - set(get_args(Kind)):
            raise InvalidInput(f"there is no kind {sorted(unknown)[0]!r}: choose among {', '.join(get_args(Kind))}")
        if min_score is not None and not is_share(min_score):
            raise InvalidInput(f"the least score {min_score!r} is not between 0 and 1: it cuts by the hits' relevance")
        now, moment = self.clock(), end_of_time(as_of) if as_of is not None else None
        asked_on = parse_time(reference_date) if reference_date is not None else moment or now
        visibility = Visibility(now, tuple(kinds), moment, filter, include_expired)
        query = checked_text(query)
        embedded = self.embedder.embed([query])[0] if vector is None else vector
        asked = AskedTime.of(query, asked_on.date())
        found, farthest = self._found(
            Query(namespace, query, embedded, limit, visibility, moment or now, half_life, questions, asked)
        )
        # Without a threshold, only what is returned is rated: a search looks at many more.
        rated = [self._rated(query, hit, farthest) for hit in (found.hits if min_score else found.hits[:limit])]
        kept = [hit for hit in rated if min_score is None or hit.relevance >= min_score]
        return Found.of(within_budget(kept[:limit], token_budget), found.records)

    def _rated(self, query: str, hit: Hit, farthest: float) -> Hit:
        """`hit` with its relevance; `farthest` is the least cosine that was seen."""
        rate = calibration(self.embedder).probability
        relevance = rate(hit.raw.get("dense", farthest), coverage(query, hit.quoted))
        return replace(hit, relevance=relevance)

    def _found(self, query: Query) -> tuple[Found, float]:
        """Look wider until enough may be shown, or everything has been seen; with the least cosine that was seen."""
        pool = max(self.settings.pool, 2 * query.limit)
        considered = max(self.settings.considered, 3 * query.limit)
        admitted: Set[str] | None = None
        limits = {"graph": self.settings.graph_limit}
        if query.time.period is not None and self.settings.period:
            # Among the memories of a period the searchers' scores decide, so that they have to name more of them.
            pool *= GROWTH
        while True:
            scores = self._candidates(query, pool)
            # a list that was not cut off names all that have any of the words: the others score 0
            floors = {name: 0.0 for name in ("lexical", "graph") if len(scores[name]) < pool}
            fused = fuse(scores, self._weights(), floors, limits=limits)
            ranking = [id for id in fused.ranking() if admitted is None or id in admitted]
            listed = self.ledger.get_many(query.namespace, ranking[:considered])
            asked = {id for id, record in listed.items() if not query.takes(record)}
            best = [id for id in ranking[:considered] if id in listed and id not in asked][:LOOKED_FOR_ECHOES]
            # What was asked before is the nearest of all to a question, and would leave no other memory near.
            apart = asked.union(id for id in best if query.echoes(listed[id])) | _learned(listed, MEASURED_BY)
            if apart:
                fused = fuse(scores, self._weights(), floors, apart, limits)
            told = {id: record for id, record in listed.items() if id not in asked}
            found = self._scored(query, scores, fused, listed, told)
            whole = all(len(named) < pool for named in scores.values()) or len(ranking) == len(admitted or ())
            everything = whole and considered >= len(ranking)
            if len(found.hits) >= query.limit or everything:
                return found, min(scores["dense"].values(), default=0.0)
            if admitted is None and query.visibility.filter != EVERYTHING:
                # Few of the nearest pass: the ledger names those that do, and no other record is read any more.
                admitted = self._admitted(query)
            pool, considered = pool * GROWTH, 3 * pool * GROWTH

    def _admitted(self, query: Query) -> Set[str]:
        shown = query.visibility
        matching = self.ledger.matching(
            query.namespace, shown.filter, kinds=shown.kinds, include_retired=shown.as_of is not None
        )
        return {memory.id for memory in matching}

    def _weights(self) -> dict[str, float]:
        return {"dense": self.settings.dense, "lexical": self.settings.lexical, "graph": self.settings.graph}

    def _candidates(self, query: Query, pool: int) -> dict[str, dict[str, float]]:
        """The raw scores that each searcher gives, by memory."""
        return {
            "dense": dense.search(self.vectors, query.namespace, query.vector, pool),
            "lexical": lexical.search(self.lexical, query.namespace, query.text, pool),
            "graph": graph.search(self.graph, query.namespace, query.text, pool),
        }

    def _scored(
        self,
        query: Query,
        scores: Mapping[str, Mapping[str, float]],
        fused: Fused,
        candidates: Mapping[str, MemoryRecord],
        told: Mapping[str, MemoryRecord],
    ) -> Found:
        """The distinct hits among `candidates`, of which `told` may be hits, and the turns around them, best first."""
        listed = dict(candidates)
        if query.time.period is not None and self.settings.period:
            listed |= said_in(self.ledger, query.namespace, query.time.period, self.settings.considered)
        visible = query.visibility.visible(self.ledger, query.namespace, listed)
        anchors = [
            (record, score)
            for id in sorted(candidates, key=lambda id: (-fused.score(id), id))
            if isinstance(record := visible.get(id), Episode)
            and (score := fused.score(id)) > 0
            and not query.repeats(record)
        ]
        if query.time.period is not None and self.settings.period:
            # Turns beside those of the period: what stands beside others is of another time, mostly.
            anchors.sort(key=lambda anchor: -(anchor[1] + self.settings.period * query.time.agreement(anchor[0])))
        shares, turns = neighbourhood.shares(
            self.ledger, query.namespace, anchors[: self.settings.anchors], self.settings
        )
        around = {id: turn for id, turn in turns.items() if id not in listed}
        visible |= query.visibility.visible(self.ledger, query.namespace, around)
        said = set(tokens(query.text))
        asking = bool(self.settings.asks) and asks(query.text)
        reasons: dict[str, dict[str, float]] = {}
        for id, record in visible.items():
            if id not in told and (id in candidates or not query.takes(record)):
                continue
            why = dict(fused.of(id))
            if id in shares:
                why["neighbour"] = shares[id]
            if _is_named(record, said):
                why["named"] = self.settings.named
                if isinstance(record, Episode):
                    why["spoken"] = self.settings.spoken
            if asking and isinstance(record, Episode) and (share := _share_asked(record, said)):
                why["asks"] = -self.settings.asks * share
            if self.settings.period and (agreement := query.time.agreement(record)):
                why["period"] = self.settings.period * agreement
            if self.settings.tells_when and query.time.is_told_by(record):
                why["tells_when"] = self.settings.tells_when
            if query.half_life is not None:
                why["decay"] = -self.settings.decay * (1 - 0.5 ** (_age(record, query.moment) / query.half_life))
            reasons[id] = why
        for id in list(_replaced(visible, candidates, reasons, fused)):
            if not said.issuperset(tokens(visible[id].text)):
                reasons[id]["superseded"] = -self.settings.superseded
        for id in list(_repeating(visible, reasons)):
            if isinstance(record := visible[id], Fact):
                reasons[id]["repeated"] = -self.settings.repeated
            elif not said.issuperset(tokens(record.text)):
                reasons[id]["behind_its_fact"] = -self.settings.behind_its_fact
        hits = [
            _hit(visible[id], why, {name: named[id] for name, named in scores.items() if id in named})
            for id, why in reasons.items()
        ]
        return Found.of(distinct(sorted(hits, key=_rank)), visible)


def _rank(hit: Hit) -> tuple[float, float, float, str]:
    """Sorts the best first. Facts that get no more than the best message are told apart by what was measured."""
    return -hit.score, -hit.raw.get("dense", 0.0), -hit.raw.get("lexical", 0.0), hit.id


def _learned(records: Mapping[str, MemoryRecord], enough: int) -> Set[str]:
    """The ids of facts that were read from messages; none where fewer than `enough` other records are there to measure
    them by.

    A fact is shorter than its message, and so nearer to a question than most messages are. They would be ranked
    otherwise after a night than before it, where no fact that was learned bears on the question."""
    learned = {id for id, record in records.items() if isinstance(record, Fact) and record.sources}
    return learned if len(records) - len(learned) >= enough else set()


def _replaced(
    visible: Mapping[str, MemoryRecord],
    candidates: Mapping[str, MemoryRecord],
    reasons: Mapping[str, Mapping[str, float]],
    fused: Fused,
) -> Iterator[str]:
    """The ids of episodes of which extracted facts replaced all that was extracted, where what replaced them, or a
    message behind it, bears on the query: on another question, they are as good as they were before the night."""

    def bears(id: str) -> bool:
        return (math.fsum(reasons[id].values()) if id in reasons else fused.score(id)) > 0

    for id in reasons:
        record = visible[id]
        if isinstance(record, Episode) and record.superseded_by:
            successor = candidates.get(record.superseded_by)
            behind = successor.sources if isinstance(successor, Fact) else ()
            if any(bears(one) for one in (record.superseded_by, *behind) if one in candidates):
                yield id


def _repeating(records: Mapping[str, MemoryRecord], reasons: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    """The ids of what is ranked behind others that came of the same messages, all of them: it would take the place of
    another message among the first."""
    shown: set[str] = set()
    for id in sorted(reasons, key=lambda id: (-math.fsum(reasons[id].values()), id)):
        record = records[id]
        messages = set(record.sources) if isinstance(record, Fact) else {id}
        if messages and messages <= shown:
            yield id
        shown |= messages


def _share_asked(episode: Episode, said: set[str]) -> float:
    """The share of its words that `episode` spends on asking, where it ends in a question that a query with the words
    `said` does not quote. People tell an assistant much in front of a question."""
    if not ends_as_question(episode.text) or said.issuperset(words := tokens(episode.text)):
        return 0.0
    asked = [sentence for sentence in sentences(episode.text) if ends_as_question(sentence)]
    return sum(len(tokens(sentence)) for sentence in asked) / len(words)


def _is_named(record: MemoryRecord, said: set[str]) -> bool:
    """Whether the query's words `said` name the episode's speaker (by any part of the name) or the fact's subject."""
    if isinstance(record, Fact):
        subject = set(tokens(record.subject))
        return bool(subject) and subject <= said
    return record.speaker is not None and not said.isdisjoint(tokens(record.speaker))


def _age(record: MemoryRecord, moment: datetime) -> timedelta:
    """How long before `moment` it was said or began to hold."""
    said = record.at if isinstance(record, Episode) else record.valid_from
    return max(moment - said, timedelta(0))


def is_share(value: object) -> bool:
    """Whether `value` is a number from 0 to 1."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _hit(record: MemoryRecord, why: Mapping[str, float], raw: Mapping[str, float]) -> Hit:
    score = math.fsum(why.values())
    if isinstance(record, Fact):
        return Hit(
            record.id,
            record.text,
            score,
            "fact",
            why,
            at=record.valid_from,
            metadata=record.metadata,
            raw=raw,
            claim=record.claim,
        )
    return Hit(
        record.id,
        record.text,
        score,
        "episode",
        why,
        at=record.at,
        session=record.session,
        metadata=record.metadata,
        speaker=record.speaker,
        raw=raw,
    )
