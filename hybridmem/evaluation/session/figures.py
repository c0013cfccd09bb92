"""The figures of a run, from one row for each question that each arm was asked.

Intervals are of a bootstrap over sessions, and over facts within each session that is drawn (Field and Welsh 2007):
answers about one fact, and about one session, stand and fall together. A difference is taken on the questions that both
arms were asked.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hybridmem import metrics
from hybridmem.evaluation.session.script import Kind, Phrasing

RESAMPLES = 1000


@dataclass(frozen=True, slots=True)
class Row:
    """What one arm answered to one question, and what that took."""

    session: int
    session_tokens: int
    arm: str
    question: str
    """Its id, which is unique within a session."""
    fact: str
    """The id of the fact that it is about, or of the question itself where no fact is."""
    kind: Kind
    phrasing: Phrasing
    behind: int
    """Tokens of the session after the fact."""
    said: str
    right: bool
    f1: float
    nats: float | None
    """Mean over the right answer's tokens; None where there is none."""
    refused: bool
    stale: bool
    """Whether it gave the value that was replaced, or the one that was deleted."""
    replaced: bool
    """Whether there is such a value."""
    seconds: float
    """To the first token."""
    processor_seconds: float
    read: int
    """Tokens, or keys, of the session that the question was read behind."""
    reading_processor_seconds: float
    """What the arm did with the session before any question, once a session."""
    nbytes: int
    """What the arm keeps of the session."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, and its 95% interval."""

    value: float
    low: float
    high: float
    of: int
    """Questions that it was measured on."""


@dataclass(frozen=True, slots=True)
class ArmFigures:
    """One arm over all of its questions; None where none was of the kind."""

    arm: str
    questions: int
    right: Estimate | None
    """Exact match, of what can be answered."""
    f1: float | None
    nats: float | None
    """Median over questions of the right answer's nats per token."""
    false: float | None
    """Of the questions that nothing answers, those not refused."""
    stale: float | None
    """Of what was replaced, the answers with the value before."""
    deleted: float | None
    """Of what was deleted, the answers that give it away."""
    seconds: float
    """Median to the first token."""
    processor_seconds: float
    """The same, in processor time."""
    reading_processor_seconds: float
    """Mean over sessions, before any question."""
    read: float
    """Mean tokens or keys of the session before a question."""
    nbytes: float
    """Mean over sessions."""
    by_phrasing: dict[str, float]
    """Exact match."""


def arm_figures(rows: Sequence[Row], arm: str, *, seed: int) -> ArmFigures:
    own = [row for row in rows if row.arm == arm]
    can = answerable(own)
    sessions = {row.session: row for row in own}.values()
    phrasings = dict.fromkeys(row.phrasing for row in can)
    nats = [row.nats for row in can if row.nats is not None]
    return ArmFigures(
        arm=arm,
        questions=len(own),
        right=estimate(can, right, seed=seed),
        f1=metrics.mean(row.f1 for row in can),
        nats=statistics.median(nats) if nats else None,
        false=metrics.mean(wrongly_answered(row) for row in unanswerable(own)),
        stale=metrics.mean(float(row.stale) for row in can if row.replaced),
        deleted=metrics.mean(float(row.stale) for row in own if row.kind == "deleted"),
        seconds=statistics.median(row.seconds for row in own),
        processor_seconds=statistics.median(row.processor_seconds for row in own),
        reading_processor_seconds=statistics.fmean(row.reading_processor_seconds for row in sessions),
        read=statistics.fmean(row.read for row in own),
        nbytes=statistics.fmean(row.nbytes for row in sessions),
        by_phrasing={
            phrasing: statistics.fmean(right(row) for row in can if row.phrasing == phrasing) for phrasing in phrasings
        },
    )


# what is counted


def right(row: Row) -> float:
    return float(row.right)


def nats(row: Row) -> float:
    assert row.nats is not None  # noqa: S101 - whoever asks keeps to what can be answered
    return row.nats


def wrongly_answered(row: Row) -> float:
    return float(not row.refused)


def answerable(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row.kind == "answerable"]


def unanswerable(rows: Iterable[Row]) -> list[Row]:
    """What nothing in the session answers, and never did."""
    return [row for row in rows if row.kind == "unanswerable"]


# estimates


def estimate(rows: Sequence[Row], figure: Callable[[Row], float], *, seed: int) -> Estimate | None:
    """The mean of `figure`; None without rows."""
    if not rows:
        return None
    places = _resampled(rows, seed)
    return _of(np.array([figure(row) for row in rows]), places, _mean)


def difference(
    rows: Sequence[Row], first: str, second: str, figure: Callable[[Row], float], *, seed: int
) -> Estimate | None:
    """The mean of `figure` of the arm `first`, less that of the arm `second`."""
    pairs = _paired(rows, first, second)
    if not pairs:
        return None
    values = np.array([figure(one) - figure(other) for one, other in pairs])
    return _of(values, _resampled([one for one, _ in pairs], seed), _mean)


def ratio_of_gains(rows: Sequence[Row], arm: str, most: str, least: str, *, seed: int) -> Estimate | None:
    """What proportion of the gain in nats of the arm `most` over `least` the arm `arm` has, on what all were asked."""
    found = _paired(rows, arm, most, least)
    if not found:
        return None
    values = np.array([[nats(row) for row in group] for group in found])

    def ratio(drawn: NDArray[np.float64]) -> float:
        own, best, worst = drawn.mean(axis=0)
        return float((worst - own) / (worst - best))

    return _of(values, _resampled([group[0] for group in found], seed), ratio)


def first_token(rows: Sequence[Row], slow: str, quick: str, *, seed: int) -> Estimate | None:
    """How many times as long the arm `slow` takes to the first token as `quick`: medians, in processor time."""
    pairs = _paired(rows, slow, quick)
    if not pairs:
        return None
    values = np.array([[one.processor_seconds, other.processor_seconds] for one, other in pairs])

    def ratio(drawn: NDArray[np.float64]) -> float:
        longer, shorter = np.median(drawn, axis=0)
        return float(longer / max(shorter, 1e-9))

    return _of(values, _resampled([one for one, _ in pairs], seed), ratio)


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean())


def _of(
    values: NDArray[np.float64],
    resamples: Sequence[NDArray[np.intp]],
    statistic: Callable[[NDArray[np.float64]], float],
) -> Estimate:
    low, high = np.quantile([statistic(values[places]) for places in resamples], [0.025, 0.975])
    return Estimate(statistic(values), float(low), float(high), len(values))


def _paired(rows: Sequence[Row], *arms: str) -> list[tuple[Row, ...]]:
    """The rows of each question that all of `arms` were asked, in the order of `arms`."""
    by_arm = {arm: {(row.session, row.question): row for row in rows if row.arm == arm} for arm in arms}
    return [
        tuple(by_arm[arm][question] for arm in arms)
        for question in by_arm[arms[0]]
        if all(question in by_arm[arm] for arm in arms)
    ]


def _resampled(rows: Sequence[Row], seed: int) -> list[NDArray[np.intp]]:
    """Places of the rows in each resample: sessions with replacement, and of each of these its facts."""
    places: dict[int, dict[str, list[int]]] = {}
    for place, row in enumerate(rows):
        places.setdefault(row.session, {}).setdefault(row.fact, []).append(place)
    sessions = [[np.array(fact, dtype=np.intp) for fact in facts.values()] for facts in places.values()]
    rng = np.random.default_rng(seed)
    found = []
    for _ in range(RESAMPLES):
        drawn = [sessions[at] for at in rng.integers(len(sessions), size=len(sessions))]
        facts = [each[at] for each in drawn for at in rng.integers(len(each), size=len(each))]
        found.append(np.concatenate(facts))
    return found
