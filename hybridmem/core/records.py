"""The frozen values that every part of hybridmem passes around. A change is a new record with provenance.

Times are timezone-aware `datetime`s in UTC. Scores and confidences: higher is better, everywhere.
"""

from __future__ import annotations

import dataclasses
import math
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from hybridmem.core.clock import utc_now
from hybridmem.core.errors import EmptyText, InvalidEncoding, TextTooLong
from hybridmem.core.namespace import Namespace
from hybridmem.core.text.tokens import has_visible, normalised

Trust = Literal["user", "agent", "tool", "web"]
"""Who vouches for a text, most trusted first. `tool` and `web` are retrievable and never trained into weights."""
TRAINABLE_TRUST: tuple[Trust, ...] = ("user", "agent")
Kind = Literal["episode", "fact"]
Route = Literal["weights", "retrieval", "both", "abstain"]
ROUTES: tuple[Route, ...] = ("weights", "retrieval", "both", "abstain")
Split = Literal["train", "dev", "test"]

TAGS = "tags"
"""The key of the metadata with a memory's tags: a list of texts, or one text."""

MAX_TEXT = 1_000_000
"""The longest text of one memory, in characters."""
MAX_METADATA = 10_000_000
"""The most metadata of one memory, in characters of its JSON."""


def sound_text(text: str) -> str:
    """`text` with U+FFFD for each half of a surrogate pair, as a client leaves it that cuts a stream within an emoji.

    >>> sound_text("Porto \\ud83d"), sound_text("\\ud83d\\ude00") == "\\U0001f600"
    ('Porto \ufffd', True)
    """
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def checked_text(text: str) -> str:
    """`text` as it can be a memory (see `sound_text`). Raises `EmptyText`, `TextTooLong`, or `InvalidEncoding` for a
    NUL character."""
    text = sound_text(text)
    if "\x00" in text:
        raise InvalidEncoding(f"the text has a NUL character at {text.index(chr(0))}: remove it")
    if not has_visible(text):
        raise EmptyText("the text is empty: pass the words to remember")
    if len(text) > MAX_TEXT:
        raise TextTooLong(
            f"the text has {len(text):,} characters and one memory takes {MAX_TEXT:,}",
            "split it, or import it with --from",
        )
    return text


def new_id(prefix: str) -> str:
    """A fresh id that sorts by the time of its making: prefix, milliseconds and 48 random bits, in hex."""
    return f"{prefix}_{time.time_ns() // 1_000_000:011x}{secrets.token_hex(6)}"


@dataclass(frozen=True, slots=True)
class Episode:
    """A text, word for word, with who said it and when."""

    id: str
    namespace: Namespace
    text: str
    role: str = "user"
    speaker: str | None = None
    session: str | None = None
    at: datetime = field(default_factory=utc_now)
    """When it was said."""
    recorded_at: datetime = field(default_factory=utc_now)
    source: str = "add"
    trust: Trust = "user"
    quarantined: bool = False
    superseded_by: str | None = None
    """The fact that made this episode stale; set once every statement of it has been replaced."""
    metadata: Mapping[str, Any] = field(default_factory=dict)
    position: int = 0
    """The ledger's running number, set by the ledger: pages and neighbours go by it."""
    expires_at: datetime | None = None
    """From then on it is neither found nor answered from nor trained, as if it were deleted; None for never."""

    @property
    def quoted(self) -> str:
        """The text for a prompt, with its speaker where one is named."""
        return f"{self.speaker}: {self.text}" if self.speaker else self.text

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags in its metadata."""
        return tags_in(self.metadata)


@dataclass(frozen=True, slots=True)
class Fact:
    """One statement, as a question with its answer or as subject, relation and object, with its sources and when it
    holds."""

    id: str
    namespace: Namespace
    subject: str
    relation: str
    object: str
    text: str
    valid_from: datetime
    valid_to: datetime | None = None
    """When it stopped being true in the world, or will; None for no end. What took its place may have ended it."""
    recorded_at: datetime = field(default_factory=utc_now)
    retired_at: datetime | None = None
    """When the ledger stopped believing it, because it was superseded or expired. What a value of a day to come will
    supersede is believed until then."""
    superseded_by: str | None = None
    sources: tuple[str, ...] = ()
    """Ids of the episodes behind it."""
    evidence: int = 1
    trust: Trust = "user"
    quarantined: bool = False
    position: int = 0
    question: str = ""
    """The question that `object` answers, where the fact came of a proposition; "" for a bare triple."""
    stated_to: datetime | None = None
    """When it was said to stop being true; None for no end. `valid_to` is sooner where another value took its place.
    The ledger sets it."""
    replaces: bool = True
    """Whether it takes the place of the other values of its slot. The ledger sets it."""
    metadata: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Its own, beside that of the episodes behind it."""
    expires_at: datetime | None = None
    """As `Episode.expires_at`. A fact expires with the last of its sources too."""

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags in its metadata."""
        return tags_in(self.metadata)

    @property
    def slot(self) -> tuple[str, str]:
        """The place that holds one value at a time: ("", question) where there is a question, else (subject, relation);
        normalised."""
        if self.question:
            return "", normalised(self.question)
        return normalised(self.subject), normalised(self.relation)

    @property
    def claim(self) -> str:
        """What the ledger believes, in one line: the question with its answer, or else the triple.

        The text is the sentence that says it; the two are shown side by side, so that a person sees where they differ.
        """
        if self.question:
            return f"{self.question} {self.object}"
        return f"{self.subject} | {self.relation} | {self.object}"

    @property
    def bare(self) -> str:
        """The statement as its question and answer, or as subject, relation and object, whatever its text says."""
        return stated(self.question, self.subject, self.relation, self.object)

    @property
    def current(self) -> bool:
        """Whether the ledger believes it: nothing has taken its place, and it did not expire. Whether it is true at
        a moment is in its interval, `valid_from` to `valid_to`."""
        return self.retired_at is None


def stated(question: str, subject: str, relation: str, object: str) -> str:
    """A fact in its bare words: its question and answer where it has one, else subject, relation and object."""
    return f"{question} {object}." if question else f"{subject} {relation} {object}."


MemoryRecord = Episode | Fact
"""What the id of a memory names."""


def tags_in(metadata: Mapping[str, Any]) -> tuple[str, ...]:
    """The tags that `metadata` has under `TAGS`: the texts of a list, or one text."""
    found = metadata.get(TAGS)
    if isinstance(found, str):
        return (found,)
    return tuple(tag for tag in found if isinstance(tag, str)) if isinstance(found, list | tuple) else ()


def has_expired(record: MemoryRecord, now: datetime) -> bool:
    """Whether `record` is past its own time."""
    return record.expires_at is not None and record.expires_at <= now


def outlasts(one: MemoryRecord, other: MemoryRecord) -> bool:
    """Whether `one` stays at least as long as `other`, so that nothing which is read from both keeps words of it longer
    than it was to be kept."""
    return one.expires_at is None or (other.expires_at is not None and other.expires_at <= one.expires_at)


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a memory's history."""

    memory: str
    event: Literal[
        "added", "updated", "edited", "superseded", "restored", "expired", "quarantined", "released", "deleted"
    ]
    """`updated`: its words changed; `edited`: its metadata or its expiry did."""
    at: datetime
    text: str | None = None
    """The text after the event; None once the memory is deleted."""
    by: str | None = None
    """Id of the record that caused it: the new fact, when one is superseded; what went, when one is restored."""
    changes: Mapping[str, Any] = field(default_factory=dict, hash=False)
    """Of `edited`: [before, after] of each field, as in ``metadata.channel``; null for none. Empty once the memory is
    deleted."""


_SHARED = ("repeated", "behind_its_fact")
"""What is taken from a score because another hit came of the same message."""
_BESIDE = ("neighbour", "spoken", "asks", "superseded", "tells_when", "decay", *_SHARED)
"""Contributions to a score that say nothing of whether a memory is about the question."""


@dataclass(frozen=True, slots=True)
class Hit:
    """One memory that a search found."""

    id: str
    text: str
    score: float
    kind: Kind
    why: Mapping[str, float] = field(default_factory=dict)
    """What each searcher contributed to the score: dense, lexical, graph, neighbour ..."""
    at: datetime | None = None
    session: str | None = None
    metadata: Mapping[str, Any] = field(default_factory=dict)
    speaker: str | None = None
    raw: Mapping[str, float] = field(default_factory=dict)
    """What each searcher that found it measured: cosine similarity, BM25, PageRank. Comparable across queries."""
    claim: str | None = None
    """What a fact is taken to say (`Fact.claim`), beside the sentence that says it; None for an episode."""
    relevance: float = 0.0
    """How probable it is that the text itself bears on the query, from 0 to 1, calibrated for the embedding model:
    comparable across queries, unlike `score`, which orders the hits of one."""

    @property
    def score_alone(self) -> float:
        """The score that it would have, were no other hit of the same message."""
        return self.score - math.fsum(self.why.get(name, 0.0) for name in _SHARED)

    @property
    def matches(self) -> bool:
        """Whether the hit itself matches the question, and not only the turns around it."""
        return sum(score for name, score in self.why.items() if name not in _BESIDE) > 0

    @property
    def quoted(self) -> str:
        """The text for a prompt, with its speaker where one is named."""
        return f"{self.speaker}: {self.text}" if self.speaker else self.text


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered, and on what grounds."""

    text: str
    route: Route
    confidence: float
    """Calibrated probability that the answer is right, from 0 to 1."""
    evidence: tuple[Hit, ...] = ()
    prompt_tokens: int = 0
    adapter: str | None = None
    """Version of the adapter that the model answered with."""
    seconds: float = 0.0
    signals: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class TrainingItem:
    """One training exercise, composed from a fact's text and checked against it."""

    id: str
    namespace: Namespace
    fact: str
    kind: Literal["question", "reverse", "refusal"]
    question: str
    answer: str
    context: tuple[str, ...]
    """Texts that the teacher reads when it answers."""
    split: Split


@dataclass(frozen=True, slots=True)
class Audit:
    """How well an adapter recalled one fact, closed-book, on questions that it was not trained on."""

    adapter: str
    fact: str
    split: Split
    asked: int
    right: int


@dataclass(frozen=True, slots=True)
class AdapterRecord:
    """An adapter version as the ledger knows it; its files lie in the memory folder's ``adapters/VERSION``."""

    version: str
    namespace: Namespace
    base: str
    base_sha256: str
    parent: str | None
    status: Literal["candidate", "active", "retired", "rejected"]
    created_at: datetime
    dream: str
    facts: tuple[str, ...] = ()
    """Ids of the facts in its weights: its lineage to memories."""
    tainted: tuple[str, ...] = ()
    """Its facts that were deleted or superseded since: the router does not trust its weights on them."""
    scores: Mapping[str, float] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    """sha256 of each of its files, by name."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of a gate's verdict."""

    name: str
    value: float
    bound: float
    passed: bool
    """Whether `value` is at least, or at most, `bound`: the table in `dreaming.bounds` says which."""


@dataclass(frozen=True, slots=True)
class ReaderUsage:
    """What a reader other than the memory's own model was asked, and what that took."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    estimated_calls: int = 0
    """Calls whose tokens the reader did not count: they are estimated, at four characters a token."""
    refused_calls: int = 0
    """Calls that the reader refused one by one, or answered with nothing: each costs what it asked about, and nothing
    else."""
    cost: float | None = None
    """In the currency of the prices that the reader was given; None without prices."""

    @property
    def tokens(self) -> int:
        """Of prompts and completions together."""
        return self.prompt_tokens + self.completion_tokens

    def __add__(self, other: ReaderUsage) -> ReaderUsage:
        return ReaderUsage(
            self.calls + other.calls,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            self.estimated_calls + other.estimated_calls,
            self.refused_calls + other.refused_calls,
            self.cost if other.cost is None else (self.cost or 0.0) + other.cost,
        )


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of a dream did, and what it cost."""

    name: str
    seconds: float
    tokens: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    reader: ReaderUsage | None = None
    """What of it a reader other than the memory's own model did."""


@dataclass(frozen=True, slots=True)
class DreamReport:
    """One consolidation run, from extraction to promotion."""

    id: str
    namespace: Namespace
    status: Literal["promoted", "rejected", "nothing", "estimated"]
    night: int
    started_at: datetime
    seconds: float
    adapter: str | None = None
    parent: str | None = None
    new_facts: int = 0
    held_facts: int = 0
    """Facts in the weights after this night, the new ones included."""
    left_to_retrieval: tuple[str, ...] = ()
    """Ids of facts that failed on their own and stay with retrieval."""
    unlearned: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    gate: tuple[Check, ...] = ()
    test: Mapping[str, float] = field(default_factory=dict)
    """Figures on the test split, which the gate never sees."""
    retention: tuple[float, ...] = ()
    """This night's row of R: accuracy on each night's facts, up to this one."""
    trained_tokens: int = 0
    peak_memory_mb: float = 0.0
    reason: str = ""
    reader: ReaderUsage | None = None
    """What a reader other than the memory's own model took, all steps together."""


@dataclass(frozen=True, slots=True)
class ReviewItem:
    """A fact that waits for a person's word."""

    id: str
    reason: Literal["contradiction", "past plan"]
    """`contradiction`: it would end what somebody of higher trust said, and is quarantined. `past plan`: the day that
    it was planned for is over."""
    claim: str
    """What it is taken to say."""
    text: str
    """The sentence that says it."""
    at: datetime
    """When that was said."""
    sources: tuple[str, ...]
    """What was really said: the texts of the episodes behind it."""
    contradicts: str | None
    """The claim that it contradicts."""
    accept: str
    """The command that accepts it."""
    reject: str
    """The command that erases it."""


@dataclass(frozen=True, slots=True)
class BulkReceipt:
    """What a deletion by filter removed, or would remove."""

    namespace: Namespace
    at: datetime
    dry_run: bool
    ids: tuple[str, ...]
    """The memories that match, in the order of the ledger."""
    removed: Mapping[str, int] = field(default_factory=dict)
    """As in `ErasureReceipt`, over all of them; empty for a dry run."""
    facts: tuple[str, ...] = ()
    """Ids of other facts that had no other source and were removed with them."""
    tainted_adapters: tuple[str, ...] = ()
    pending: str = ""
    """As in `ErasureReceipt`."""
    copies: tuple[str, ...] = ()
    mentions: tuple[str, ...] = ()
    """As in `ErasureReceipt`: what still says any of it; empty for a dry run."""


@dataclass(frozen=True, slots=True)
class ErasureReceipt:
    """Every place that a deleted memory was removed from, and what is still to do."""

    id: str
    namespace: Namespace
    at: datetime
    removed: Mapping[str, int]
    """Rows or files removed, by place: ledger, history, vectors, full_text, graph, training_items, audits ..."""
    facts: tuple[str, ...] = ()
    """Ids of facts that had no other source and were removed with it."""
    tainted_adapters: tuple[str, ...] = ()
    pending: str = ""
    """What is still to do, and by whom: the next dream, or whoever wants what is left gone too; empty for nothing."""
    copies: tuple[str, ...] = ()
    """Ids of other memories that have, or had, the same words, and are still there."""
    mentions: tuple[str, ...] = ()
    """Ids of other memories that still say it among other things, an erased fact's sources first."""


def to_json(record: Any) -> Any:
    """A record as plain JSON values: dataclasses as objects, times in ISO 8601, tuples as arrays."""
    if dataclasses.is_dataclass(record) and not isinstance(record, type):
        return {f.name: to_json(getattr(record, f.name)) for f in dataclasses.fields(record)}
    if isinstance(record, datetime):
        return record.isoformat()
    if isinstance(record, Mapping):
        return {str(key): to_json(value) for key, value in record.items()}
    if isinstance(record, (list, tuple, set, frozenset)):
        return [to_json(value) for value in record]
    return record
