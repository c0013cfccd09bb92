"""Every figure that hybridmem reports, one definition each: pure functions of plain numbers.

The retention matrix R is a list of rows, one for each night: ``R[i][j]`` is the accuracy on night j's facts after
night i (both counted from 0 here, from 1 in the formulas), or None where it was not measured. What stands above
the diagonal is None, but for ``R[j - 1][j]``, which forward transfer needs. ``b[j]`` is the base's accuracy on night
j's facts before any night. T is the number of nights.

A mean leaves out the pairs of which either side was not measured, and is None where nothing is left to average.
"""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import comb, fsum, isfinite, log2, sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hybridmem.core.errors import InvalidInput

Cell = float | None
Matrix = Sequence[Sequence[Cell]]

_Z95 = 1.959963984540054
"""The normal distribution's two-sided 95% point."""
_ARTICLES = frozenset({"a", "an", "the"})
_PREPOSITIONS = frozenset(
    {"about", "around", "as", "at", "by", "for", "from", "in", "inside", "into", "near", "of", "on", "since", "to"}
    | {"until", "under", "via", "with"}
)
_KEPT = frozenset("+#")
_KEPT_BETWEEN_DIGITS = frozenset(".:/-")
_APOSTROPHES = str.maketrans({"’": "'", "‘": "'"})


# answers


def normalised_answer(text: str) -> str:
    """`text` for comparison, as SQuAD does it (Rajpurkar et al. 2016, arXiv:1606.05250): lower case, without
    punctuation and articles, single spaces.

    Stricter than SQuAD where its rule makes different values equal: ``+`` and ``#`` stay (C, C++ and C# differ), and so
    do the marks between two digits (3.5 is not 35), a minus sign, and an article that is all there is (vitamin A).

    >>> normalised_answer("The Blue  Harbour!")
    'blue harbour'
    """
    folded = unicodedata.normalize("NFKC", text).casefold().translate(_APOSTROPHES)
    kept = "".join(character for at, character in enumerate(folded) if _is_kept(folded, at, character))
    words = kept.split()
    return " ".join([word for word in words if word not in _ARTICLES] or words)


def _is_kept(text: str, at: int, character: str) -> bool:
    if character in _KEPT or (
        character not in string.punctuation and not unicodedata.category(character).startswith("P")
    ):
        return True
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    if not after.isdigit():
        return False
    return (before.isdigit() and character in _KEPT_BETWEEN_DIGITS) or (character == "-" and not before.strip())


def is_correct(answer: str, expected: str) -> bool:
    """Whether `answer` is `expected`: equal once normalised, or equal but for one preposition in front of the answer.

    A long answer that merely contains the expected value is wrong.

    >>> is_correct("In Riga.", "Riga"), is_correct("Riga or Oslo", "Riga")
    (True, False)
    """
    said, wanted = normalised_answer(answer), normalised_answer(expected)
    if not said or not wanted:
        return False
    first, _, rest = said.partition(" ")
    return said == wanted or (first in _PREPOSITIONS and rest == wanted)


# retention


def acc(R: Matrix) -> Cell:
    """ACC = mean_j R[T, j] (Lopez-Paz and Ranzato 2017, arXiv:1706.08840)."""
    return mean(_at(R, len(R) - 1, j) for j in range(len(R)))


def learning_gain(R: Matrix, b: Sequence[Cell]) -> Cell:
    """mean_j (R[j, j] − b_j): what a night teaches, before anything can be forgotten."""
    return mean(_minus(_at(R, j, j), b[j]) for j in range(len(R)))


def bwt(R: Matrix) -> Cell:
    """Backward transfer = mean_{j<T} (R[T, j] − R[j, j]) (arXiv:1706.08840). Below zero: later nights cost."""
    last = len(R) - 1
    return mean(_minus(_at(R, last, j), _at(R, j, j)) for j in range(last))


def forgetting(R: Matrix) -> Cell:
    """mean_{j<T} (max_{j≤l<T} R[l, j] − R[T, j]) (Chaudhry et al. 2018, arXiv:1801.10112). Lower is better."""
    last = len(R) - 1
    return mean(_minus(_max(_at(R, i, j) for i in range(j, last)), _at(R, last, j)) for j in range(last))


def fwt(R: Matrix, b: Sequence[Cell]) -> Cell:
    """Forward transfer = mean_{j≥2} (R[j−1, j] − b_j) (arXiv:1706.08840): what earlier nights do for facts to come.

    Near zero is right for facts that nothing foretells; well above it, the questions leak their answers.
    """
    return mean(_minus(_at(R, j - 1, j), b[j]) for j in range(1, len(R)))


def accuracy_by_age(R: Matrix) -> list[Cell]:
    """mean_j R[j + l, j] for l = 0 .. T−1: the accuracy on facts that are l nights old."""
    nights = len(R)
    return [mean(_at(R, j + age, j) for j in range(nights - age)) for age in range(nights)]


def retention(R: Matrix, b: Sequence[Cell]) -> list[Cell]:
    """Σ_j (R[j + l, j] − b_j) / Σ_j (R[j, j] − b_j) for l = 0 .. T−1, both sums over the nights seen at age l.

    The share of what was gained that is left after l nights; None where nothing was gained.
    """
    curve: list[Cell] = []
    for age in range(len(R)):
        pairs = [
            (now, start)
            for j in range(len(R) - age)
            if (now := _minus(_at(R, j + age, j), b[j])) is not None
            and (start := _minus(_at(R, j, j), b[j])) is not None
        ]
        gained = sum(start for _, start in pairs)
        curve.append(sum(now for now, _ in pairs) / gained if gained > 0 else None)
    return curve


def half_life(R: Matrix, b: Sequence[Cell]) -> Cell:
    """Nights until R[i, j] − b_j halves: where `retention` first reaches 0.5, linear between nights.

    None where it never does within the nights measured: the half-life is longer than T − 1, or nothing was learned.
    """
    measured = [(age, left) for age, left in enumerate(retention(R, b)) if left is not None]
    if not measured or measured[0][0] != 0:
        return None
    for (since, before), (age, left) in pairwise(measured):
        if left <= 0.5:
            return since + (before - 0.5) / (before - left) * (age - since)
    return None


def bootstrap_interval(
    groups: Sequence[Sequence[float]], *, seed: int, resamples: int = 2000, level: float = 0.95
) -> tuple[float, float]:
    """Percentile interval of the mean of the groups' means, facts resampled within their group (Efron 1979).

    A group is a night, its values one accuracy for each fact: the interval of ACC. Empty groups are left out; with no
    value at all it raises `InvalidInput`.
    """
    filled = [np.asarray(group, dtype=float) for group in groups if len(group)]
    if not filled:
        raise InvalidInput("a bootstrap needs at least one value: pass the accuracy of each fact")
    if not 0 < level < 1 or resamples < 1:
        raise InvalidInput(f"level {level} is not between 0 and 1, or resamples {resamples} is not positive")
    rng = np.random.default_rng(seed)
    means = np.mean(
        [group[rng.integers(len(group), size=(resamples, len(group)))].mean(axis=1) for group in filled], axis=0
    )
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def cluster_resamples(clusters: Sequence[Hashable], *, seed: int, resamples: int = 1000) -> list[NDArray[np.intp]]:
    """Places of the values in each resample, where whole clusters are drawn with replacement (Field and Welsh 2007).

    `clusters` names the cluster of each value: answers about one fact stand and fall together. Statistics of one and
    the same resample may be compared with each other. Raises `InvalidInput` without a value."""
    if not clusters or resamples < 1:
        raise InvalidInput("a bootstrap needs at least one value and one resample: pass the cluster of each value")
    places: dict[Hashable, list[int]] = {}
    for place, cluster in enumerate(clusters):
        places.setdefault(cluster, []).append(place)
    members = [np.asarray(each, dtype=np.intp) for each in places.values()]
    rng = np.random.default_rng(seed)
    return [
        np.concatenate([members[drawn] for drawn in rng.integers(len(members), size=len(members))])
        for _ in range(resamples)
    ]


def percentile_interval(values: Iterable[Cell], level: float = 0.95) -> tuple[float, float] | None:
    """The middle `level` of a statistic's values over resamples; None where no resample has one."""
    measured = [value for value in values if value is not None]
    if not measured:
        return None
    low, high = np.quantile(measured, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def wilson_interval(successes: int, trials: int) -> tuple[float, float]:
    """95% interval of a share: of `successes` among `trials` independent ones (Wilson 1927).

    Unlike the textbook's ± it stays within 0 and 1, and is no point where all or none succeed. Raises `InvalidInput`.

    >>> tuple(round(bound, 3) for bound in wilson_interval(18, 20))
    (0.699, 0.972)
    """
    if not 0 <= successes <= trials or trials < 1:
        raise InvalidInput(f"{successes} of {trials} is no share: pass at least one trial, and no more successes")
    rate, spread = successes / trials, _Z95**2 / trials
    centre, half = rate + spread / 2, _Z95 * sqrt(rate * (1 - rate) / trials + spread / (4 * trials))
    # Rounding would leave a hair between a bound and the end of the scale that it stands at.
    low = (centre - half) / (1 + spread) if successes else 0.0
    high = (centre + half) / (1 + spread) if successes < trials else 1.0
    return low, high


@dataclass(frozen=True, slots=True)
class Proportion:
    """`value` is the proportion of `of` cases; it lies between `low` and `high` at 95% (Wilson)."""

    value: float
    low: float
    high: float
    of: int


def observed_proportion(marks: Iterable[bool]) -> Proportion | None:
    """The proportion of `marks` that are true, and how sure it is; None where there are none."""
    counted = list(marks)
    if not counted:
        return None
    low, high = wilson_interval(sum(counted), len(counted))
    return Proportion(sum(counted) / len(counted), low, high, len(counted))


def most_by_chance(n: int, share: float, level: float = 0.975) -> int:
    """The number that a binomial count of `n` with this `share` exceeds with probability 1 - `level` at most."""
    below, count = 0.0, 0
    while (below := below + comb(n, count) * share**count * (1 - share) ** (n - count)) < level and count < n:
        count += 1
    return count


# side effects: shares of questions. Without a question there is no share, and they raise `InvalidInput`.


def locality(answers: Sequence[str], base_answers: Sequence[str]) -> float:
    """Share of unrelated questions that are answered as the base answers them, once normalised
    (Yao et al. 2023, arXiv:2305.13172)."""
    return proportion(
        normalised_answer(now) == normalised_answer(before) for now, before in zip(answers, base_answers, strict=True)
    )


def false_answer_rate(refused: Sequence[bool]) -> float:
    """answered ∧ unanswerable / unanswerable: `refused` says of each unanswerable question whether it was refused."""
    return proportion(not one for one in refused)


def stale_answer_rate(answers: Sequence[str], old: Sequence[Collection[str]]) -> float:
    """answered with a superseded value ∧ superseded / superseded: `old` holds each question's superseded values."""
    return proportion(
        any(is_correct(answer, value) for value in values) for answer, values in zip(answers, old, strict=True)
    )


def deleted_answer_rate(answers: Sequence[str], deleted: Sequence[Collection[str]]) -> float:
    """answered with a deleted value ∧ deleted / deleted: `deleted` holds each question's deleted values."""
    return stale_answer_rate(answers, deleted)


def drift(adapted: ArrayLike, base: ArrayLike) -> float:
    """mean(adapted) − mean(base), nats per token: cross-entropy on held-out general text with the adapter − without.

    Both hold the negative natural log-probability of each token of the same text, shape (tokens,).
    """
    with_adapter, without = _same_length(adapted, base)
    return float(with_adapter.mean() - without.mean())


def mean_kl(base: ArrayLike, adapted: ArrayLike) -> float:
    """mean over tokens of KL(base ‖ adapted) = Σ_v p_base (ln p_base − ln p_adapted), in nats.

    Both hold natural log-probabilities, shape (tokens, vocabulary).
    """
    before, after = _same_length(base, adapted)
    probability = np.exp(before)
    terms = np.where(probability > 0, probability * (np.where(probability > 0, before, 0) - after), 0)
    return float(terms.sum(axis=-1).mean())


def pareto_frontier(points: Sequence[tuple[float, float]]) -> list[int]:
    """Which of `points`, each (cost, value), no other beats, by their places and the cheapest first: a point is beaten
    by one that costs no more and is worth no less, and is better in one of the two.

    >>> pareto_frontier([(0.3, 0.9), (0.1, 0.5), (0.2, 0.4), (0.3, 0.8)])
    [1, 0]
    """
    kept: list[int] = []
    for at in sorted(range(len(points)), key=lambda at: (points[at][0], -points[at][1])):
        if not kept or points[at][1] > points[kept[-1]][1] or points[at] == points[kept[-1]]:
            kept.append(at)
    return kept


# retrieval


def recall_at_k(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """|relevant ∩ first k of ranked| / |relevant|, for one query. Raises `InvalidInput` where nothing is relevant."""
    wanted = set(relevant)
    if not wanted or k < 1:
        raise InvalidInput(f"recall@{k} needs k of 1 or more and a relevant memory: leave such questions out")
    return len(wanted.intersection(ranked[:k])) / len(wanted)


def ndcg_at_k(ranked: Sequence[str], relevant: Collection[str], k: int) -> float:
    """Normalised discounted cumulative gain of the first k of `ranked`, for one query (Järvelin and Kekäläinen 2002,
    doi:10.1145/582415.582418): what is relevant gains 1 / log2(rank + 1) where it is named first. 1 is the best order.
    Raises `InvalidInput` where nothing is relevant.

    >>> ndcg_at_k(["a", "x"], {"a"}, 5), round(ndcg_at_k(["x", "a", "a"], {"a"}, 5), 3)
    (1.0, 0.631)
    """
    wanted = set(relevant)
    if not wanted or k < 1:
        raise InvalidInput(f"nDCG@{k} needs k of 1 or more and a relevant memory: leave such questions out")
    first = {place: rank for rank, place in reversed(list(enumerate(ranked[:k])))}
    gained = fsum(1 / log2(first[place] + 2) for place in wanted if place in first)
    return gained / fsum(1 / log2(rank + 2) for rank in range(min(k, len(wanted))))


# calibration


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers of like confidence."""

    confidence: float
    """Their mean."""
    accuracy: float
    of: int


def reliability(confidences: ArrayLike, correct: ArrayLike, bins: int = 15) -> list[Bin]:
    """What a reliability diagram shows: bins of equal mass, the least confident answers first.

    Equal confidences share the bin of the first of them, so that the order of the answers does not matter."""
    confidence, outcome = _same_length(confidences, correct)
    if bins < 1:
        raise InvalidInput(f"{bins} bins: calibration needs at least one")
    rank = np.searchsorted(np.sort(confidence), confidence, side="left")
    bin_of = rank * bins // confidence.size
    return [
        Bin(
            float(confidence[bin_of == each].mean()), float(outcome[bin_of == each].mean()), int((bin_of == each).sum())
        )
        for each in np.unique(bin_of)
    ]


def ece(confidences: ArrayLike, correct: ArrayLike, bins: int = 15) -> float:
    """Expected calibration error over the bins of `reliability`: Σ_b |B_b|/n · |mean confidence − accuracy|
    (Naeini et al. 2015; equal mass as in Nguyen and O'Connor 2015, arXiv:1508.05154)."""
    made = reliability(confidences, correct, bins)
    return sum(each.of * abs(each.confidence - each.accuracy) for each in made) / sum(each.of for each in made)


def ece_of_calibrated(confidences: ArrayLike, bins: int = 15, draws: int = 200) -> float:
    """The `ece` that so many answers of these confidences show on average where every confidence is exactly right, each
    answer being right with that probability. An error of no more than that says nothing against a calibration."""
    confidence = np.asarray(confidences, dtype=float)
    chance = np.random.default_rng(0)
    return float(np.mean([ece(confidence, chance.random(confidence.size) < confidence, bins) for _ in range(draws)]))


def brier(confidences: ArrayLike, correct: ArrayLike) -> float:
    """mean (confidence − correct)² (Brier 1950). Lower is better."""
    confidence, outcome = _same_length(confidences, correct)
    return float(np.mean((confidence - outcome) ** 2))


# answering some and not others


def risk_coverage(confidences: ArrayLike, wrong: ArrayLike, of: int) -> list[tuple[float, float]]:
    """Points (coverage, risk), the surest answers first: the share of `of` questions that is answered when answers
    below a confidence are withheld, and the share of those answers that is wrong (El-Yaniv and Wiener 2010).

    Questions that were not answered are among `of` and not among the `confidences`. Among answers of one confidence,
    the wrong ones count as spread evenly."""
    mistakes = _mistakes(confidences, wrong, of)
    return [((k + 1) / of, float(found) / (k + 1)) for k, found in enumerate(mistakes)]


def aurc(confidences: ArrayLike, wrong: ArrayLike) -> float:
    """Area under the risk-coverage curve: the mean risk over the numbers of answers from one to all
    (Geifman et al. 2019, arXiv:1805.08206). Lower is better; it says nothing of questions that were never answered."""
    mistakes = _mistakes(confidences, wrong, None)
    return float(np.mean(mistakes / np.arange(1, mistakes.size + 1)))


def augrc(confidences: ArrayLike, wrong: ArrayLike, of: int) -> float:
    """Area under the generalised risk-coverage curve, whose risk is the share of all `of` questions that is answered
    and wrong (Traub et al. 2024, arXiv:2407.01032). Lower is better.

    What was not answered adds no risk, so that ways which answer different questions can be compared."""
    mistakes = _mistakes(confidences, wrong, of)
    return float(mistakes.sum() + (of - mistakes.size) * mistakes[-1]) / of**2


def _mistakes(confidences: ArrayLike, wrong: ArrayLike, of: int | None) -> NDArray[np.float64]:
    """How many of the k surest answers are wrong, for k from one to all."""
    confidence, mistaken = _same_length(confidences, wrong)
    if of is not None and of < confidence.size:
        raise InvalidInput(f"{confidence.size} answers to {of} questions: pass the number of all questions")
    levels, group = np.unique(-confidence, return_inverse=True)
    share = np.bincount(group, weights=mistaken, minlength=levels.size) / np.bincount(group, minlength=levels.size)
    return np.cumsum(share[np.sort(group)])


# economics


def break_even(dream_cost: float, retrieval_cost: float, weights_cost: float) -> Cell:
    """N* = cost of the dream / (cost of a retrieval answer − cost of a weights answer), all in one unit.

    The number of questions after which the night has paid for itself; None where it never does.
    """
    saved = retrieval_cost - weights_cost
    return dream_cost / saved if saved > 0 else None


# means


def mean(cells: Iterable[Cell]) -> Cell:
    """The mean of the `cells` that were measured; None where none was."""
    measured = [cell for cell in cells if cell is not None]
    return sum(measured) / len(measured) if measured else None


def finite(value: Cell) -> Cell:
    """`value`, or None where it is no number: a training that diverged leaves none.

    >>> finite(0.5), finite(float("nan")), finite(float("inf"))
    (0.5, None, None)
    """
    return value if value is not None and isfinite(value) else None


def proportion(outcomes: Iterable[bool]) -> float:
    """The share of `outcomes` that are true. Raises `InvalidInput` for none at all."""
    counted = [bool(outcome) for outcome in outcomes]
    if not counted:
        raise InvalidInput("a share of no questions is not a number: pass at least one question")
    return sum(counted) / len(counted)


# helpers


def _at(R: Matrix, i: int, j: int) -> Cell:
    return R[i][j] if j < len(R[i]) else None


def _minus(left: Cell, right_hand: Cell) -> Cell:
    return None if left is None or right_hand is None else left - right_hand


def _max(cells: Iterable[Cell]) -> Cell:
    return max((cell for cell in cells if cell is not None), default=None)


def _same_length(left: ArrayLike, right_hand: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    one, other = np.asarray(left, dtype=float), np.asarray(right_hand, dtype=float)
    if one.shape != other.shape or not one.size:
        raise InvalidInput(f"shapes {one.shape} and {other.shape}: both must be equal, and hold something")
    return one, other
