"""Asks a memory by every way, and leaves no trace in it: what a test asks is no use of a memory."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from hybridmem.core.text.mentions import mentions
from hybridmem.core.text.tokens import contains_words, normalised
from hybridmem.evaluation.answer_sources import FullContext, episodes
from hybridmem.evaluation.routing.outcome import FORCED, FULL_CONTEXT, ROUTER, Heard, Outcome, Said
from hybridmem.evaluation.routing.overhead import answered
from hybridmem.evaluation.routing.question import RouterQuestion

if TYPE_CHECKING:
    from hybridmem.memory import HybridMemory


def ask(memory: HybridMemory, questions: Sequence[RouterQuestion], seed: int) -> list[Outcome]:
    """What every way says to each question, one by one, as a user asks; the full context answers in a batch."""
    if not questions:
        return []
    memory.catch_up()
    router, texts = memory.router, [question.text for question in questions]
    timed = [answered(router, text) for text in texts]
    said = {way: [Said.of(router.answer([text], route)[0]) for text in texts] for way, route in FORCED.items() if route}
    said[ROUTER] = [Said.of(answer) for answer, _ in timed]
    said[FULL_CONTEXT] = [Said.of(answer) for answer in FullContext(memory).answer(texts)]
    read, closed_book = router.readings(texts), router.readings(texts, "weights")
    told = [normalised(episode.text) for episode in episodes(memory) if not episode.quarantined]
    return [
        Outcome(
            seed=seed,
            question=question,
            said={way: by_question[number] for way, by_question in said.items()},
            weights=Heard.of(read[number].weights),
            memories=Heard.of(read[number].memories),
            closed_book=Heard.of(closed_book[number].weights),
            consolidated=read[number].known.consolidated,
            popularity=_popularity(question.text, told),
            overhead=timed[number][1],
        )
        for number, question in enumerate(questions)
    ]


def _popularity(question: str, told: Sequence[str]) -> int:
    """How many of the texts that were `told` name what `question` names."""
    found = mentions(question)
    names = found.names or found.maybe
    return sum(any(contains_words(text, name) for name in names) for text in told)
