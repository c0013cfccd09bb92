"""SEAL's protocol on SQuAD (Zweiger et al. 2025, arXiv:2506.10943): passages are learned one after another, and their
questions asked without the passage.

A night holds so many passages, one in the paper. A passage is told once, whole and in order, in pieces: each ends with
the sentence that answers the piece's question, and names the article in front. A sentence that answers several
questions is asked the first. BWT is then the paper's backward transfer, over nights in the place of self-edits.
Questions on articles of which no passage was told are the unrelated ones.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

from hybridmem.evaluation.published.base import require_enough
from hybridmem.evaluation.stream import Probe, Stream, StreamFact
from hybridmem.evaluation.suites.model.squad_paragraphs import Paragraph, read, sentences

MOST_LOCAL = 50


def stream(path: Path, nights: int, passages: int, seed: int) -> Stream:
    """`nights` of so many `passages` of the file at `path`, drawn under `seed`. Raises `InvalidInput`."""
    rng = Random(seed)  # noqa: S311 - a reproducible draw, not a secret
    usable = [each for each in read(path) if _pieces(each)]
    require_enough(len(usable), nights * passages, "passages with questions", path)
    chosen = rng.sample(usable, nights * passages)
    titles = {each.title for each in chosen}
    others = [asked for each in usable if each.title not in titles for asked in each.questions]
    local = rng.sample(others, min(MOST_LOCAL, len(others)))
    facts = [fact for number, each in enumerate(chosen) for fact in _facts(each, number, 1 + number // passages)]
    return Stream(tuple(facts), tuple(Probe("locality", asked.text, asked.answers[0]) for asked in local))


def _facts(passage: Paragraph, number: int, night: int) -> Iterator[StreamFact]:
    title = passage.title.replace("_", " ")
    for at, (text, question, answer) in enumerate(_pieces(passage)):
        yield StreamFact(night, f"p{number}.{at}", f"{title}: {text}", answer, (question,), relation="SQuAD")


def _pieces(passage: Paragraph) -> list[tuple[str, str, str]]:
    """(text, question, answer), in the order of the passage; what follows the last answer belongs to the last piece."""
    left = [(asked.text, answer) for asked in passage.questions for answer in asked.answers[:1] if answer.strip()]
    pieces: list[tuple[str, str, str]] = []
    before: list[str] = []
    for sentence in sentences(passage.context):
        before.append(sentence)
        here = [pair for pair in left if pair[1] in sentence]
        if here:
            pieces.append((" ".join(before), *here[0]))
            left = [pair for pair in left if pair not in here]
            before = []
    if pieces and before:
        text, question, answer = pieces[-1]
        pieces[-1] = (" ".join([text, *before]), question, answer)
    return pieces
