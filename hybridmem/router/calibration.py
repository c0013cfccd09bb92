"""Calibrated heads, P(correct | route), and the confidence below which the router abstains.

Each head is a logistic regression fitted after every dream on questions whose answers are known: audits that the
training never saw, unanswerable ones among them, and questions with feedback. Its Gaussian prior is centred on hand-set
weights, so that a memory of a few facts has a sane router and a large one a fitted one. The threshold is set for the
risk that the namespace's policy names, on confidences that heads gave which had not seen the question's fact.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from hybridmem.core.namespace import Namespace
from hybridmem.core.policy import DEFAULT_RISK
from hybridmem.router.decision import Better, Reading, between
from hybridmem.router.risk import DEFAULT_THRESHOLD, NEVER, Judged, Level, raised, threshold_for
from hybridmem.router.signals import prior_heads
from hybridmem.stores.ledger.state import State

PRIOR_STRENGTH = 16.0
"""Of the heads' Gaussian prior. Audits ask what the exercises asked, which is not quite what people ask: at 4, those of
a night moved the heads past what its questions bear out (docs/router.md)."""
HALVINGS = tuple(2.0**-n for n in range(30))
FOLDS = 5
"""Parts of the facts that questions are about: heads that were fitted on the others judge each of them."""
HALF_POOLED = 100
"""A namespace's own questions beside which others' count half."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One route's answer to a question whose answer is known."""

    features: Mapping[str, float]
    right: bool


@dataclass(frozen=True, slots=True)
class Graded:
    """A question whose answer is known, as the router heard it. None stands for a reading that does not answer."""

    weights: Observation | None = None
    retrieval: Observation | None = None
    better: Better = ""
    """Which of them is believed."""
    group: str = ""
    """The fact that the question is about: questions of one fact are not independent of each other."""

    @classmethod
    def of(
        cls,
        weights: Reading | None,
        memories: Reading | None,
        is_right: Callable[[str], bool],
        group: str = "",
        better: Better | None = None,
    ) -> Graded:
        """Of two readings of the question, of which there may be none; `better` as `decide` takes it."""

        def observed(reading: Reading | None) -> Observation | None:
            if reading is None or reading.refuses:
                return None
            return Observation(reading.features, is_right(reading.said.text))

        return cls(
            observed(weights), observed(memories), between(weights, memories) if better is None else better, group
        )

    def judged(self, calibration: Calibration) -> Judged:
        """With the confidences of these heads."""

        def said(route: str, answer: Observation | None) -> tuple[float, bool] | None:
            return (calibration.confidence(route, answer.features), answer.right) if answer else None

        return Judged(said("weights", self.weights), said("retrieval", self.retrieval), self.better)

    def to_json(self) -> dict[str, Any]:
        """Figures to three places."""

        def told(answer: Observation | None) -> dict[str, Any] | None:
            if answer is None:
                return None
            return {"right": answer.right, "features": {name: round(v, 3) for name, v in answer.features.items()}}

        return {
            "weights": told(self.weights),
            "retrieval": told(self.retrieval),
            "better": self.better,
            "group": self.group,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Graded:
        def answer(told: Mapping[str, Any] | None) -> Observation | None:
            return Observation(dict(told["features"]), told["right"]) if told else None

        return cls(answer(raw["weights"]), answer(raw["retrieval"]), raw["better"], raw["group"])


@dataclass(frozen=True, slots=True)
class Calibration:
    """The heads' weights by route and feature, and the abstention threshold."""

    KEY: ClassVar[str] = "calibration"
    """Its name in the ledger."""
    VERSION: ClassVar[int] = 2
    """Of the stored form. Older ones lack what stands behind the threshold, which was chosen on the answers that the
    heads were fitted on: they keep their heads and promise nothing. Version 0 is from before versions."""

    heads: Mapping[str, Mapping[str, float]] = field(default_factory=prior_heads)
    threshold: float = DEFAULT_THRESHOLD
    risk: float = DEFAULT_RISK
    feasible: bool = False
    """Whether enough questions stand behind the threshold to promise the risk; else it is the default."""
    observations: int = 0
    read_by: str = ""
    """The reader whose answers over memories the retrieval head was fitted on; "" for the memory's own model."""
    levels: tuple[Level, ...] = ()
    """Of the questions behind the threshold that are answered wrongly at some threshold."""
    asked: float = 0.0
    """How many questions stand behind the threshold."""
    above: float = 0.0
    """Wrong answers above the promise, of the questions with feedback."""

    def confidence(self, route: str, features: Mapping[str, float]) -> float:
        """P(correct | route, features)"""
        weights = self.heads[route]
        logit = weights["bias"] + sum(weights.get(name, 0.0) * value for name, value in features.items())
        return float(1 / (1 + np.exp(-logit)))

    def at(self, risk: float) -> Calibration:
        """With the threshold for this `risk`; the same one where nothing is known of what stands behind it."""
        if not self.asked:
            return replace(self, risk=risk, feasible=self.feasible and risk >= self.risk)
        found = threshold_for(self.levels, self.asked, risk)
        # However much risk is allowed: an answer that is rather wrong than right helps nobody.
        threshold = max(found or 0.0, DEFAULT_THRESHOLD)
        return replace(self, threshold=raised(threshold, self.above), risk=risk, feasible=found is not None)

    def for_reader(self, name: str) -> Calibration:
        """What of it holds where `name` reads the memories: another reader's answers say nothing about its own."""
        if name == self.read_by:
            return self
        heads = {**self.heads, "retrieval": prior_heads()["retrieval"]}
        return Calibration(heads, risk=self.risk, read_by=name)

    def to_json(self) -> dict[str, Any]:
        return {
            "heads": {route: dict(head) for route, head in self.heads.items()},
            "threshold": self.threshold,
            "risk": self.risk,
            "feasible": self.feasible,
            "observations": self.observations,
            "read_by": self.read_by,
            "levels": [list(level) for level in self.levels],
            "asked": self.asked,
            "above": self.above,
        }

    @classmethod
    def from_json(cls, raw: Mapping[str, Any], version: int = VERSION) -> Calibration:
        """What `to_json` of this release or an older one gave.

        A signal that it lacks takes the prior's weight, and one that no longer exists is dropped. A record of a newer
        version and a damaged one give the prior: they are no reason not to answer."""
        if version not in range(cls.VERSION + 1):
            return cls()
        try:
            unknown = {"threshold": DEFAULT_THRESHOLD, "feasible": False, "levels": (), "asked": 0.0, "above": 0.0}
            behind: Mapping[str, Any] = raw if version > 1 else unknown
            return cls(
                heads={
                    route: {name: _number(raw["heads"][route].get(name, weight)) for name, weight in weights.items()}
                    for route, weights in prior_heads().items()
                },
                threshold=_number(behind["threshold"]),
                risk=_number(raw["risk"]),
                feasible=behind["feasible"] is True,
                observations=int(_number(raw["observations"])),
                read_by=str(raw.get("read_by", "")),
                levels=tuple((_number(level), _number(weight)) for level, weight in behind["levels"]),
                asked=_number(behind["asked"]),
                above=_number(behind["above"]),
            )
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            return cls()


def load(ledger: State, namespace: Namespace) -> Calibration:
    """As the last dream or the last feedback fitted it, or the prior."""
    return ledger.get_state(namespace, Calibration) or Calibration()


def _number(value: Any) -> float:
    """Raises `TypeError` or `ValueError` for anything that is no finite number."""
    if isinstance(value, bool) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no finite number")
    return float(value)


def fit(
    questions: Sequence[Graded], risk: float = DEFAULT_RISK, *, read_by: str = "", pooled: Sequence[Graded] = ()
) -> Calibration:
    """Heads from `questions` whose answers are known, and the threshold for `risk`; `read_by` as the field has it.

    The threshold rests on confidences of heads that were fitted without the questions about the same fact. `pooled` are
    questions of other memories: they stand behind the threshold while the namespace has few of its own, and the more it
    has, the less they count, half with `HALF_POOLED` of its own."""
    fitted = Calibration(_heads(questions))
    levels = [(question.judged(unseen).level, 1.0) for question, unseen in held_out(questions)]
    weight = HALF_POOLED / (HALF_POOLED + len(questions))
    levels += [(question.judged(fitted).level, weight) for question in pooled]
    return replace(
        fitted,
        observations=sum(answer is not None for each in questions for answer in (each.weights, each.retrieval)),
        read_by=read_by,
        levels=tuple(sorted((level for level in levels if level[0] > NEVER), reverse=True)),
        asked=len(questions) + weight * len(pooled),
    ).at(risk)


def held_out(questions: Sequence[Graded]) -> Iterator[tuple[Graded, Calibration]]:
    """Each question, with heads that were fitted without those about its fact, and some others."""
    part = {group: number % FOLDS for number, group in enumerate(dict.fromkeys(each.group for each in questions))}
    for fold in sorted(set(part.values())):
        unseen = Calibration(_heads([each for each in questions if part[each.group] != fold]))
        yield from ((each, unseen) for each in questions if part[each.group] == fold)


def _heads(questions: Sequence[Graded]) -> dict[str, dict[str, float]]:
    answers = {
        "weights": [each.weights for each in questions if each.weights],
        "retrieval": [each.retrieval for each in questions if each.retrieval],
    }
    return {route: _fit_head(prior, answers[route]) for route, prior in prior_heads().items()}


def _fit_head(prior: Mapping[str, float], observed: Sequence[Observation]) -> dict[str, float]:
    """Maximum a posteriori weights by Newton's method with halved steps; the prior itself with nothing to fit. A signal
    that an answer lacks counts as 0."""
    names = list(prior)
    mean = np.array([prior[n] for n in names])
    if not observed:
        return dict(prior)
    x = np.array([[1.0 if n == "bias" else o.features.get(n, 0.0) for n in names] for o in observed])
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
