"""The skills for a task: procedures for the same task first, then those for tasks that are alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hybridmem.core.errors import InvalidInput
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import Episode, Fact, has_expired
from hybridmem.core.skills import KnownBy, Outcome, Skill
from hybridmem.core.text.tokens import normalised
from hybridmem.retrieval.pipeline import is_share
from hybridmem.retrieval.relevance import calibration, coverage
from hybridmem.skills.memory_kind import ENDINGS, admitted, steps_of, steps_text
from hybridmem.skills.template import Template, without_blanks
from hybridmem.stores.ledger.base import Ledger
from hybridmem.workspace import Workspace

LATELY = 2
"""Judged runs, the last ones, that must not all have failed."""
NEAREST = 50
"""Memories of skills that a search looks through."""
LEAST_RELEVANCE = 0.5
"""Of a skill for another task, unless the caller says otherwise."""


@dataclass(frozen=True, slots=True)
class _Use:
    """One run of a procedure."""

    at: datetime
    position: int
    episode: str
    outcome: Outcome
    known_by: KnownBy | None


def skills(workspace: Workspace, *, failed: bool = False) -> list[Skill]:
    """Every skill, the last used first."""
    ledger, namespace = workspace.ledger, workspace.namespace
    ledger.expire_due(namespace, workspace.clock())
    kept = [each for each in ledger.matching(namespace, admitted()) if isinstance(each, Fact)]
    every = _skills(ledger, namespace, kept, workspace.clock())
    return sorted((each for each in every if failed or each.recommended), key=lambda each: each.last_used, reverse=True)


def skills_for(
    workspace: Workspace, task: str, *, limit: int, min_score: float = LEAST_RELEVANCE, failed: bool = False
) -> list[Skill]:
    """The skills for `task`, best first: of the same task, then of the most relevant, then of those that worked most.
    Raises `InvalidInput`."""
    if not is_share(min_score):
        raise InvalidInput(f"the least score {min_score!r} is not between 0 and 1: it cuts by the tasks' relevance")
    ledger, namespace = workspace.ledger, workspace.namespace
    ledger.expire_due(namespace, workspace.clock())
    workspace.indexes.catch_up(of=namespace)
    hits = workspace.retrieval.search(namespace, task, limit=NEAREST, kinds=("fact",), filter=admitted())
    near = [each for each in ledger.get_many(namespace, [hit.id for hit in hits]).values() if isinstance(each, Fact)]
    subjects = list(dict.fromkeys(fact.subject for fact in near))
    if not subjects:
        return []
    relevance = _relevance(workspace, task, subjects)
    kept = [each for each in ledger.matching(namespace, admitted(subjects=subjects)) if isinstance(each, Fact)]
    found = []
    for skill in _skills(ledger, namespace, kept, workspace.clock()):
        steps = Template(skill.task, skill.steps).filled(task)
        score = 1.0 if steps is not None else relevance[skill.task]
        if score >= min_score and (failed or skill.recommended):
            found.append(replace(skill, steps=steps or skill.steps, same_task=steps is not None, relevance=score))
    return sorted(found, key=_rank)[:limit]


def _rank(skill: Skill) -> tuple[bool, float, bool, float, float]:
    rate = (skill.successes + 1) / (skill.successes + skill.failures + 2)
    return (not skill.same_task, -skill.relevance, not skill.recommended, -rate, -skill.last_used.timestamp())


def _relevance(workspace: Workspace, task: str, subjects: Sequence[str]) -> Mapping[str, float]:
    """How probable it is that each of the tasks `subjects` bears on `task`, by their words alone."""
    embedder = workspace.retrieval.embedder
    plain = [without_blanks(subject) for subject in subjects]
    vectors = embedder.embed([task, *plain])
    weights = calibration(embedder)
    cosines = vectors[1:] @ vectors[0]
    return {
        subject: weights.probability(float(cosine), coverage(task, words))
        for subject, words, cosine in zip(subjects, plain, cosines, strict=True)
    }


def _skills(ledger: Ledger, namespace: Namespace, facts: Iterable[Fact], now: datetime) -> list[Skill]:
    """The skills that `facts` keep: those of one task and the same steps are one."""
    groups: dict[tuple[str, str], list[Fact]] = {}
    for fact in facts:
        if steps_of(fact) and fact.current and not fact.quarantined and not has_expired(fact, now):
            groups.setdefault((normalised(fact.subject), steps_text(steps_of(fact))), []).append(fact)
    ids = {source for group in groups.values() for fact in group for source in fact.sources}
    requests = {
        id: each
        for id, each in ledger.get_many(namespace, sorted(ids)).items()
        if isinstance(each, Episode) and not each.quarantined and not has_expired(each, now)
    }
    made = [_skill(group, requests) for group in groups.values()]
    return [each for each in made if each is not None]


def _skill(group: Sequence[Fact], requests: Mapping[str, Episode]) -> Skill | None:
    """One skill with its record; None where no request that may be looked at stands behind it."""
    uses = sorted(
        (
            _Use(
                requests[id].at,
                requests[id].position,
                id,
                ENDINGS[fact.relation].outcome,
                ENDINGS[fact.relation].known_by,
            )
            for fact in group
            for id in fact.sources
            if id in requests
        ),
        key=lambda use: (use.at, use.position),
    )
    if not uses:
        return None
    judged = [use for use in uses if use.outcome != "unknown"]
    counts = Counter(use.outcome for use in uses)
    return Skill(
        task=group[0].subject,
        steps=steps_of(group[0]),
        successes=counts["success"],
        failures=counts["failure"],
        unknown=counts["unknown"],
        known_by=dict(Counter(use.known_by for use in judged if use.known_by)),
        recommended=counts["success"] > 0 and any(use.outcome == "success" for use in judged[-LATELY:]),
        last_used=uses[-1].at,
        same_task=True,
        relevance=1.0,
        facts=tuple(fact.id for fact in group),
        episodes=tuple(dict.fromkeys(use.episode for use in uses)),
    )
