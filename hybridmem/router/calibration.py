"""Calibrated heads, P(correct | route), and the confidence below which the router abstains.

Each head is a logistic regression fitted after every dream on audits that the training never saw, unanswerable
questions among them. Its Gaussian prior is centred on hand-set weights, so that a memory of a few facts has a sane
router and a large one a fitted one. The threshold is set by conformal risk control (Angelopoulos et al. 2022,
arXiv:2208.02814): the share of wrong answers among all questions stays below the chosen risk, in expectation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

PRIOR: dict[str, dict[str, float]] = {
    "weights": {
        "bias": 0.4, "names_subject": 0.8, "audited": 1.0, "supported": 0.0, "margin": 0.1,
        "certainty": 1.2, "logprob": 0.5, "spread": 0.3,
    },
    "retrieval": {
        "bias": -0.2, "names_subject": 0.6, "audited": 0.0, "supported": 1.2, "margin": 0.1,
        "certainty": 1.4, "logprob": 0.6, "spread": 0.3,
    },
}  # fmt: skip
PRIOR_STRENGTH = 4.0
HALVINGS = tuple(2.0**-n for n in range(30))
DEFAULT_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class Observation:
    """One audited answer of one route."""

    features: Mapping[str, float]
    right: bool


@dataclass(frozen=True, slots=True)
class Calibration:
    """The heads' weights by route and feature, and the abstention threshold."""

    heads: Mapping[str, Mapping[str, float]] = field(default_factory=lambda: PRIOR)
    threshold: float = DEFAULT_THRESHOLD
    risk: float = 0.1
    feasible: bool = False
    """Whether enough audits stood behind the threshold to promise the risk; else it is the default."""
    observations: int = 0

    def confidence(self, route: str, features: Mapping[str, float]) -> float:
        """P(correct | route, features)"""
        weights = self.heads[route]
        return float(1 / (1 + np.exp(-weights["bias"] - sum(weights[k] * v for k, v in features.items()))))

    def to_json(self) -> dict[str, Any]:
        return {
            "heads": {route: dict(head) for route, head in self.heads.items()},
            "threshold": self.threshold,
            "risk": self.risk,
            "feasible": self.feasible,
            "observations": self.observations,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Calibration:
        return cls(**raw)


def fit(observed: Mapping[str, Sequence[Observation]], risk: float = 0.1) -> Calibration:
    """Heads and threshold from audited answers, by route."""
    heads = {route: _fit_head(PRIOR[route], observed.get(route, ())) for route in PRIOR}
    unset = Calibration(heads)
    scored = [(unset.confidence(route, o.features), o.right) for route, answers in observed.items() for o in answers]
    threshold = conformal_threshold([c for c, _ in scored], [not ok for _, ok in scored], risk)
    if threshold is None:
        return Calibration(heads, DEFAULT_THRESHOLD, risk, False, len(scored))
    return Calibration(heads, threshold, risk, True, len(scored))


def _fit_head(prior: Mapping[str, float], observed: Sequence[Observation]) -> dict[str, float]:
    """Maximum a posteriori weights by Newton's method with halved steps; the prior itself with nothing to fit."""
    names = list(prior)
    mean = np.array([prior[n] for n in names])
    if not observed:
        return dict(prior)
    x = np.array([[1.0 if n == "bias" else o.features[n] for n in names] for o in observed])
    y = np.array([float(o.right) for o in observed])

    def loss(w: NDArray[Any]) -> float:
        logits = x @ w
        return float(np.logaddexp(0, logits).sum() - y @ logits + PRIOR_STRENGTH / 2 * (w - mean) @ (w - mean))

    w = mean.copy()
    for _ in range(50):
        p = 1 / (1 + np.exp(-x @ w))
        gradient = x.T @ (p - y) + PRIOR_STRENGTH * (w - mean)
        hessian = (x.T * (p * (1 - p))) @ x + PRIOR_STRENGTH * np.eye(len(w))
        step = np.linalg.solve(hessian, gradient)
        # From a prior that is far off, a whole step lands where the sigmoid is flat, and the next one goes back.
        size = next((s for s in HALVINGS if loss(w - s * step) <= loss(w) - 1e-4 * s * gradient @ step), 0.0)
        w = w - size * step
        if np.abs(size * step).max() < 1e-8:
            break
    return dict(zip(names, w.tolist(), strict=True))


def conformal_threshold(confidences: Sequence[float], wrong: Sequence[bool], risk: float) -> float | None:
    """The lowest threshold t such that (n R(t) + 1) / (n + 1) <= risk, where R(t) is the share of all n questions that
    are answered (confidence >= t) and wrong. None when no threshold satisfies it: n is too small for that risk."""
    n = len(confidences)
    if (1.0 / (n + 1)) > risk:
        return None
    order = sorted(zip(confidences, wrong, strict=True), reverse=True)
    allowed = risk * (n + 1) - 1
    errors = 0
    # Above every confidence, 1.0 included, for the case that even the surest answer is one error too many.
    threshold = np.nextafter(order[0][0], np.inf).item() if order else DEFAULT_THRESHOLD
    for number, (confidence, is_wrong) in enumerate(order):
        errors += is_wrong
        if errors > allowed:
            return threshold
        last_of_ties = number + 1 == n or order[number + 1][0] < confidence
        if last_of_ties:
            threshold = confidence
    return min(threshold, DEFAULT_THRESHOLD)
