"""What an importer read, into the ledger, so that the same import twice adds nothing.

An episode's id is made of its turn's key. What is there already is left as it is, a user's own corrections included;
a message that was edited since the last import is updated; what was erased stays away.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from itertools import islice

from hybridmem.core.errors import InvalidInput
from hybridmem.core.progress import Progress, quiet
from hybridmem.core.records import Episode, Fact
from hybridmem.importers import BrokenLine, Entry, ImportedFact, ImportedTurn, ImportReport, LeftOut
from hybridmem.importers.identity import DIGEST, episode_id, fact_id, text_mark
from hybridmem.importers.message import PARTICIPANT
from hybridmem.maintenance.repetition import is_edited, reworded
from hybridmem.stores.ledger.validation import checked_episode
from hybridmem.workspace import Workspace

AT_ONCE = 500
"""Entries that are stored in one transaction."""
TRIES = 3
"""How often a batch is stored anew where another process stored a part of it in between."""


@dataclass(slots=True)
class _Tally:
    """An `ImportReport` in the making."""

    added: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    broken: list[BrokenLine] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    roles: Counter[str] = field(default_factory=Counter)
    already: int = 0
    erased: int = 0

    def report(self) -> ImportReport:
        notes = []
        if self.added and self.roles[PARTICIPANT] and not self.roles["user"]:
            notes.append("nobody in this chat was taken for you: import it again with --me NAME, your name in it")
        return ImportReport(
            tuple(self.added),
            tuple(self.broken),
            self.already,
            tuple(self.updated),
            tuple(self.facts),
            self.erased,
            dict(self.left_out.most_common()),
            tuple(notes),
        )


def add_entries(workspace: Workspace, entries: Iterable[Entry], progress: Progress = quiet) -> ImportReport:
    """Store `entries` in batches; each batch is on disk before the next is read."""
    tally = _Tally()
    stream = iter(entries)
    while batch := list(islice(stream, AT_ONCE)):
        turns: dict[str, ImportedTurn] = {}
        for entry in batch:
            if isinstance(entry, ImportedTurn):
                _collect(workspace, entry, turns, tally)
            elif isinstance(entry, BrokenLine):
                tally.broken.append(entry)
            elif isinstance(entry, LeftOut):
                tally.left_out[entry.reason] += 1
        _store(workspace, turns, tally)
        for entry in batch:
            if isinstance(entry, ImportedFact):
                _add_fact(workspace, entry, tally)
        progress("add", len(tally.added), len(tally.added))
    return tally.report()


def _collect(workspace: Workspace, turn: ImportedTurn, turns: dict[str, ImportedTurn], tally: _Tally) -> None:
    id = episode_id(workspace.namespace, turn)
    tally.roles[turn.role] += 1
    if id in turns:
        tally.already += 1
    else:
        turns[id] = turn


def _store(workspace: Workspace, turns: dict[str, ImportedTurn], tally: _Tally) -> None:
    for attempt in range(1, TRIES + 1):
        present = workspace.ledger.get_many(workspace.namespace, list(turns))
        missing = [id for id in turns if id not in present]
        gone = workspace.ledger.erased(workspace.namespace, missing) if missing else set()
        new = _episodes(workspace, {id: turns[id] for id in missing if id not in gone}, tally)
        try:
            stored = workspace.ledger.append(new) if new else []
        except InvalidInput:
            # another process imports the same: what it stored is there at the next look
            if attempt == TRIES:
                raise
            continue
        break
    tally.added += [episode.id for episode in stored]
    tally.erased += len(gone)
    for id, memory in present.items():
        _refresh(workspace, memory, turns[id], tally)


def _episodes(workspace: Workspace, turns: dict[str, ImportedTurn], tally: _Tally) -> list[Episode]:
    """The episodes of new turns; one that no ledger takes is reported."""
    now, policy = workspace.clock(), workspace.policy
    found = []
    for id, turn in list(turns.items()):
        try:
            episode = turn.episode(id, workspace.namespace, now, policy)
            found.append(checked_episode(replace(episode, metadata=_metadata(turn))))
        except InvalidInput as error:
            reason = BrokenLine(0, f"{turn.text[:40]!r}: {error}")
            if reason not in tally.broken:
                tally.broken.append(reason)
    return found


def _metadata(turn: ImportedTurn) -> dict[str, object]:
    return {**turn.metadata, DIGEST: text_mark(turn.text)}


def _refresh(workspace: Workspace, memory: Episode | Fact, turn: ImportedTurn, tally: _Tally) -> None:
    """Bring what is there up to the export."""
    ledger, now = workspace.ledger, workspace.clock()
    if not isinstance(memory, Episode):
        tally.already += 1
        return
    edited = is_edited(workspace, memory, turn.text)
    if memory.role == PARTICIPANT and turn.role == "user":
        # the user has said by now who they are
        claimed = replace(memory, role=turn.role, trust=turn.trust)
        ledger.put_episodes([claimed], now)
        tally.updated.append(memory.id)
    if edited:
        updated = reworded(workspace, memory, turn.text)
        ledger.annotate([replace(updated, metadata={**updated.metadata, **_metadata(turn)})])
        if memory.id not in tally.updated[-1:]:
            tally.updated.append(memory.id)
    elif memory.id not in tally.updated[-1:]:
        tally.already += 1


def _add_fact(workspace: Workspace, stated: ImportedFact, tally: _Tally) -> None:
    """Store a fact, unless it is there: under its own id, or by another source."""
    ledger, namespace, now = workspace.ledger, workspace.namespace, workspace.clock()
    subject, relation, object = (part.strip() for part in (stated.subject, stated.relation, stated.object))
    id = fact_id(namespace, stated.source, subject, relation, object)
    if id in ledger.get_many(namespace, [id]):
        tally.already += 1
        return
    if ledger.erased(namespace, [id]):
        tally.erased += 1
        return
    text = stated.text or f"{subject} {relation} {object}."
    fact = Fact(
        id, namespace, subject, relation, object, text, stated.valid_from or now, recorded_at=now, trust=stated.trust
    )
    try:
        (resolution,) = ledger.preview([fact])
        if resolution.outcome == "merged":
            tally.already += 1
            return
        # a graph states what holds side by side
        tally.facts.append(ledger.put_fact(fact, replace=False).id)
    except InvalidInput as error:
        tally.broken.append(BrokenLine(0, f"{subject} | {relation} | {object}: {error}"))
