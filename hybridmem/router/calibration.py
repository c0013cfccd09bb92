"""Calibrated heads, P(correct | route), and the confidence below which the router abstains.

Each head is a logistic regression fitted after every dream on audits that the training never saw, unanswerable
questions among them. Its Gaussian prior is centred on hand-set weights, so that a memory of a few facts has a sane
router and a large one a fitted one. The threshold is set by conformal risk control (Angelopoulos et al. 2022,
arXiv:2208.02814): the share of wrong answers among all questions stays below the chosen risk, in expectation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hybridmem.core.namespace import Namespace
from hybridmem.router.signals import prior_heads
from hybridmem.stores.ledger.state import State

PRIOR_STRENGTH = 4.0
HALVINGS = tuple(2.0**-n for n in range(30))
DEFAULT_THRESHOLD = 0.5
POOLED = 200
"""Questions on six weeks of lives (lab/weeks, 2026-11-29) that stand behind the default threshold where SmolLM2 with
its memory skills reads: with the prior's heads, 20 of them are answered wrongly."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One audited answer of one route."""

    features: Mapping[str, float]
    right: bool


@dataclass(frozen=True, slots=True)
class Calibration:
    """The heads' weights by route and feature, and the abstention threshold."""

    KEY: ClassVar[str] = "calibration"
    """Its name in the ledger."""
    VERSION: ClassVar[int] = 1
    """Of the stored form. What was written before there were versions is of version 0 and holds the same."""

    heads: Mapping[str, Mapping[str, float]] = field(default_factory=prior_heads)
    threshold: float = DEFAULT_THRESHOLD
    risk: float = 0.1
    feasible: bool = False
    """Whether enough audits stood behind the threshold to promise the risk; else it is the default."""
    observations: int = 0
    read_by: str = ""
    """The reader whose answers over memories the retrieval head was fitted on; "" for the memory's own model."""

    def confidence(self, route: str, features: Mapping[str, float]) -> float:
        """P(correct | route, features)"""
        weights = self.heads[route]
        logit = weights["bias"] + sum(weights[name] * value for name, value in features.items())
        return float(1 / (1 + np.exp(-logit)))

    def for_reader(self, name: str) -> Calibration:
        """What of it holds where `name` reads the memories: another reader's answers say nothing about its own."""
        if name == self.read_by:
            return self
        heads = {**self.heads, "retrieval": prior_heads()["retrieval"]}
        return replace(self, heads=heads, threshold=DEFAULT_THRESHOLD, feasible=False, read_by=name)

    def to_json(self) -> dict[str, Any]:
        return {
            "heads": {route: dict(head) for route, head in self.heads.items()},
            "threshold": self.threshold,
            "risk": self.risk,
            "feasible": self.feasible,
            "observations": self.observations,
            "read_by": self.read_by,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any], version: int = VERSION) -> Calibration:
        """What `to_json` of this release or an older one gave.

        A signal that it lacks takes the prior's weight, and one that no longer exists is dropped. A record of a newer
        version and a damaged one give the prior: they are no reason not to answer."""
        if version not in range(cls.VERSION + 1):
            return cls()
        try:
            return cls(
                heads={
                    route: {name: _number(raw["heads"][route].get(name, weight)) for name, weight in weights.items()}
                    for route, weights in prior_heads().items()
                },
                threshold=_number(raw["threshold"]),
                risk=_number(raw["risk"]),
                feasible=raw["feasible"] is True,
                observations=int(_number(raw["observations"])),
                read_by=str(raw.get("read_by", "")),
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            return cls()


def load(ledger: State, namespace: Namespace) -> Calibration:
    """As the last dream fitted it, or the prior."""
    return ledger.get_state(namespace, Calibration) or Calibration()


def _number(value: Any) -> float:
    """Raises `TypeError` or `ValueError` for anything that is no finite number."""
    if isinstance(value, bool) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no finite number")
    return float(value)


def fit(
    observed: Mapping[str, Sequence[Observation]], risk: float = 0.1, *, read_by: str = "", pooled: int = 0
) -> Calibration:
    """Heads and threshold from audited answers, by route; `read_by` as the field has it.

    `pooled` questions of other people stand behind the default threshold: a few audits, whose questions a model wrote,
    move it by their share of all. What they move less than the risk asks for is not promised."""
    heads = {route: _fit_head(weights, observed.get(route, ())) for route, weights in prior_heads().items()}
    unset = Calibration(heads)
    scored = [(unset.confidence(route, o.features), o.right) for route, answers in observed.items() for o in answers]
    threshold = conformal_threshold([c for c, _ in scored], [not ok for _, ok in scored], risk)
    if threshold is None:
        return Calibration(heads, DEFAULT_THRESHOLD, risk, False, len(scored), read_by)
    moved = DEFAULT_THRESHOLD + (threshold - DEFAULT_THRESHOLD) * len(scored) / (len(scored) + pooled)
    return Calibration(heads, moved, risk, moved >= threshold, len(scored), read_by)


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
