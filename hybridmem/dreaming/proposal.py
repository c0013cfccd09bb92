"""A night that a person reviews: what it would believe is written down, and only what is accepted is believed.

The night reads on a copy of the ledger in memory, so that nothing that it finds is in the ledger before a person has
said so. What it found lies in the folder of the dream, which an erasure removes with every word in it.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from hybridmem.core.disk import write_whole
from hybridmem.core.errors import InvalidInput, UnknownMemory
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, Fact, ReaderUsage, to_json
from hybridmem.dreaming.steps.unlearn import ERASED
from hybridmem.stores.ledger.base import Ledger
from hybridmem.stores.ledger.inmemory.ledger import InMemoryLedger
from hybridmem.stores.ledger.validation import checked_fact

FILE = "proposal.json"
VERSION = 1
ALL = "all"
"""Stands for every change."""


@dataclass(frozen=True, slots=True)
class Found:
    """A fact that the night read."""

    fact: Fact
    stored: str
    """The id under which the copy has it: that of an equal one, where it is only more evidence."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A fact that the night found denied."""

    id: str
    """As the copy has it."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a night would do to the facts, in its order."""

    steps: tuple[Found | Ended, ...]
    read: Mapping[str, str]
    """By the id of each episode that was read: a digest of its words."""
    tokens: int = 0
    """That the reading took."""
    reader: ReaderUsage | None = None
    """What of it a reader other than the memory's own model did."""


@dataclass(frozen=True, slots=True)
class ProposedChange:
    """One change of a night that waits for a person's word."""

    id: str
    """By which it is accepted."""
    action: Literal["added", "superseded", "merged", "late", "disjoint", "contradiction", "ended"]
    """What it is to the facts that stand, were it accepted alone; `superseded`: it takes the place of some."""
    claim: str
    """What would be believed, or no more."""
    text: str
    """The sentence that says it."""
    at: datetime
    """From when it would hold."""
    sources: tuple[str, ...]
    """What was really said."""
    episodes: tuple[str, ...]
    """Ids of the episodes in which it was, in the order of `sources`."""
    replaces: tuple[str, ...]
    """The claims whose place it takes, or those that it contradicts."""


@dataclass(frozen=True, slots=True)
class DreamReview:
    """A night's diff."""

    namespace: Namespace
    changes: tuple[ProposedChange, ...]
    episodes: int
    """Episodes that were read."""
    tokens: int
    """That the reading took."""
    reader: ReaderUsage | None = None
    """What of it a reader other than the memory's own model did."""


class Aside(InMemoryLedger):
    """A copy of a namespace, and what a night does to it."""

    def __init__(self, ledger: Ledger, namespace: Namespace) -> None:
        super().__init__(multi_valued=ledger.multi_valued)
        self.steps: list[Found | Ended] = []
        self.read: dict[str, str] = {}
        self.restore(namespace, ledger.archive(namespace))

    def put_fact(self, fact: Fact, *, replace: bool | None = True) -> Fact:
        stored = super().put_fact(fact, replace=replace)
        self.steps.append(Found(fact, stored.id))
        return stored

    def expire(self, namespace: Namespace, id: str, at: datetime) -> None:
        super().expire(namespace, id, at)
        self.steps.append(Ended(id))

    def mark_extracted(self, namespace: Namespace, ids: Sequence[str]) -> None:
        super().mark_extracted(namespace, ids)
        for id, memory in self.get_many(namespace, ids).items():
            self.read[id] = _digest(memory.text)

    def proposal(self) -> Proposal:
        return Proposal(tuple(self.steps), dict(self.read))


def save(folder: Path, proposal: Proposal) -> None:
    """Write `proposal` into the `folder` of the dream, in the place of an earlier one."""
    folder.mkdir(parents=True, exist_ok=True)
    steps = [
        {"fact": to_json(step.fact), "stored": step.stored} if isinstance(step, Found) else {"ended": step.id}
        for step in proposal.steps
    ]
    took = {"tokens": proposal.tokens, "reader": to_json(proposal.reader)}
    content = {"version": VERSION, "read": dict(proposal.read), "steps": steps, **took}
    write_whole(folder / FILE, json.dumps(content, ensure_ascii=False))


def load(folder: Path) -> Proposal | None:
    """The proposal that waits; None where there is none, or one of another version: the night reads anew then."""
    path = folder / FILE
    if not path.is_file() or (folder / ERASED).exists():
        return None
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if content.get("version") != VERSION:
        return None
    steps = tuple(
        Found(checked_fact(Fact(**step["fact"])), step["stored"]) if "fact" in step else Ended(step["ended"])
        for step in content["steps"]
    )
    reader = content["reader"]
    return Proposal(steps, content["read"], content["tokens"], ReaderUsage(**reader) if reader else None)


def forget(folder: Path) -> None:
    """Remove the proposal that waits, and whatever a stopped dream left of what was erased since."""
    (folder / FILE).unlink(missing_ok=True)
    forget_erased(folder)


def forget_erased(folder: Path) -> bool:
    """Remove what lies in `folder` where something was erased as it was made; whether that is so."""
    if not (folder / ERASED).exists():
        return False
    shutil.rmtree(folder)
    return True


def changes(ledger: Ledger, namespace: Namespace, proposal: Proposal) -> list[ProposedChange]:
    """What each step would be, were it accepted alone. Writes nothing."""
    there = ledger.get_many(namespace, [step.id for step in proposal.steps if isinstance(step, Ended)])
    found = {step.stored: step.fact for step in proposal.steps if isinstance(step, Found)}
    made = []
    for step in proposal.steps:
        if isinstance(step, Found):
            (resolution,) = ledger.preview([step.fact])
            replaced = resolution.contradicts or resolution.retired
            made.append(_change(ledger, step.fact.id, resolution.outcome, step.fact, replaced))
            continue
        fact = there.get(step.id) or found.get(step.id)
        if isinstance(fact, Fact):
            made.append(_change(ledger, _ending(step.id), "ended", fact, ()))
    return made


def apply(ledger: Ledger, namespace: Namespace, proposal: Proposal, accepted: Collection[str], at: datetime) -> None:
    """Believe the `accepted` changes, in the night's order, and no other; the episodes count as read.

    What an episode gave that was erased, reworded or set aside since is left out; the episode is read anew."""
    texts = ledger.get_many(namespace, list(proposal.read))
    same = {id for id, memory in texts.items() if not memory.quarantined and _digest(memory.text) == proposal.read[id]}
    stored: dict[str, str] = {}
    for step in proposal.steps:
        if isinstance(step, Found) and step.fact.id in accepted and same.issuperset(step.fact.sources):
            stored[step.stored] = ledger.put_fact(replace(step.fact, recorded_at=at), replace=None).id
        elif isinstance(step, Ended) and _ending(step.id) in accepted:
            with suppress(UnknownMemory):
                ledger.expire(namespace, stored.get(step.id, step.id), at)
    ledger.mark_extracted(namespace, sorted(same))


def is_fresh(ledger: Ledger, namespace: Namespace, proposal: Proposal, at: datetime) -> bool:
    """Whether `proposal` read just the episodes that wait at `at`, in the words that they have."""
    waiting = ledger.unextracted(namespace, at=at)
    return {episode.id: _digest(episode.text) for episode in waiting} == dict(proposal.read)


def review(ledger: Ledger, namespace: Namespace, proposal: Proposal) -> DreamReview:
    """`proposal` as a diff of what the ledger has now. Writes nothing."""
    found = tuple(changes(ledger, namespace, proposal))
    return DreamReview(namespace, found, len(proposal.read), proposal.tokens, proposal.reader)


def accept(ledger: Ledger, namespace: Namespace, folder: Path, wanted: Sequence[str], at: datetime) -> None:
    """Believe the `wanted` changes (``all`` for all) of the proposal that waits in `folder`, and no other; see `apply`.
    The proposal is over then. Raises `InvalidInput` where none waits, and for an id that is none of its changes."""
    if isinstance(wanted, str):
        raise InvalidInput(f"accept is a text: pass a list, as [{wanted!r}]")
    waiting = load(folder)
    if waiting is None:
        raise InvalidInput("no night waits for your word: `hybridmem dream --review` reads one")
    known = [change.id for change in changes(ledger, namespace, waiting)]
    for id in wanted:
        if id not in (*known, ALL):
            raise InvalidInput(f"{id!r} is no change of the night that waits: `hybridmem dream --review` lists them")
    # Applied first: after a kill in between, what is accepted again is there already.
    apply(ledger, namespace, waiting, known if ALL in wanted else wanted, at)
    (folder / FILE).unlink()


def _change(ledger: Ledger, id: str, action: Any, fact: Fact, replaced: Sequence[Fact]) -> ProposedChange:
    found = ledger.get_many(fact.namespace, list(fact.sources)).values()
    said = [source for source in found if isinstance(source, Episode)]
    return ProposedChange(
        id=id,
        action=action,
        claim=fact.claim,
        text=fact.text,
        at=fact.valid_from,
        sources=tuple(episode.quoted for episode in said),
        episodes=tuple(episode.id for episode in said),
        replaces=tuple(each.claim for each in replaced),
    )


def _ending(id: str) -> str:
    """By which the end of fact `id` is accepted."""
    return f"end-{id}"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]
