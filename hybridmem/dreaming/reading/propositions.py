"""Episodes to propositions: self-contained sentences, each with its mood, checked against the message."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hybridmem.core.text.moods import has_negative_sense
from hybridmem.core.text.resolved import resolved
from hybridmem.core.text.tokens import normalised
from hybridmem.core.text.tokens import tokens as words_of
from hybridmem.dreaming.reading.dating import as_said
from hybridmem.dreaming.reading.source import Source
from hybridmem.dreaming.reading.support import doubt
from hybridmem.dreaming.reading.unsaid import unsaid
from hybridmem.dreaming.reading.verbatim import in_own_words
from hybridmem.dreaming.reading.whose import is_anothers
from hybridmem.models import prompts, skills
from hybridmem.models.prompts import Mood
from hybridmem.models.reader import Reader

AT_ONCE = 16
LONGEST = 320
"""Tokens of the propositions of one piece, at most."""
BELIEVED: frozenset[Mood] = frozenset({"asserted", "planned"})
"""What may become a fact. A denial states something too, but what is left of it in the weights is the positive: it ends
facts, and becomes none."""


@dataclass(frozen=True)
class Proposition:
    """One thing that a message says, on its own."""

    text: str
    mood: Mood
    source: Source

    @property
    def line(self) -> str:
        """As one memory in a prompt, with its date."""
        return prompts.memory(self.text, at=self.source.episode.at)

    @property
    def words(self) -> frozenset[str]:
        """Its own, and those of its message with the turns before."""
        return self.source.words | set(words_of(self.text))


@dataclass(frozen=True)
class Split:
    """What messages say, and what was left out."""

    believed: tuple[Proposition, ...]
    denied: tuple[Proposition, ...]
    left_out: Counter[str]
    """How many propositions were left out, by their mood or by what speaks against them; and how many messages, because
    the reader's reply was no list of propositions."""
    tokens: int


def split(reader: Reader, sources: Sequence[Source]) -> Split:
    """The propositions of `sources`, in their order. Writes nothing."""
    believed: list[Proposition] = []
    denied: list[Proposition] = []
    left_out: Counter[str] = Counter()
    tokens = 0
    small = skills.trained_for(reader, "propositions")
    for start in range(0, len(sources), AT_ONCE):
        batch = sources[start : start + AT_ONCE]
        asked = [
            skills.propositions(reader, each.text, speaker=each.speaker, at=each.episode.at, before=each.before)
            for each in batch
        ]
        for source, completion in zip(batch, reader.generate(asked, max_new_tokens=LONGEST), strict=True):
            tokens += completion.prompt_tokens + completion.tokens
            found = _distinct(prompts.parse_propositions(completion.text))
            if not found and normalised(completion.text) != prompts.NO_FACTS:
                # It stays with retrieval. Nothing else of the night hangs on it.
                left_out["reply_refused" if getattr(completion, "refused", "") else "reply_malformed"] += 1
            for mood, said in in_own_words(found, source) if small else found:
                text = resolved(as_said(said, source) if small else said, source.episode.at.date())
                proposition = Proposition(text, mood, source)
                if mood == "denied" and has_negative_sense(text):
                    denied.append(proposition)
                elif mood not in BELIEVED:
                    left_out[mood] += 1
                elif reason := doubt(text, source):
                    left_out[reason] += 1
                elif small and unsaid(text, source.words):
                    left_out["unsaid"] += 1
                elif small and is_anothers(text, source):
                    left_out["anothers"] += 1
                else:
                    believed.append(proposition)
    return Split(tuple(believed), tuple(denied), left_out, tokens)


def _distinct(found: Iterable[tuple[Mood, str]]) -> list[tuple[Mood, str]]:
    """Each sentence once. One that comes with two moods is not believed in any of them."""
    moods: dict[str, set[Mood]] = {}
    kept: dict[str, tuple[Mood, str]] = {}
    for mood, text in found:
        moods.setdefault(normalised(text), set()).add(mood)
        kept.setdefault(normalised(text), (mood, text))
    return [kept[key] for key, own in moods.items() if len(own) == 1]
