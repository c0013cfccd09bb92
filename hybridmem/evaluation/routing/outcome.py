"""What came of one question: every way's answer, and what the router could see when it chose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from hybridmem.core.records import Answer, Route
from hybridmem.evaluation.routing.overhead import Overhead
from hybridmem.evaluation.routing.question import RouterQuestion
from hybridmem.models.base import Generation
from hybridmem.models.prompts import REFUSAL, is_refusal
from hybridmem.router.calibration import Calibration
from hybridmem.router.decision import Reading
from hybridmem.router.signals import Head

ROUTER, FULL_CONTEXT = "router", "full context"
FORCED: Mapping[str, Route | None] = {ROUTER: None, "weights": "weights", "retrieval": "retrieval", "both": "both"}
"""The ways that are asked of the router itself, by the route that is forced."""


@dataclass(frozen=True, slots=True)
class Said:
    """One way's answer."""

    text: str
    route: Route
    confidence: float
    """That the answer is right, or of a refusal that there is none."""
    prompt_tokens: int = 0
    seconds: float | None = None
    """None where the way was put together from others' answers, and never timed."""

    @property
    def refused(self) -> bool:
        return self.route == "abstain" or is_refusal(self.text)

    @classmethod
    def of(cls, answer: Answer) -> Said:
        return cls(answer.text, answer.route, answer.confidence, answer.prompt_tokens, answer.seconds)


ABSTAINED = Said(REFUSAL, "abstain", 1.0, 0, 0.0)


@dataclass(frozen=True, slots=True)
class Heard:
    """What the weights or the memories said, before any head judges it."""

    said: Generation
    features: Mapping[str, float]

    @classmethod
    def of(cls, reading: Reading | None) -> Heard | None:
        return Heard(reading.said, reading.features) if reading else None

    @property
    def refuses(self) -> bool:
        return is_refusal(self.said.text)

    def judged(self, calibration: Calibration, head: Head) -> Reading:
        """The reading that the router would have had with this calibration."""
        return Reading(self.said, calibration.confidence(head, self.features), self.features)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One question of one seed's stream."""

    seed: int
    question: RouterQuestion
    said: Mapping[str, Said]
    """By way: those of `FORCED`, and the full context."""
    weights: Heard | None
    """None where the ledger's evidence does not let the weights be asked."""
    memories: Heard | None
    """None where the search found nothing."""
    closed_book: Heard | None
    """What the weights say whatever the evidence; None where what they may hold was deleted or changed."""
    consolidated: bool
    """Whether the nearest fact, of a subject that the question names if it can be, is in the weights and holds."""
    popularity: int
    """How many memories name what the question names."""
    overhead: Overhead | None = None
    """What the router's answer took beside the search and the model; None in results of an earlier version."""

    @property
    def cluster(self) -> tuple[int, str]:
        """Whose outcomes stand and fall together."""
        return self.seed, self.question.fact

    def is_right(self, said: Said) -> bool:
        return self.question.is_right(said.text, said.refused)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> Outcome:
        return cls(
            **{
                **raw,
                "question": RouterQuestion.from_json(raw["question"]),
                "said": {way: Said(**said) for way, said in raw["said"].items()},
                **{name: _heard(raw[name]) for name in ("weights", "memories", "closed_book")},
                "overhead": Overhead(**raw["overhead"]) if raw.get("overhead") else None,
            }
        )


def _heard(raw: Mapping[str, Any] | None) -> Heard | None:
    return Heard(Generation(**raw["said"]), dict(raw["features"])) if raw else None
