"""The evaluation's cases, job by job: the same seed gives the same cases.

>>> cases = evaluation_set(7, per_job=2)
>>> cases == evaluation_set(7, per_job=2)
True
>>> len(cases["read_4"])
2
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from hybridmem.evaluation.memory_jobs.case_generator import Case, CaseGenerator
from hybridmem.evaluation.memory_jobs.relations import Relation, load


def evaluation_set(
    seed: int, per_job: int = 200, relations: tuple[Relation, ...] | None = None, *, known_forms: bool = False
) -> dict[str, list[Case]]:
    """`per_job` cases for each job: held-out names, and held-out forms unless `known_forms`.

    Only the world's facts keep their names."""
    generator = CaseGenerator(Random(seed), relations or load(), known_forms)  # noqa: S311
    jobs: dict[str, Callable[[], Case | None]] = {
        "read_1": lambda: generator.read(1),
        "read_4": lambda: generator.read(4),
        "read_6": lambda: generator.read(6),
        "read_8": lambda: generator.read(8),
        "read_12": lambda: generator.read(12),
        "read_updates": lambda: generator.read(5, updates=True),
        "read_open": lambda: generator.read_open(4),
        "read_unanswerable": lambda: generator.read_unanswerable(4),
        "who_said": lambda: generator.saying(4, generator.sayings.who),
        "when_said": lambda: generator.saying(4, generator.sayings.when),
        "yes_no": lambda: generator.saying(4, generator.sayings.whether),
        "closed_world": generator.closed_world,
        "closed_unknown": generator.closed_unknown,
        "facts": generator.facts,
        "no_facts": generator.no_facts,
        "question": generator.question,
    }
    return {job: _several(make, per_job) for job, make in jobs.items()}


def _several(make: Callable[[], Case | None], count: int) -> list[Case]:
    cases: list[Case] = []
    while len(cases) < count:
        case = make()
        if case is not None:
            cases.append(case)
    return cases
