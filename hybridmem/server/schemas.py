"""Requests and responses of the REST contract; the responses are the records of `hybridmem` as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hybridmem.core.records import Kind, Route, Trust
from hybridmem.server.types import (
    Days,
    Few,
    Filters,
    Label,
    Metadata,
    MetadataPatch,
    Moment,
    Name,
    Period,
    Position,
    Shape,
    Share,
    SomeFilters,
    Spoken,
    Strict,
    Tags,
    Text,
    Tokens,
    UpTo,
    Words,
)

EXPIRES = "From then on it is neither found nor answered nor trained."

# ---- requests


class AddText(Strict):
    """One text."""

    text: Text
    session: Label | None = None
    at: Moment | None = Field(None, description="When it was said; now, unless given.")
    metadata: Metadata = Field(default_factory=dict)
    trust: Trust | None = Field(
        None,
        description="Who vouches for it: what the role is trusted with, or less. What tools and web pages say never "
        "enters weights.",
    )
    role: Label = "user"
    speaker: Label | None = None
    tags: Tags = Field(default_factory=list)
    expires_at: Moment | None = Field(None, description=EXPIRES)


class Part(BaseModel):
    """A part of a content; texts are remembered, anything else is left out."""

    model_config = ConfigDict(extra="allow", strict=True)

    type: str
    text: Text | None = None


class Message(Strict):
    """One message of a conversation, as OpenAI's clients write it. One without words is left out."""

    role: Label = Field(description="In any of its spellings; one that nobody has heard of is trusted least.")
    content: Spoken | Part | list[Part] | None = Field(None, description="Words, a part, or a list of parts.")
    name: Label | None = None
    at: Moment | None = None
    tool_calls: Any = Field(None, description="For skills alone, like every field below.")
    tool_call_id: Any = None
    function_call: Any = None
    refusal: Any = None
    annotations: Any = None
    audio: Any = None


class AddMessages(Strict):
    """A conversation, message by message."""

    messages: list[Message] = Field(min_length=1, max_length=1000)
    session: Label | None = None
    metadata: Metadata = Field(default_factory=dict)
    trust: Trust | None = Field(None, description="Bounds the trust of every message.")
    tags: Tags = Field(default_factory=list)
    expires_at: Moment | None = Field(None, description=EXPIRES)


class Change(Strict):
    """What is to change of a memory: at least one of its words, its metadata, its tags and its expiry."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    # What is not given stays, whatever the default: see `given`. Null is no text, no metadata and no tags.
    text: Text = ""
    object: Words | None = Field(None, description="A fact's new value, where the words do not show which it is.")
    metadata: MetadataPatch = Field(default_factory=dict)
    tags: Tags = Field(default_factory=list, description="In place of the tags that it has.")
    expires_at: Moment | None = Field(None, description=f"{EXPIRES} Null: never.")

    @model_validator(mode="after")
    def _changes_something(self) -> Change:
        if not self.model_fields_set:
            raise ValueError("there is nothing to change: send text, metadata, tags or expires_at")
        return self

    def given(self) -> dict[str, Any]:
        """The fields that the request has."""
        return {name: getattr(self, name) for name in self.model_fields_set}


class AddFact(Strict):
    """A statement."""

    subject: Words
    relation: Words
    object: Words | int | float = Field(description="A number is taken as it is written.")
    text: Text | None = Field(None, description="The statement in a sentence; its three parts, unless given.")
    valid_from: Moment | None = None
    valid_to: Moment | None = None
    trust: Trust = "user"
    replace: bool = Field(True, description="Retire the present value of (subject, relation).")
    metadata: Metadata = Field(default_factory=dict)
    tags: Tags = Field(default_factory=list)
    expires_at: Moment | None = Field(None, description=EXPIRES)


class Search(Strict):
    """What to look for."""

    query: Words
    limit: Few = 10
    as_of: UpTo | None = Field(None, description="What held then, at the end of a day that has no time.")
    token_budget: Tokens | None = Field(None, description="Bounds the hits' texts together.")
    kinds: list[Kind] | None = Field(None, min_length=1, max_length=2)
    filters: Filters | None = None
    min_score: Share | None = Field(None, description="Only hits of at least this relevance, from 0 to 1.")
    since: Period | None = Field(None, description="Only what was said, or holds, from then on.")
    until: Period | None = Field(None, description="Only what was said, or holds, up to then.")
    session: Name | None = None
    role: Name | None = None
    trust: list[Trust] | None = Field(None, min_length=1, max_length=4)
    half_life_days: Days | None = Field(None, description="Rank older memories lower; hides none.")
    reference_date: UpTo | None = Field(None, description='From when "last week" is seen: as_of, or now, unless given.')


class ListMemories(Strict):
    """Which memories to list."""

    filters: Filters = Field(default_factory=dict)
    limit: Few = 50
    after: Position = Field(0, description="`next` of the page before.")


class DeleteMany(Strict):
    """Which memories to erase."""

    filters: SomeFilters
    dry_run: bool = Field(False, description="Only say which.")


class Ask(Strict):
    """A question that the memories, or the weights, may answer."""

    question: Words
    route: Route | None = Field(None, description="Forces where the answer comes from.")
    reference_date: UpTo | None = Field(None, description='From when "last week" is seen: now, unless given.')


class Promote(Strict):
    """Which version is to answer."""

    version: Label | None = Field(description="A version, or null for the bare base.")
    force: bool = Field(False, description="Even one that its gate rejected.")


# ---- responses


class Episode(Shape):
    """What was said, word for word."""

    kind: Literal["episode"]
    id: str
    namespace: list[str]
    text: str
    role: str
    speaker: str | None
    session: str | None
    at: datetime
    recorded_at: datetime
    source: str
    trust: Trust
    quarantined: bool
    superseded_by: str | None
    metadata: dict[str, Any]
    position: int
    expires_at: datetime | None


class Fact(Shape):
    """One statement, with where it came from and when it holds."""

    kind: Literal["fact"]
    id: str
    namespace: list[str]
    subject: str
    relation: str
    object: str
    text: str
    valid_from: datetime
    valid_to: datetime | None
    recorded_at: datetime
    retired_at: datetime | None
    superseded_by: str | None
    sources: list[str]
    evidence: int
    trust: Trust
    quarantined: bool
    position: int
    question: str = Field(description="The question that `object` answers; empty for a bare triple.")
    stated_to: datetime | None = Field(description="When it was said to end; `valid_to` may be sooner.")
    replaces: bool = Field(description="Whether it takes the place of the slot's other values.")
    metadata: dict[str, Any]
    expires_at: datetime | None


class Added(Shape):
    """What is on disk now."""

    memories: list[Episode]


class Page(Shape):
    """Memories in the order of the ledger."""

    memories: list[Episode | Fact]
    next: int | None = Field(description="`after` of the next page; null at the end.")


class Event(Shape):
    """One line of a history."""

    memory: str
    event: Literal[
        "added", "updated", "edited", "superseded", "restored", "expired", "quarantined", "released", "deleted"
    ]
    at: datetime
    text: str | None
    by: str | None
    changes: dict[str, Any] = Field(description="Of `edited`: [before, after] of each field.")


class History(Shape):
    """What became of a memory, oldest first."""

    events: list[Event]


class Receipt(Shape):
    """Every place that a memory was removed from, and what is still to do."""

    id: str
    namespace: list[str]
    at: datetime
    removed: dict[str, int]
    facts: list[str]
    tainted_adapters: list[str]
    pending: str
    copies: list[str]
    mentions: list[str]


class BulkReceipt(Shape):
    """What a deletion by filter removed, or would remove."""

    namespace: list[str]
    at: datetime
    dry_run: bool
    ids: list[str]
    removed: dict[str, int]
    facts: list[str] = Field(description="Other facts that had no other source.")
    tainted_adapters: list[str]
    pending: str
    copies: list[str]
    mentions: list[str]


class Quarantine(Shape):
    """Whether a memory is kept out of every search and every dream."""

    id: str
    quarantined: bool


class Hit(Shape):
    """One memory that a search found, and what each searcher contributed."""

    id: str
    text: str
    score: float
    kind: Kind
    why: dict[str, float]
    at: datetime | None
    session: str | None
    metadata: dict[str, Any]
    speaker: str | None
    raw: dict[str, float]
    claim: str | None = Field(None, description="What a fact is taken to say, beside the sentence that says it.")
    relevance: float = Field(description="Calibrated probability that it bears on the query, from 0 to 1.")


class Hits(Shape):
    """Best first."""

    hits: list[Hit]


class Answer(Shape):
    """What was answered, and on what grounds."""

    text: str
    route: Route
    confidence: float
    evidence: list[Hit]
    prompt_tokens: int
    adapter: str | None
    seconds: float
    signals: dict[str, float]


class Stats(Shape):
    """Counts of what the ledger holds."""

    episodes: int
    facts: int
    retired_facts: int
    training_items: int
    adapters: int
    dreams: int
    outbox: int
    secrets: int = Field(description="Memories that hold a password, key, token or card number.")
    active_adapter: str | None


class Adapter(Shape):
    """A version of the weights."""

    version: str
    namespace: list[str]
    base: str
    base_sha256: str
    parent: str | None
    status: Literal["candidate", "active", "retired", "rejected"]
    created_at: datetime
    dream: str
    facts: list[str]
    tainted: list[str]
    scores: dict[str, float]
    files: dict[str, str]


class Adapters(Shape):
    """Every version, oldest first."""

    adapters: list[Adapter]
    active: str | None


class Active(Shape):
    """The version that answers from now on; null for the bare base."""

    active: str | None


class Difference(Shape):
    """What changes from one version to another."""

    before: str
    after: str
    gained: list[str]
    lost: list[str]
    scores: dict[str, tuple[float | None, float | None]]


class Holder(Shape):
    """An adapter that holds a fact of a memory, and how well it recalled it."""

    version: str
    status: str
    active: bool
    facts: list[str]
    tainted: list[str]
    weights_on_disk: bool
    asked: int
    right: int


class Why(Shape):
    """From episodes to facts to adapters, and back."""

    memory: dict[str, Any]
    episodes: list[dict[str, Any]]
    facts: list[dict[str, Any]]
    adapters: list[Holder]
