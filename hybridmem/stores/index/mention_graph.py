"""Which memory is linked to which entity: the rule that both graph indexes follow."""

from __future__ import annotations

from collections.abc import Mapping

from hybridmem.core.records import Episode, Fact
from hybridmem.core.text.mentions import MAX_NAME_WORDS, Mentions, entity, mentions

NO_ENTITIES = frozenset(
    """
    january february september october november december jan feb sep sept oct nov dec
    monday tuesday wednesday thursday friday saturday sunday mon tue tues wed thu thur thurs fri
    mondays tuesdays wednesdays thursdays fridays saturdays sundays
    am pm ok asap fyi todo faq db pc tv id pdf url
    """.split()  # noqa: SIM905 - a paragraph reads better than a list of strings
)
"""What is written with capitals and names nothing: times, whose memories dates find, and abbreviations of common words.
May, April, June and August are names of people too, and stay."""
DAMPING = 0.5
"""Chance of walking on instead of restarting; HippoRAG's value: what is near counts, what is merely well linked not."""


def memory_mentions(memory: Episode | Fact) -> Mentions:
    """The names in a memory's text, and with certainty its speaker, or its subject and object."""
    found = mentions(memory.text)
    written = found.names - NO_ENTITIES
    named = [memory.speaker] if isinstance(memory, Episode) else [memory.subject, memory.object]
    sure = {entity(name) for name in named if name and len(name.split()) <= MAX_NAME_WORDS}
    names = written | {name for name in sure if name}
    return Mentions(names, found.maybe - names - NO_ENTITIES)


def edges(memories: Mapping[str, Mentions]) -> dict[str, list[str]]:
    """Each memory's entities: what it is sure of, and what it may mean and another memory is sure of; sorted."""
    known = {name for mention in memories.values() for name in mention.names}
    return {id: sorted(mention.names | (mention.maybe & known)) for id, mention in memories.items()}
