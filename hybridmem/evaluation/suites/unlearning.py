"""Whether what was deleted or superseded has left the weights, and what that costs: the benchmark behind
`bench unlearning`.

Facts are learned over a few nights; then some are deleted and some superseded, and one more night unlearns them. Each
gone value is probed in every way that this knows, with the adapter before that night, with the one after it, and with
the adapter of a control: the same days and nights with the same seed in a memory that was never told it. Membership is
inferred by telling forgotten facts from others of the same relations that nobody was ever told, by their loss and by
Min-K% Prob (Shi et al. 2023, arXiv:2310.16789).

The same night is lived through twice, from one copy of the memory: once as it comes, going on from the newest version
that never saw what goes, and once with those versions removed, so that it retrains from the bare base.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
from numpy.typing import NDArray

from hybridmem import metrics
from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import DreamReport
from hybridmem.dreaming import recipes
from hybridmem.dreaming.recipes import Recipe
from hybridmem.evaluation.fiction import Inventor, Relation, relations
from hybridmem.memory import HybridMemory
from hybridmem.metrics import is_correct
from hybridmem.models import prompts
from hybridmem.models.base import LanguageModel

NEVER_SEEN = 4
"""Facts that nobody was told for each one that is forgotten."""
ALTERNATIVES = 3
"""Other values of the same kind that stand beside the gone one."""
MIN_K = 0.2
"""The share of least likely tokens that Min-K% Prob averages; 20% is the paper's."""
RESAMPLES = 2000
PROBES = ("direct", "paraphrase", "reversed", "choice", "logprob")

OpenMemory = Callable[[Path], AbstractContextManager[HybridMemory]]


@dataclass(frozen=True, slots=True)
class GoneFact:
    """A fact as it is told, and all that it can be asked by."""

    text: str
    subject: str
    value: str
    questions: tuple[str, str]
    """The direct question and a paraphrase."""
    reversed: str
    """Asks for the subject and gives the value."""
    alternatives: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """One kind of probe over all gone facts; a share of facts, or nats for `logprob`."""

    before: float
    """With the adapter that held them."""
    after: float
    """After the night that unlearned them."""
    never: float
    """In the memory that was never told."""
    difference: float
    """Mean of `after` less `never`, over facts."""
    interval: tuple[float, float]
    """95% bootstrap interval of `difference`, over facts."""
    forgotten: bool
    """Whether nothing says that `after` gives away more than `never`: the interval begins at 0 or below."""


@dataclass(frozen=True, slots=True)
class Membership:
    """How well one score tells what was forgotten from what was never told; 0.5 is a coin's throw."""

    auc_before: float
    auc: float
    interval: tuple[float, float]
    """95% bootstrap interval of `auc`, over both groups."""
    forgotten: bool
    """Whether the interval begins at 0.5 or below."""


@dataclass(frozen=True, slots=True)
class NightCost:
    """What one way of unlearning took."""

    parent: str | None
    """The version that it went on from; None for the bare base."""
    status: str
    seconds: float
    trained_tokens: int
    steps: int
    standing_recalled: float
    """Share of the facts that still stand that are answered closed-book afterwards."""


@dataclass(frozen=True, slots=True)
class UnlearningResult:
    """What `run` measured."""

    nights: int
    facts_per_night: int
    deleted: int
    superseded: int
    from_night: int
    seed: int
    model: str
    recipe: str
    probes: dict[str, ProbeResult]
    membership: dict[str, Membership]
    forgotten: bool
    """All probes and both inferences."""
    unlearning: NightCost
    retraining: NightCost
    token_ratio: float | None
    """Tokens that retraining from the base trains, for each one of the night that unlearns; None where that trains
    none."""


def run(
    folder: Path,
    open_memory: OpenMemory,
    progress: Callable[[str], None] | None = None,
    *,
    nights: int = 5,
    facts: int = 5,
    deleted: int = 1,
    superseded: int = 0,
    from_night: int | None = None,
    recipe: str | Recipe = "default",
    seed: int = 0,
    kinds: Sequence[Relation] | None = None,
) -> UnlearningResult:
    """Live through `nights` of `facts`, delete and supersede some that were told on `from_night` (the last but one, if
    not given), and probe what the night after that leaves.

    The facts are of the relations `kinds`, for None all those of the synthetic stream. Memories are made in `folder`,
    which must be empty.

    Raises `InvalidInput` for numbers that do not fit each other."""
    chosen_night = max(1, nights - 1) if from_night is None else from_night
    if min(nights, facts) < 1 or min(deleted, superseded) < 0 or not 1 <= deleted + superseded <= facts:
        raise InvalidInput(
            f"{deleted} deleted and {superseded} superseded facts of a night of {facts}: let 1 or more go, and no more "
            f"than a night has"
        )
    if not 1 <= chosen_night <= nights:
        raise InvalidInput(f"night {chosen_night} of {nights}: choose one of them to forget from")
    tell = progress or (lambda line: None)
    rng = Random(seed)  # noqa: S311 - a reproducible draw, not a secret
    inventor = Inventor(rng)
    days = [
        [_invented(inventor, relation) for relation in _drawn(rng, kinds or relations(), facts)] for _ in range(nights)
    ]
    gone = [fact for fact, _ in days[chosen_night - 1][: deleted + superseded]]
    of_gone = [relation for _, relation in days[chosen_night - 1][: deleted + superseded]]
    updates = [_update(inventor, fact, kind) for fact, kind in list(zip(gone, of_gone, strict=True))[deleted:]]
    standing = [fact for day in days for fact, _ in day if fact not in gone]
    never = [_invented(inventor, kind)[0] for kind in of_gone for _ in range(NEVER_SEEN)]

    told, copied, untold = folder / "told", folder / "copy", folder / "untold"
    with open_memory(told) as memory:
        chosen = recipe if isinstance(recipe, Recipe) else recipes.load(recipe, memory.model.name)
        chosen = replace(chosen, seed=seed)
        for number, day in enumerate(days, start=1):
            report = _night(memory, chosen, [fact.text for fact, _ in day])
            tell(f"night {number} of {nights}: {report.status}, {report.seconds:.1f} s")
        before, member_before = _probed(memory, gone), _scores(memory, gone)
        unseen_before = _scores(memory, never)
        for fact in gone[:deleted]:
            memory.delete(next(e.id for e in memory.list(kind="episode", limit=1000) if e.text == fact.text))
        for text in updates:
            memory.add(text)
    shutil.copytree(told, copied)
    with open_memory(told) as memory:
        report = memory.dream(recipe=chosen)
        tell(f"unlearned: {report.status}, from {report.parent or 'the base'}, {report.seconds:.1f} s")
        unlearning = _cost(memory, report, standing)
        after, forgotten, unseen = _probed(memory, gone), _scores(memory, gone), _scores(memory, never)
        name = memory.model.name
    with open_memory(copied) as memory:
        active = memory.adapters.active()
        for record in memory.adapters.list():
            if record.files and (active is None or record.version != active.version):
                memory.adapters.remove(record.version)
        report = memory.dream(recipe=chosen)
        tell(f"retrained: {report.status}, from {report.parent or 'the base'}, {report.seconds:.1f} s")
        retraining = _cost(memory, report, standing)
    with open_memory(untold) as memory:
        for number, day in enumerate(days, start=1):
            report = _night(memory, chosen, [fact.text for fact, _ in day if fact not in gone])
            tell(f"control, night {number}: {report.status}, {report.seconds:.1f} s")
        _night(memory, chosen, updates)
        control = _probed(memory, gone)

    probes = {kind: compared(before[kind], after[kind], control[kind], seed) for kind in PROBES}
    membership = {
        score: inferred(member_before[score], unseen_before[score], forgotten[score], unseen[score], seed)
        for score in ("loss", "min_k")
    }
    trained = unlearning.trained_tokens
    return UnlearningResult(
        nights=nights,
        facts_per_night=facts,
        deleted=deleted,
        superseded=superseded,
        from_night=chosen_night,
        seed=seed,
        model=name,
        recipe=chosen.name,
        probes=probes,
        membership=membership,
        forgotten=all(probe.forgotten for probe in probes.values())
        and all(score.forgotten for score in membership.values()),
        unlearning=unlearning,
        retraining=retraining,
        token_ratio=retraining.trained_tokens / trained if trained else None,
    )


# the facts


def _drawn(rng: Random, every: Sequence[Relation], facts: int) -> list[Relation]:
    return [every[place % len(every)] for place in rng.sample(range(max(facts, len(every))), facts)]


def _invented(inventor: Inventor, relation: Relation) -> tuple[GoneFact, Relation]:
    subject, value = inventor.subject(relation.subject), inventor.value(relation.object)
    others = [value]
    for _ in range(ALTERNATIVES):
        others.append(inventor.value(relation.object, other_than=others))
    blank = relation.state(relation.statements[0], "...", value)
    return (
        GoneFact(
            text=relation.state(relation.statements[0], subject, value),
            subject=subject,
            value=value,
            questions=(relation.questions[0].format(s=subject), relation.questions[-1].format(s=subject)),
            reversed=f"Of whom or what is this true: {blank}",
            alternatives=tuple(others[1:]),
        ),
        relation,
    )


def _update(inventor: Inventor, fact: GoneFact, relation: Relation) -> str:
    value = inventor.value(relation.object, other_than=[fact.value, *fact.alternatives])
    return relation.state(relation.updates[0], fact.subject, value)


def _night(memory: HybridMemory, recipe: Recipe, texts: Sequence[str]) -> DreamReport:
    for text in texts:
        memory.add(text)
    return memory.dream(recipe=recipe)


# probing


def _probed(memory: HybridMemory, facts: Sequence[GoneFact]) -> dict[str, list[float]]:
    """By kind of probe: one number a fact, higher where the weights give more away."""
    model = memory.model
    with model.adapted(_weights(memory)):
        asked = [prompts.answer(question) for fact in facts for question in (*fact.questions, fact.reversed)]
        said = [each.text for each in model.generate(asked, max_new_tokens=16)]
        choices = [(fact.questions[0], value) for fact in facts for value in (fact.value, *fact.alternatives)]
        found = _logprobs(model, choices)
    width = 1 + ALTERNATIVES
    result: dict[str, list[float]] = {kind: [] for kind in PROBES}
    for place, fact in enumerate(facts):
        direct, paraphrase, backwards = said[3 * place : 3 * place + 3]
        result["direct"].append(float(is_correct(direct, fact.value)))
        result["paraphrase"].append(float(is_correct(paraphrase, fact.value)))
        result["reversed"].append(float(is_correct(backwards, fact.subject)))
        likelihoods = [float(np.mean(tokens)) for tokens in found[width * place : width * (place + 1)]]
        result["choice"].append(float(likelihoods[0] > max(likelihoods[1:])))
        result["logprob"].append(float(sum(found[width * place])))
    return result


def _scores(memory: HybridMemory, facts: Sequence[GoneFact]) -> dict[str, list[float]]:
    """Scores that are higher for what a model was trained on: the mean log-probability of the answers' tokens, and of
    the least likely of them."""
    with memory.model.adapted(_weights(memory)):
        pairs = [(question, fact.value) for fact in facts for question in fact.questions]
        found = _logprobs(memory.model, pairs)
    tokens = [[*found[2 * place], *found[2 * place + 1]] for place in range(len(facts))]
    return {"loss": [float(np.mean(each)) for each in tokens], "min_k": [min_k(each) for each in tokens]}


def min_k(logprobs: Sequence[float], share: float = MIN_K) -> float:
    """Min-K% Prob: the mean of the lowest `share` of the log-probabilities, of one at least.

    >>> min_k([-1.0, -4.0, -2.0, -3.0, -5.0], 0.4)
    -4.5
    """
    lowest = sorted(logprobs)[: max(1, int(len(logprobs) * share))]
    return float(np.mean(lowest))


def auc(members: Sequence[float] | NDArray[np.float64], others: Sequence[float] | NDArray[np.float64]) -> float:
    """The probability that a member scores above another, ties counting half (Mann and Whitney 1947).

    >>> auc([3.0, 2.0], [1.0, 2.0])
    0.875
    """
    left, right = np.asarray(members)[:, None], np.asarray(others)[None, :]
    return float(np.mean((left > right) + 0.5 * (left == right)))


def _weights(memory: HybridMemory) -> Path | None:
    active = memory.adapters.active()
    return memory.adapters.path(active.version) if active is not None else None


def _logprobs(model: LanguageModel, pairs: Sequence[tuple[str, str]]) -> list[list[float]]:
    return model.logprobs([prompts.answer(question) for question, _ in pairs], [value for _, value in pairs])


# figures


def compared(before: Sequence[float], after: Sequence[float], never: Sequence[float], seed: int) -> ProbeResult:
    """One probe's numbers, a fact each, as shares or nats; the intervals are over facts."""
    differences = [one - other for one, other in zip(after, never, strict=True)]
    low, high = metrics.bootstrap_interval([differences], seed=seed)
    mean = float(np.mean(differences))
    return ProbeResult(
        float(np.mean(before)), float(np.mean(after)), float(np.mean(never)), mean, (low, high), low <= 0.0
    )


def inferred(
    held: Sequence[float],
    unseen_before: Sequence[float],
    forgotten: Sequence[float],
    unseen: Sequence[float],
    seed: int,
) -> Membership:
    """What scores say of membership: before, of what was held; and after, of what was forgotten."""
    rng = np.random.default_rng(seed)
    members, others = np.asarray(forgotten), np.asarray(unseen)
    drawn = [auc(rng.choice(members, len(members)), rng.choice(others, len(others))) for _ in range(RESAMPLES)]
    low, high = (float(each) for each in np.quantile(drawn, [0.025, 0.975]))
    return Membership(auc(held, unseen_before), auc(forgotten, unseen), (low, high), low <= 0.5)


def _cost(memory: HybridMemory, report: DreamReport, standing: Sequence[GoneFact]) -> NightCost:
    recalled = _probed(memory, standing)["direct"] if standing else []
    return NightCost(
        parent=report.adapter if "went back" in report.reason else report.parent,
        status=report.status,
        seconds=report.seconds,
        trained_tokens=report.trained_tokens,
        steps=sum(int(step.counts.get("steps", 0)) for step in report.steps if step.name == "train"),
        standing_recalled=float(np.mean(recalled)) if recalled else 0.0,
    )
