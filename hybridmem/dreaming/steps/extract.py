"""Step 1: text to facts, by the agent's own model (or any other that the user names), checked against the text."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from hybridmem.core.records import TRAINABLE_TRUST, Episode, Fact, new_id
from hybridmem.core.text import moods
from hybridmem.core.text.first_person import SPEAKER, SPEAKER_WORDS, is_first_person
from hybridmem.core.text.resolved import resolved, value_resolved
from hybridmem.core.text.sentences import sentences
from hybridmem.core.text.tokens import contains_words, normalised
from hybridmem.dreaming.reading.source import MAX_CHARACTERS as MAX_CHARACTERS
from hybridmem.dreaming.reading.source import pieces
from hybridmem.dreaming.reading.support import is_reversed, is_unreal
from hybridmem.models import prompts
from hybridmem.models.reader import Reader

POINTERS = frozenset({"he", "him", "she", "her", "it", "they", "them", "this", "that", "these", "those", "you"})
"""Words that name nobody outside their text."""
_OWNED = re.compile(r"(?:my|our)\s+(\S.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Extraction:
    """What one pass over new episodes found, and what it cost."""

    facts: tuple[Fact, ...]
    read: tuple[str, ...]
    """Ids of the episodes that are done: all but those in quarantine."""
    unsupported: int
    """Facts that the model wrote and that the text does not support."""
    tokens: int
    ended: Mapping[str, str] = field(default_factory=dict)
    """Ids of the facts that a denial ends, with the episode that denies each."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """What else there is to count, by its name in the step log."""


def extract(
    model: Reader, episodes: Sequence[Episode], progress: Callable[[int, int], None] = lambda done, total: None
) -> Extraction:
    """Facts of `episodes`, in their order; nothing is written. No model reads text from tools or the web."""
    trusted = [e for e in episodes if e.trust in TRAINABLE_TRUST and not e.quarantined]
    parts = [(episode, piece) for episode in trusted for piece in pieces(episode.text)]
    found: list[Fact] = []
    unsupported = tokens = 0
    for start in range(0, len(parts), 32):
        batch = parts[start : start + 32]
        completions = model.generate([prompts.facts(_quoted(e, piece)) for e, piece in batch], max_new_tokens=72)
        for (episode, piece), completion in zip(batch, completions, strict=True):
            tokens += completion.prompt_tokens + completion.tokens
            if normalised(completion.text) == prompts.NO_FACTS:
                continue
            for triple in dict.fromkeys(prompts.parse_facts(completion.text)):
                fact = _fact(episode, piece, *triple)
                if fact is None:
                    unsupported += 1
                else:
                    found.append(fact)
        progress(min(start + 32, len(parts)), len(parts))
    return Extraction(tuple(found), tuple(e.id for e in episodes if not e.quarantined), unsupported, tokens)


def _quoted(episode: Episode, piece: str) -> str:
    return f"{episode.speaker}: {piece}" if episode.speaker else piece


def _fact(episode: Episode, piece: str, subject: str, relation: str, object: str) -> Fact | None:
    """The fact, if the text supports it: it names both its object and its subject, and neither denies the fact nor only
    wishes, supposes, asks or quotes it. Else None."""
    said = normalised(piece)
    of_speaker = normalised(subject) in SPEAKER_WORDS
    owned = _OWNED.fullmatch(subject)
    if episode.speaker and of_speaker:
        subject, of_speaker = episode.speaker, False
    if not contains_words(said, object) or normalised(object) == normalised(subject):
        return None
    claim = f"{subject} {relation} {object}."
    if moods.is_negated(claim) or is_unreal(claim, piece) or is_reversed(claim, piece):
        return None
    if POINTERS & {normalised(subject), normalised(object)}:
        return None
    if owned and not (contains_words(said, subject) and (episode.speaker or _is_users(episode))):
        return None
    if owned and episode.speaker:
        # One speaker's "my dog" is not another speaker's.
        subject = f"{episode.speaker}'s {owned[1]}"
    elif of_speaker:
        if not _is_users(episode):
            return None
        subject = SPEAKER
        if not is_first_person(piece):
            return None
    elif not contains_words(said, subject) and normalised(subject) != normalised(episode.speaker or ""):
        return None
    said_on = episode.at.date()
    return Fact(
        id=new_id("fa"),
        namespace=episode.namespace,
        subject=subject,
        relation=relation,
        object=value_resolved(object, said_on),
        # What the weights say is read on another day.
        text=resolved(_statement(episode, piece, subject, relation, object), said_on),
        valid_from=episode.at,
        sources=(episode.id,),
        trust=episode.trust,
    )


def _is_users(episode: Episode) -> bool:
    """Whether "I" in `episode` means the user; the subject "I" of a stored fact always does."""
    return episode.trust == "user" and episode.role != "assistant"


def _statement(episode: Episode, piece: str, subject: str, relation: str, object: str) -> str:
    """The sentence of the text that states the fact on its own, or else the fact's bare words."""
    for sentence in sentences(piece):
        said = normalised(sentence)
        names_subject = subject == SPEAKER or contains_words(said, subject)
        if names_subject and contains_words(said, object):
            return sentence
    if subject == episode.speaker:
        for sentence in sentences(piece):
            if contains_words(normalised(sentence), object):
                return f"{subject}: {sentence}"
    return f"{subject} {relation} {object}."
