"""Facts over a large open vocabulary, to learn to match a question with a memory and to copy the value.

The relations of `relations/*.toml` can be learned by heart; these cannot: hundreds of attributes and verbs, and
objects of an adjective and a noun, so that the words of the question must be found in the memory.

    >>> from random import Random
    >>> fact = draw(Random(4))
    >>> fact.value.lower() in fact.statement.lower()
    True
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from hybridmem.core.text.first_person import SPEAKER
from hybridmem.evaluation.memory_jobs.drawing import any_of
from hybridmem.evaluation.memory_jobs.open_relations import attributes, events
from hybridmem.evaluation.memory_jobs.open_relations.facts import OpenFact

__all__ = ["OpenFact", "draw"]

_Family = Callable[[Random, bool, str | None, str | None], OpenFact]

_OF_SPEAKER = 0.2


def draw(rng: Random, held_out: bool = False, subject: str | None = None, kind: str | None = None) -> OpenFact:
    """A fresh fact: about `subject` if given, which is a person or of `kind`, else of a speaker in a fifth of all.

    With `held_out`, its attributes, verbs, nouns, adjectives, names and frames are those that are never drawn
    without. `ValueError` for a `kind` that has neither attributes nor deeds."""
    if subject is None and kind is None and rng.random() < _OF_SPEAKER:
        subject = SPEAKER
    if subject is not None and kind is None:
        kind = "person"
    families: list[_Family] = []
    if kind is None or kind in attributes.kinds():
        families.append(attributes.draw)
    if kind is None or kind in events.KINDS:
        families.append(events.draw)
    if not families:
        raise ValueError(f"no open relation for the kind {kind!r}")
    return any_of(rng, families)(rng, held_out, subject, kind)
