"""The gate's questions about what was really said: written from the night's episodes, never from its facts.

They are asked twice: of the memory as it was before the night, and as it would be after it, with the candidate in
force. A night that leaves fewer of them right, or more of them wrong, has made the memory worse, however well the
weights repeat what was extracted. A right answer that became "I don't know" is a loss like any other.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Protocol

from hybridmem.core.namespace import Namespace
from hybridmem.core.records import TRAINABLE_TRUST, AdapterRecord, Audit, Check, Episode
from hybridmem.core.text.first_person import asked_by_user
from hybridmem.core.text.tokens import contains_words, normalised
from hybridmem.dreaming.bounds import TRUTH_BOUNDS, Truth
from hybridmem.dreaming.reading.aboutness import is_about, nearest
from hybridmem.dreaming.reading.agreement import answers
from hybridmem.dreaming.reading.questions import is_span
from hybridmem.dreaming.reading.source import Source, pieces
from hybridmem.dreaming.reading.unsaid import unsaid
from hybridmem.dreaming.recipes import GateSettings
from hybridmem.models import prompts, skills
from hybridmem.models.reader import Reader
from hybridmem.stores.ledger.memories import Memories

FILE = "truth.json"
"""In the folder of a dream: its questions with what the memory answered before it."""
TEMPERATURE = 0.8
EACH = 2
"""Questions asked of the model for each message: the most probable one and a sampled one."""
BESIDE = 4
"""Other messages of the night that must not answer a question otherwise."""


@dataclass(frozen=True, slots=True)
class TruthQuestion:
    """A question that a message answers, and its answer in the message's own words."""

    text: str
    answer: str
    said_on: date
    episode: str = ""
    """The id of the message."""

    def is_right(self, said: str) -> bool:
        return answers(said, self.answer, self.said_on)


class Answering(Protocol):
    """How a memory answers, with the weights of now or with a candidate's."""

    def as_it_is(self, questions: Sequence[str]) -> list[str]:
        """What the router answers now, with the adapter that is in force."""
        ...

    def as_it_would_be(
        self, questions: Sequence[str], candidate: AdapterRecord, folder: Path, audits: Sequence[Audit]
    ) -> list[str]:
        """What the router would answer with the weights in `folder` promoted, calibrated as after a promotion."""
        ...


@dataclass(frozen=True, slots=True)
class TruthSet:
    """The night's questions with what the memory answered before it."""

    questions: tuple[TruthQuestion, ...] = ()
    before: tuple[str, ...] = ()
    tokens: int = 0

    def of_what_is_there(self, ledger: Memories, namespace: Namespace) -> TruthSet:
        """Without the questions on messages that were deleted since."""
        there = ledger.get_many(namespace, list(dict.fromkeys(each.episode for each in self.questions)))
        kept = [
            pair for pair in zip(self.questions, self.before, strict=True) if pair[0].episode in (there.keys() | {""})
        ]
        return replace(self, questions=tuple(each for each, _ in kept), before=tuple(said for _, said in kept))


def prepare(
    reader: Reader,
    episodes: Sequence[Episode],
    most: int,
    seed: int,
    answering: Answering | None,
    kept: Path,
    user: str | None = None,
) -> TruthSet:
    """Questions on the night's `episodes`, at most `most`, answered from the store as it is now. Empty where nothing
    can answer them.

    They are kept in the file `kept`, and taken from there by a dream that resumes: it may find every episode read."""
    if answering is None or not most:
        return TruthSet()
    before = _load(kept)
    if before is not None:
        return before
    questions, tokens = write(reader, episodes, most, seed, user)
    said = answering.as_it_is([each.text for each in questions]) if questions else []
    truth = TruthSet(tuple(questions), tuple(said), tokens)
    _save(truth, kept)
    return truth


def _save(truth: TruthSet, file: Path) -> None:
    lines = [
        [each.text, each.answer, each.said_on.isoformat(), said, each.episode]
        for each, said in zip(truth.questions, truth.before, strict=True)
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_suffix(".half")
    unfinished.write_text(json.dumps(lines), "utf-8")
    unfinished.replace(file)


def _load(file: Path) -> TruthSet | None:
    if not file.exists():
        return None
    lines = json.loads(file.read_text("utf-8"))
    # What an earlier release wrote does not name the messages.
    questions = tuple(
        TruthQuestion(text, answer, date.fromisoformat(day), *episode) for text, answer, day, _, *episode in lines
    )
    return TruthSet(questions, tuple(line[3] for line in lines))


def forget_erased(kept: Path, ledger: Memories, namespace: Namespace) -> None:
    """Remove the questions on deleted messages from the file `kept`, if it is there."""
    if (truth := _load(kept)) is not None:
        _save(truth.of_what_is_there(ledger, namespace), kept)


def write(
    reader: Reader, episodes: Sequence[Episode], most: int, seed: int, user: str | None = None
) -> tuple[list[TruthQuestion], int]:
    """Questions that `episodes` answer, one a piece at most, checked by reading; and the tokens used. `user` is the
    only name under which the user speaks."""
    rng = random.Random(seed)  # noqa: S311 - a reproducible draw, not a secret
    small = skills.trained_for(reader, "propositions")
    trusted = [e for e in episodes if e.trust in TRAINABLE_TRUST and not e.quarantined]
    parts = [Source(episode, piece, user=user) for episode in trusted for piece in pieces(episode.text)]
    drawn = rng.sample(parts, min(len(parts), 2 * most))
    asked = [skills.question(reader, prompts.memory(each.text, speaker=each.speaker)) for each in drawn]
    rounds = [reader.generate(asked, max_new_tokens=48)]
    if skills.samples(reader):
        rounds += [
            reader.generate(asked, max_new_tokens=48, temperature=TEMPERATURE, seed=seed + number)  # type: ignore[call-arg]
            for number in range(1, EACH)
        ]
    tokens = sum(said.prompt_tokens + said.tokens for completions in rounds for said in completions)
    written = [
        (part, question, answer)
        for completions in rounds
        for part, said in zip(drawn, completions, strict=True)
        if (pair := prompts.parse_question(said.text))
        and (answer := pair[1].strip(" ."))
        and (question := asked_by_user(pair[0]))
        and is_span(answer, part.text)
        and is_about(question, part.line)
        and not (small and unsaid(question, part.words))
        and not contains_words(normalised(question), answer)
    ]
    alone = reader.generate([prompts.answer(question, [part.line]) for part, question, _ in written])
    among = reader.generate([prompts.answer(question, _beside(part, parts)) for part, question, _ in written])
    tokens += sum(said.prompt_tokens + said.tokens for said in (*alone, *among))
    kept: dict[str, TruthQuestion] = {}
    taken: set[tuple[str, str]] = set()
    for (part, text, answer), one, other in zip(written, alone, among, strict=True):
        found = TruthQuestion(text, answer, part.episode.at.date(), part.episode.id)
        key = part.episode.id, part.text
        if key not in taken and found.is_right(one.text) and found.is_right(other.text):
            taken.add(key)
            kept.setdefault(normalised(text), found)
    return list(kept.values())[:most], tokens


def compare(truth: TruthSet, after: Sequence[str]) -> Truth:
    """How the night changed the answers to its questions."""
    before = [question.is_right(said) for question, said in zip(truth.questions, truth.before, strict=True)]
    now = [question.is_right(said) for question, said in zip(truth.questions, after, strict=True)]
    return Truth(
        asked=len(before),
        right_before=sum(before),
        wrong_before=_wrong(truth.questions, truth.before),
        right_after=sum(now),
        wrong_after=_wrong(truth.questions, after),
        timid=sum(was and prompts.is_refusal(said) for was, said in zip(before, after, strict=True)),
    )


def checks(truth: Truth, settings: GateSettings) -> tuple[Check, ...]:
    """The bounds on what the night did to the truth; none where nothing was asked."""
    return tuple(bound.check(truth, settings) for bound in TRUTH_BOUNDS) if truth.asked else ()


def _beside(part: Source, parts: Sequence[Source]) -> list[str]:
    """The message among those of the night that are most like it, in the order of time."""
    others = [(each, each.text) for each in parts if each is not part]
    lines = sorted(
        [part, *nearest(part.text, others, BESIDE)], key=lambda each: (each.episode.at, each.episode.position)
    )
    return [each.line for each in lines]


def _wrong(questions: Sequence[TruthQuestion], said: Sequence[str]) -> int:
    return sum(
        not prompts.is_refusal(text) and not question.is_right(text)
        for question, text in zip(questions, said, strict=True)
    )
