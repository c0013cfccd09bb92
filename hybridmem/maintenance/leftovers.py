"""What else still says what was erased: whoever deletes a memory is told, and decides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from hybridmem.core.records import Episode, Fact
from hybridmem.core.text.tokens import normalised, whole_words
from hybridmem.stores.ledger.composite import parts_of
from hybridmem.workspace import Workspace

FEWEST_WORDS = 3
"""A text of fewer words ("ok", "in Porto") is looked for by itself, and not within longer ones."""


@dataclass(frozen=True, slots=True)
class Leftovers:
    """Ids of the memories that still say something erased."""

    copies: tuple[str, ...] = ()
    """In the same words, whatever their case and punctuation; now, or in their history."""
    mentions: tuple[str, ...] = ()
    """Among other things, or in part."""


def words_of(workspace: Workspace, id: str) -> tuple[str, ...]:
    """Every text that goes when memory `id` is erased, those of its history, of its parts and of the facts that stand
    on it alone among them; and what each of these facts states, in its bare words."""
    ledger, namespace = workspace.ledger, workspace.namespace
    memory = ledger.get(namespace, id)
    parts = ledger.get_many(namespace, parts_of(memory)).values()
    facts = [fact for fact in ledger.facts(namespace, include_retired=True, source=id) if fact.sources == (id,)]
    found: list[str] = []
    for going in (memory, *parts, *facts):
        found += [event.text for event in ledger.history(namespace, going.id) if event.text is not None]
        found.append(going.quoted if isinstance(going, Episode) else going.bare)
    return tuple(dict.fromkeys(found))


def find(erased: Iterable[str], texts: Iterable[tuple[str, str]], sources: Iterable[str] = ()) -> Leftovers:
    """Which of `texts` (id and text) still say one of the `erased` ones; `sources` are episodes that do in any case.

    >>> find(["Ana lives in Porto."], [("e1", "ana lives in porto"), ("e2", "I know: Ana lives in Porto, on a hill.")])
    Leftovers(copies=('e1',), mentions=('e2',))
    """
    words = {folded for text in erased if (folded := normalised(text))}
    long = [each for each in words if _is_long(each)]
    pattern = whole_words(*sorted(long, key=len, reverse=True)) if long else None
    copies: dict[str, None] = {}
    mentions: dict[str, None] = dict.fromkeys(sources)
    for id, text in texts:
        folded = normalised(text)
        if folded in words:
            copies[id] = None
        elif (pattern and pattern.search(folded)) or (_is_long(folded) and _is_part(folded, long)):
            mentions[id] = None
    return Leftovers(tuple(copies), tuple(id for id in mentions if id not in copies))


def _is_long(folded: str) -> bool:
    return folded.count(" ") >= FEWEST_WORDS - 1


def _is_part(folded: str, words: Iterable[str]) -> bool:
    return any(folded in each and whole_words(folded).search(each) for each in words)


def sources_of(memory: Episode | Fact) -> tuple[str, ...]:
    """Ids of the episodes in which a fact was read; an episode has none."""
    return memory.sources if isinstance(memory, Fact) else ()
