"""Which memories a prompt reads, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hybridmem.core.records import Episode, Fact, Hit
from hybridmem.core.text.excerpt import excerpt
from hybridmem.models import prompts
from hybridmem.retrieval.pipeline import Found
from hybridmem.stores.ledger.validation import quotes

MEMORIES_READ = 5
"""Hits in the prompt of a retrieval answer."""
SHORTEST_EXCERPT = 240
"""Characters of a memory that is not cut any more."""


def worth_reading(hits: Sequence[Hit]) -> list[Hit]:
    """The hits for a prompt: those that match the question themselves, not only through the turns around them."""
    return ([hit for hit in hits if hit.matches] or list(hits))[:MEMORIES_READ]


def without_replaced(found: Found) -> Found:
    """`found` without the episodes whose statements a fact replaced, where that fact, or an episode behind it, is a hit
    that comes before them. A question on something else that such an episode says still has it in its prompt."""
    place = {hit.id: number for number, hit in enumerate(found.hits)}
    last = len(place)

    def is_replaced(hit: Hit) -> bool:
        episode = found.records.get(hit.id)
        if not isinstance(episode, Episode) or episode.superseded_by is None:
            return False
        successor = found.records.get(episode.superseded_by)
        behind = successor.sources if isinstance(successor, Fact) else ()
        return min(place.get(id, last) for id in (episode.superseded_by, *behind)) < place[hit.id]

    return Found.of([hit for hit in found.hits if not is_replaced(hit)], found.records)


def messages_first(found: Found) -> list[Hit]:
    """The hits, with the messages in the place of every fact that was read from them, where they were found too.

    The fact says a part of its message in other words: beside it, it would take the place of another message. So what
    was said is read after a night as it was before."""
    own = {hit.id: hit for hit in found.hits}
    shown: dict[str, Hit] = {}
    for hit in found.hits:
        record = found.records.get(hit.id)
        sources = record.sources if isinstance(record, Fact) else ()
        said = [own[id] for id in sources if id in own and (own[id].matches or not hit.matches)]
        for each in said or [hit]:
            shown.setdefault(each.id, each)
    return list(shown.values())


def lines(hits: Sequence[Hit], *, dated: bool = False) -> list[str]:
    """What the prompt shows of `hits`, oldest first, `dated` with their days: each text once, also where it stands in
    another one that is no older. A fact is often a sentence of the episode that told it."""
    ordered = sorted(hits, key=_time)
    folded = [" ".join(hit.quoted.split()) for hit in ordered]
    return [
        prompts.memory(hit.text, speaker=hit.speaker, at=hit.at) if dated else hit.quoted
        for place, hit in enumerate(ordered)
        if not any(
            _time(hit) <= _time(other)
            # Looking for whole words takes a pattern for each pair, and most texts are not in each other at all.
            and folded[place] in folded[at]
            and quotes([other.quoted], [hit.quoted])
            # Of two that say the same, the later one stays.
            and (hit.quoted != other.quoted or place < at)
            for at, other in enumerate(ordered)
            if at != place
        )
    ]


def fitted(read: Sequence[str], question: str, fits: Callable[[Sequence[str]], bool]) -> list[str]:
    """`read`, once a prompt of it `fits`: the longest of them is cut to the half that the question is most likely about
    until it does, and where all are short the oldest go."""
    left = list(read)
    while left and not fits(left):
        longest = max(range(len(left)), key=lambda at: len(left[at]))
        if len(left[longest]) > SHORTEST_EXCERPT:
            left[longest] = excerpt(left[longest], question, max(SHORTEST_EXCERPT // 2, len(left[longest]) // 2 - 4))
        else:
            left.pop(0)
    return left


def _time(hit: Hit) -> float:
    return hit.at.timestamp() if hit.at else 0.0
