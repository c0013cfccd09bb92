"""The training documents of the bundled base: chats that do the memory jobs, and some general text.

The same seed gives the same documents. `evaluation_set` asks for the same jobs in forms, names and values that
`stream` never uses; `world` is the fixed set of facts that the weights are to know without memories.

    >>> next(stream(1, None)) == next(stream(1, None))
    True
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path
from random import Random

from hybridmem.evaluation.memory_jobs.evaluation_set import evaluation_set
from hybridmem.evaluation.memory_jobs.fact_generator import world
from hybridmem.evaluation.memory_jobs.relations import Relation, load
from lab.general_text import GeneralText
from lab.real_text import RealText
from lab.writer import Document, Mixture, Writer

__all__ = ["Document", "Mixture", "evaluation_set", "stream", "world"]


def stream(
    seed: int,
    text_folder: Path | None,
    relations: tuple[Relation, ...] | None = None,
    mixture: Mixture | None = None,
) -> Iterator[Document]:
    """Endless documents, the same for the same arguments; without `text_folder` none is of real text."""
    rng = Random(seed)  # noqa: S311
    mixture = mixture or Mixture()
    writer = Writer(rng, relations or load(), mixture)
    jobs: dict[Callable[[], Document], float] = {
        writer.read: mixture.read,
        writer.closed_book: mixture.closed_book,
        writer.world_paraphrase: mixture.world_paraphrase,
        writer.facts: mixture.facts,
        writer.question: mixture.question,
        writer.paraphrase: mixture.paraphrase,
        writer.chat: mixture.chat,
    }
    if text_folder is not None:
        text = GeneralText(text_folder)
        real = RealText(text_folder, text_folder.parent / "squad_dev" / "squad_dev.json")
        jobs[lambda: text.chunk(rng)] = mixture.general
        jobs[lambda: writer.real_text(real)] = mixture.real_text
    makers, bounds = list(jobs), list(accumulate(jobs.values()))
    while True:
        yield rng.choices(makers, cum_weights=bounds)[0]()
