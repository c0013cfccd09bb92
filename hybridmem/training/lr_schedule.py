"""How long a training runs, and how large its steps are: rise, learn until the answers are known, cool down.

Warmup, plateau and decay as in Hu et al. 2024 (arXiv:2404.06395), whose decay may begin at any time: here it begins as
soon as the answers are known, so that a night of easy facts costs less and moves the weights less than a night of hard
ones. Where they never are, the decay takes the second half of the steps.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, field

from hybridmem.training.settings import TrainSettings

WINDOW = 3
"""Steps over whose mean the answers must be known."""
_LEAST_COOLING = 4


@dataclass(slots=True)
class LrSchedule:
    """A training's learning rates, step by step, and its end."""

    least: int
    most: int
    """Steps, if the answers are never known."""
    warmup: float
    stop_threshold: float
    known: list[float] = field(default_factory=list)
    """Share of the answers that were known in each of the last steps."""
    cooling: int | None = None
    """The step at which the rate began to fall."""

    @classmethod
    def of(cls, settings: TrainSettings, most: int) -> LrSchedule:
        return cls(min(settings.min_steps, most), most, settings.warmup, settings.stop_threshold)

    @property
    def steps(self) -> int:
        """All steps of this training, as far as can be said now."""
        if self.cooling is None or self.cooling >= self.most // 2:
            return self.most
        return min(self.most, max(self.least, self.cooling + max(_LEAST_COOLING, self.cooling // 2)))

    @property
    def fewest(self) -> int:
        """Steps of a training whose answers are known at once."""
        risen = max(WINDOW, math.ceil(self.warmup * self.most))
        return min(self.most, max(self.least, risen + max(_LEAST_COOLING, risen // 2)))

    def rate(self, step: int) -> float:
        """The factor of the learning rate at `step`, counted from 0: above 0 and at most 1."""
        risen = min(1.0, (step + 1) / max(1.0, self.warmup * self.most))
        if self.cooling is None:
            return risen
        return min(risen, (self.steps - step) / (self.steps - self.cooling + 1))

    def observe(self, step: int, known: float) -> None:
        """Take note of the share of answers that were `known` in `step`, which is over."""
        self.known = [*self.known, known][-WINDOW:]
        over = step + 1
        if self.cooling is None and over < self.most:
            risen = over >= self.warmup * self.most
            learned = len(self.known) == WINDOW and sum(self.known) / WINDOW >= self.stop_threshold
            if (risen and learned) or over >= self.most // 2:
                self.cooling = over

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> LrSchedule:
        return cls(**json.loads(text))
