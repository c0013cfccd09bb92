"""The training documents of the bundled base: chats that do the memory jobs, and some general text.

The same seed gives the same documents. `evaluation_set` asks for the same jobs in forms, names and values that
`stream` never shows; `world` is the fixed set of facts that the weights are to know without memories.

    >>> next(stream(1, None)) == next(stream(1, None))
    True
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import accumulate
from pathlib import Path
from random import Random

from hybridmem.pretraining.examiner import Case, CaseGenerator
from hybridmem.pretraining.general_text import GeneralText
from hybridmem.pretraining.real_text import RealText
from hybridmem.pretraining.relations import Relation, load
from hybridmem.pretraining.teller import Fact, world
from hybridmem.pretraining.writer import Document, Mixture, Writer

__all__ = ["Case", "Document", "Fact", "Mixture", "evaluation_set", "stream", "world"]


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


def evaluation_set(
    seed: int, per_job: int = 200, relations: tuple[Relation, ...] | None = None, *, known_forms: bool = False
) -> dict[str, list[Case]]:
    """`per_job` cases for each job, about held-out names, in held-out forms unless they are to be `known_forms`.

    Only the world's facts keep their names."""
    examiner = CaseGenerator(Random(seed), relations or load(), known_forms)  # noqa: S311
    jobs: dict[str, Callable[[], Case | None]] = {
        "read_1": lambda: examiner.read(1),
        "read_4": lambda: examiner.read(4),
        "read_6": lambda: examiner.read(6),
        "read_8": lambda: examiner.read(8),
        "read_12": lambda: examiner.read(12),
        "read_updates": lambda: examiner.read(5, updates=True),
        "read_open": lambda: examiner.read_open(4),
        "read_unanswerable": lambda: examiner.read_unanswerable(4),
        "who_said": lambda: examiner.saying(4, examiner.sayings.who),
        "when_said": lambda: examiner.saying(4, examiner.sayings.when),
        "yes_no": lambda: examiner.saying(4, examiner.sayings.whether),
        "closed_world": examiner.closed_world,
        "closed_unknown": examiner.closed_unknown,
        "facts": examiner.facts,
        "no_facts": examiner.no_facts,
        "question": examiner.question,
    }
    return {job: _several(make, per_job) for job, make in jobs.items()}


def _several(make: Callable[[], Case | None], count: int) -> list[Case]:
    cases: list[Case] = []
    while len(cases) < count:
        case = make()
        if case is not None:
            cases.append(case)
    return cases
