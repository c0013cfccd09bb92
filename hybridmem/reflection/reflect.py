"""One reflection: find, show, ask, check.

A model that follows instructions writes statements with the numbers of the memories that they rest on. One that was
trained for the memory jobs alone, as this project's bases are, gives one short answer, and the memories that have it
word for word are its citations.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence

from hybridmem.core.records import Hit
from hybridmem.core.standing import Reflection, Statement
from hybridmem.core.text.tokens import contains_words, normalised
from hybridmem.models import prompts
from hybridmem.models.reader import Reader, Reading
from hybridmem.reflection import citations
from hybridmem.reflection.shown import Shown, find, fitting
from hybridmem.router.context import MEMORIES_READ
from hybridmem.router.routing import ANSWER_TOKENS
from hybridmem.router.signals import supported
from hybridmem.workspace import Workspace

REFLECTION_TOKENS = 400
"""The longest reflection."""
LIKELY = 0.5
"""A hit of this relevance is as likely to bear on the question as not."""


def reflect(workspace: Workspace, question: str, *, limit: int, reader: Reader) -> Reflection:
    """The answer of `reader` to `question` over at most `limit` memories. Where none is found, nobody is asked.
    Raises `ModelError`."""
    return over(find(workspace, question, limit), question, reader)


def over(hits: Sequence[Hit], question: str, reader: Reader) -> Reflection:
    """The answer of `reader` over `hits`, best first. Raises `ModelError`."""
    if not hits:
        return Reflection(question, prompts.REFUSAL)
    return _cited(hits, question, reader) if _cites(reader) else _quoted(hits, question, reader)


def _cites(reader: Reader) -> bool:
    """Whether `reader` follows an instruction that it was not trained for."""
    return bool(getattr(reader, "follows_examples", False)) and not getattr(reader, "jobs", ())


def _cited(hits: Sequence[Hit], question: str, reader: Reader) -> Reflection:
    def fits(shown: Shown) -> bool:
        return _room(reader, prompts.reflect(question, shown.lines)) >= REFLECTION_TOKENS

    shown = fitting(hits, fits)
    lines = shown.lines
    if not lines:
        return Reflection(question, prompts.REFUSAL)
    reading = _read(reader, prompts.reflect(question, lines), REFLECTION_TOKENS)
    statements, left_out = [], []
    for line in citations.parsed(reading.text):
        numbers = citations.borne_out(line, lines, question)
        if numbers:
            statements.append(Statement(line.text, tuple(shown.ids[number - 1] for number in numbers)))
        else:
            left_out.append(line.text)
    return _reflection(question, hits, shown, statements, left_out, reader, reading)


def _quoted(hits: Sequence[Hit], question: str, reader: Reader) -> Reflection:
    def fits(shown: Shown) -> bool:
        return _room(reader, prompts.answer(question, shown.quoted)) >= ANSWER_TOKENS

    shown = fitting(_likely(hits), fits)
    lines = shown.quoted
    if not lines:
        return Reflection(question, prompts.REFUSAL)
    reading = _read(reader, prompts.answer(question, lines), ANSWER_TOKENS)
    said = prompts.one_line(reading.text)
    if prompts.is_refusal(said):
        return _reflection(question, hits, shown, [], [], reader, reading)
    having = [
        id
        for id, line in zip(shown.ids, lines, strict=True)
        if contains_words(normalised(line), said) and supported(question, said, [line])
    ]
    statements = [Statement(said, tuple(having))] if having else []
    return _reflection(question, hits, shown, statements, [] if having else [said], reader, reading)


def _likely(hits: Sequence[Hit]) -> list[Hit]:
    """The hits that a small model can tell apart. Among few memories a score says little, and the relevance more."""
    return ([hit for hit in hits if hit.matches or hit.relevance >= LIKELY] or list(hits))[:MEMORIES_READ]


def _reflection(
    question: str,
    hits: Sequence[Hit],
    shown: Shown,
    statements: Sequence[Statement],
    left_out: Sequence[str],
    reader: Reader,
    reading: Reading,
) -> Reflection:
    cited = {id for statement in statements for id in statement.sources}
    return Reflection(
        question=question,
        text=" ".join(statement.text for statement in statements) or prompts.REFUSAL,
        statements=tuple(statements),
        evidence=tuple(hit for hit in hits if hit.id in cited),
        shown=shown.ids,
        left_out=tuple(left_out),
        read_by=str(getattr(reader, "name", type(reader).__name__)),
        prompt_tokens=reading.prompt_tokens,
        tokens=reading.tokens,
    )


def _read(reader: Reader, prompt: list[prompts.Message], most: int) -> Reading:
    # A base that has an adapter on reads by itself: what the weights hold is no memory that was shown.
    adapted = getattr(reader, "adapted", None)
    with adapted(None) if adapted is not None else contextlib.nullcontext():
        (reading,) = reader.generate([prompt], max_new_tokens=most)
    return reading


def _room(reader: Reader, prompt: list[prompts.Message]) -> int:
    """Tokens that `reader` may still write after `prompt`, where it says how much it reads."""
    most, count = getattr(reader, "context_length", None), getattr(reader, "count_tokens", None)
    return sys.maxsize if most is None or count is None else most - count(prompt)
