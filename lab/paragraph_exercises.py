"""Reading exercises from SQuAD's training titles: neighbouring sentences, and the questions that they answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from random import Random

from hybridmem.core.text.tokens import whole_words
from hybridmem.evaluation.memory_jobs.drawing import any_of
from hybridmem.evaluation.suites.model import squad_paragraphs as squad
from hybridmem.models.prompts import REFUSAL

MOST_CHARACTERS = 550
"""Of all lines of an exercise: about 200 tokens of the bundled base."""
MOST_LINES = 5
_LONGEST_ANSWER = 60
_LONGEST_QUESTION = 120
_UNANSWERABLE_SHARE = 0.35

_WORD = re.compile(r"\w+")
_NOTE = re.compile(r"\[[^\]]*(?:\?|needed|note \d+)\]|(?<=[.,”\"]):\d+(?:[–,-]\d+)*")
"""What is left of an encyclopedia's notes: "[citation needed]", and a page number behind a full stop."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question, its answer, and the number of the sentence that gives it."""

    text: str
    answer: str
    sentence: int


@dataclass(frozen=True, slots=True)
class _Passage:
    title: str
    sentences: tuple[str, ...]
    asked: tuple[_Asked, ...]


class ParagraphExercises:
    """Exercises from the training titles of the SQuAD file at `path`."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def draw(self, rng: Random) -> tuple[list[str], list[tuple[str, str]]] | None:
        """Lines, and two to four questions with their answers; None where the draw did not suit."""
        passage = any_of(rng, self._passages)
        first, last = _window(rng, passage.sentences, any_of(rng, passage.asked).sentence)
        inside = [asked for asked in passage.asked if first <= asked.sentence < last]
        if len(inside) < 2:
            return None
        lines = _lines(rng, passage.sentences[first:last])
        chosen = rng.sample(inside, min(len(inside), rng.randint(2, 4)))
        exchanges = [(asked.text, asked.answer) for asked in chosen]
        if rng.random() < _UNANSWERABLE_SHARE:
            other = self._unanswerable(rng, passage, lines, (first, last))
            if other is not None:
                exchanges.insert(rng.randint(0, len(exchanges)), (other, REFUSAL))
        return lines, exchanges

    def _unanswerable(
        self, rng: Random, passage: _Passage, lines: Sequence[str], window: tuple[int, int]
    ) -> str | None:
        """A question whose answer the lines do not hold: of the same paragraph, of its article, or of any other."""
        way = rng.random()
        if way < 0.4:
            near = [asked for asked in passage.asked if not window[0] <= asked.sentence < window[1]]
        else:
            near = list(any_of(rng, self._by_title[passage.title] if way < 0.8 else self._passages).asked)
        if not near:
            return None
        asked = any_of(rng, near)
        text = " ".join(lines).lower()
        if asked.answer.lower() in text or _all_words_in(asked.answer, text) or (asked in passage.asked and way >= 0.4):
            return None
        return asked.text

    @cached_property
    def _passages(self) -> list[_Passage]:
        found = (_passage(each) for each in squad.read(self._path) if not squad.is_held_out(each.title))
        return [passage for passage in found if passage.asked]

    @cached_property
    def _by_title(self) -> dict[str, list[_Passage]]:
        by_title: dict[str, list[_Passage]] = {}
        for passage in self._passages:
            by_title.setdefault(passage.title, []).append(passage)
        return by_title


def _passage(paragraph: squad.Paragraph) -> _Passage:
    context = _NOTE.sub("", paragraph.context)
    sentences = tuple(" ".join(each.split()) for each in squad.sentences(context))
    asked: dict[str, _Asked] = {}
    for question in paragraph.questions:
        text, answer = " ".join(question.text.split()), question.answers[0].strip()
        at = _sentence_of(sentences, text, answer)
        if at is not None and len(answer) <= _LONGEST_ANSWER and len(text) <= _LONGEST_QUESTION:
            asked[text] = _Asked(text, answer, at)
    return _Passage(paragraph.title, sentences, tuple(asked.values()))


def _sentence_of(sentences: Sequence[str], question: str, answer: str) -> int | None:
    """Of the sentences that hold `answer`, the one that shares the most words with `question`.

    SQuAD's spans say where an answer stands, but the file leaves them out. None where no sentence that fits holds it.
    """
    words = set(_WORD.findall(question.lower()))
    whole = whole_words(answer)
    holding = [at for at, text in enumerate(sentences) if whole.search(text) and len(text) <= MOST_CHARACTERS]
    return max(holding, key=lambda at: len(words & set(_WORD.findall(sentences[at].lower()))), default=None)


def _window(rng: Random, sentences: Sequence[str], at: int) -> tuple[int, int]:
    """A run of at most `MOST_LINES` sentences around number `at` (first, one past the last) that fits."""
    first, last, room = at, at + 1, MOST_CHARACTERS - len(sentences[at])
    for _ in range(rng.choices(range(MOST_LINES), weights=(20, 25, 25, 20, 10))[0]):
        down = rng.random() < 0.5
        if down and last < len(sentences) and len(sentences[last]) < room:
            room -= len(sentences[last]) + 1
            last += 1
        elif first > 0 and len(sentences[first - 1]) < room:
            first -= 1
            room -= len(sentences[first]) + 1
    return first, last


def _lines(rng: Random, sentences: Sequence[str]) -> list[str]:
    """A line for each sentence, or now and then one for all of them."""
    return [" ".join(sentences)] if rng.random() < 0.2 else list(sentences)


def _all_words_in(answer: str, text: str) -> bool:
    """Whether `text` holds all words of `answer` in some order: it may well say the same otherwise."""
    return set(_WORD.findall(answer.lower())) <= set(_WORD.findall(text))
