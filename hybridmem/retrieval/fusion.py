"""Several searchers' scores as one: a weighted sum of z-scores (Fox and Shaw's CombSUM over standardised lists).

>>> fused = fuse({"dense": {"a": 0.9, "b": 0.1}, "lexical": {"a": 3.0}}, {"dense": 1.0, "lexical": 0.5})
>>> fused.ranking()
['a', 'b']
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

BEYOND = 0.25
"""What a standard deviation beyond a searcher's limit counts."""


@dataclass(frozen=True, slots=True)
class Fused:
    """What each searcher contributes to each candidate."""

    contributions: Mapping[str, Mapping[str, float]]
    """By candidate, then by searcher; they add up to its score."""
    unlisted: Mapping[str, float]
    """By searcher: what a memory gets that no searcher named."""

    def of(self, id: str) -> Mapping[str, float]:
        """The contributions to any memory, named by a searcher or not."""
        return self.contributions.get(id, self.unlisted)

    def score(self, id: str) -> float:
        return math.fsum(self.of(id).values())

    def ranking(self) -> list[str]:
        """The candidates, best first; equal ones in the order of their ids."""
        scores = {id: self.score(id) for id in self.contributions}
        return sorted(scores, key=lambda id: (-scores[id], id))


def fuse(
    found: Mapping[str, Mapping[str, float]],
    weights: Mapping[str, float],
    floors: Mapping[str, float] | None = None,
    apart: Collection[str] = (),
    limits: Mapping[str, float] | None = None,
) -> Fused:
    """Fuse the scores that each searcher `found`, by candidate.

    A candidate that a searcher did not name counts with the lowest score of its list, or with the searcher's entry in
    `floors` where that is lower (0 for a list of words that was not cut off). A searcher that names nothing, or gives
    all candidates the same score, contributes 0. Scores that are not finite count as not named. Weights are not
    negative.

    Candidates that stand `apart` are measured by the others, with no say in what is near and what is far, and get no
    more from a searcher than the best of those.

    A z-score above the searcher's entry in `limits` counts a quarter from there on. Where few candidates have a score
    at all, that of the best is no measure of how good it is: of one in two hundred it is 14.

    A candidate that scores at least as high as another with every searcher never ranks below it."""
    lists = {
        name: {id: score for id, score in scores.items() if math.isfinite(score)} for name, scores in found.items()
    }
    candidates = sorted({id for scores in lists.values() for id in scores})
    measured = [id for id in candidates if id not in apart] or candidates
    by_searcher = {
        name: _standardised(
            scores,
            candidates,
            measured,
            weights[name],
            (floors or {}).get(name, math.inf),
            (limits or {}).get(name, math.inf),
        )
        for name, scores in lists.items()
    }
    return Fused(
        {id: {name: values[id] for name, (values, _) in by_searcher.items()} for id in candidates},
        {name: missing for name, (_, missing) in by_searcher.items()},
    )


def _standardised(
    scores: Mapping[str, float],
    candidates: list[str],
    measured: list[str],
    weight: float,
    floor: float,
    limit: float,
) -> tuple[dict[str, float], float]:
    """(weight times z-score of each candidate among the `measured`, the same of one that is not named)."""
    if not scores:
        return dict.fromkeys(candidates, 0.0), 0.0
    missing = min(floor, *([scores[id] for id in measured if id in scores] or scores.values()))
    # halving the largest keeps the squares below from overflowing
    known = [scores.get(id, missing) for id in measured]
    scale = 2 * max(abs(missing), *map(abs, known)) or 1.0
    values = [score / scale for score in known]
    lowest, highest = missing / scale, max(values)
    mean = math.fsum(values) / len(values)
    deviation = math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values))
    if deviation < 1e-12:
        return dict.fromkeys(candidates, 0.0), 0.0

    def counted(value: float) -> float:
        z = (value - mean) / deviation
        return weight * (z if z <= limit else limit + BEYOND * (z - limit))

    return (
        {id: counted(max(min(scores.get(id, missing) / scale, highest), lowest)) for id in candidates},
        counted(lowest),
    )
