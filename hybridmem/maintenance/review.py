"""What waits for a person's word, and what that word does."""

from __future__ import annotations

from dataclasses import replace

from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import Episode, ErasureReceipt, Fact, ReviewItem, new_id
from hybridmem.maintenance.erasure import erase
from hybridmem.workspace import Workspace


def waiting(workspace: Workspace) -> list[ReviewItem]:
    """The facts that contradict what is trusted more, and the plans whose day is over, in the order of the ledger."""
    found = []
    for fact in workspace.ledger.facts(workspace.namespace):
        contradicted = _contradicted(workspace, fact)
        if contradicted is not None:
            found.append(_item(workspace, fact, contradicted))
        elif _is_past_plan(workspace, fact):
            found.append(_item(workspace, fact, None))
    return found


def accept(workspace: Workspace, id: str) -> Fact:
    """Take a person's word for fact `id`.

    A contradiction is stated again with the user's trust, so that it replaces what it contradicts. A plan has happened:
    it stays in the past, and is current no more. Raises `UnknownMemory`, and `InvalidInput` for what does not wait."""
    ledger, namespace = workspace.ledger, workspace.namespace
    fact = _waiting_fact(workspace, id)
    if not fact.quarantined:
        ledger.expire(namespace, id, workspace.clock())
        return _fact(workspace, id)
    stated = replace(
        fact, id=new_id("fa"), trust="user", quarantined=False, recorded_at=workspace.clock(), position=0, evidence=1
    )
    # Stated first: after a kill in between it still waits, and accepting it again is only more evidence.
    kept = ledger.put_fact(stated)
    ledger.expire(namespace, id, workspace.clock())
    return kept


def reject(workspace: Workspace, id: str) -> ErasureReceipt:
    """Erase fact `id` everywhere. Raises `UnknownMemory`, and `InvalidInput` for what does not wait."""
    _waiting_fact(workspace, id)
    return erase(workspace, id)


def _waiting_fact(workspace: Workspace, id: str) -> Fact:
    fact = _fact(workspace, id)
    if _contradicted(workspace, fact) is None and not _is_past_plan(workspace, fact):
        raise InvalidInput(f"{id!r} waits for nobody's word: hybridmem review lists what does")
    return fact


def _fact(workspace: Workspace, id: str) -> Fact:
    memory = workspace.ledger.get(workspace.namespace, id)
    if not isinstance(memory, Fact):
        raise InvalidInput(f"{id!r} is an episode, and what was said needs no word: hybridmem review lists what does")
    return memory


def _contradicted(workspace: Workspace, fact: Fact) -> Fact | None:
    """The trusted fact for whose sake `fact` was quarantined."""
    if not (fact.quarantined and fact.current):
        return None
    for event in reversed(workspace.ledger.history(workspace.namespace, fact.id)):
        if event.event == "quarantined" and event.by:
            other = workspace.ledger.get_many(workspace.namespace, [event.by]).get(event.by)
            return other if isinstance(other, Fact) else None
    return None


def _is_past_plan(workspace: Workspace, fact: Fact) -> bool:
    over = fact.valid_to is not None and fact.valid_to <= workspace.clock()
    return over and fact.current and not fact.quarantined


def _item(workspace: Workspace, fact: Fact, contradicted: Fact | None) -> ReviewItem:
    sources = workspace.ledger.get_many(workspace.namespace, list(fact.sources)).values()
    return ReviewItem(
        id=fact.id,
        reason="past plan" if contradicted is None else "contradiction",
        claim=fact.claim,
        text=fact.text,
        at=fact.valid_from,
        sources=tuple(source.quoted for source in sources if isinstance(source, Episode)),
        contradicts=contradicted.claim if contradicted else None,
        accept=f"hybridmem review accept {fact.id}",
        reject=f"hybridmem review reject {fact.id}",
    )
