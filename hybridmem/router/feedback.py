"""What is known of a namespace's own questions: audits, and those whose answer somebody told.

Figures alone are kept, no question and no answer: what is deleted leaves nothing of itself behind here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from hybridmem.core.namespace import Namespace
from hybridmem.router import calibration as calibrations
from hybridmem.router.calibration import Calibration, Graded
from hybridmem.router.risk import counted
from hybridmem.stores.ledger.state import State

MOST_ASKED = 200
"""Questions with feedback that are kept, the newest: what is asked changes."""


@dataclass(frozen=True, slots=True)
class GradedQuestions:
    """What the router's calibration of a namespace is fitted on."""

    KEY: ClassVar[str] = "graded_questions"
    VERSION: ClassVar[int] = 1

    audits: tuple[Graded, ...] = ()
    """Of the last dream."""
    asked: tuple[Graded, ...] = ()
    """Those with feedback, oldest first."""
    above: float = 0.0
    """Wrong answers above the promise, of those with feedback."""
    read_by: str = ""
    """Who read the memories, as a calibration has it."""

    def calibration(self, risk: float, pooled: Sequence[Graded]) -> Calibration:
        """Fitted on these questions, and on those of others."""
        fitted = calibrations.fit((*self.audits, *self.asked), risk, read_by=self.read_by, pooled=pooled)
        return replace(fitted, above=self.above).at(risk)

    def with_audits(self, audits: Sequence[Graded]) -> GradedQuestions:
        """After a dream."""
        return replace(self, audits=tuple(audits))

    def with_feedback(self, question: Graded, was_wrong: bool, risk: float) -> GradedQuestions:
        """After one more question whose answer somebody told."""
        asked = (*self.asked, question)[-MOST_ASKED:]
        return replace(self, asked=asked, above=counted(self.above, was_wrong, risk))

    def to_json(self) -> dict[str, Any]:
        return {
            "audits": [question.to_json() for question in self.audits],
            "asked": [question.to_json() for question in self.asked],
            "above": self.above,
            "read_by": self.read_by,
        }

    @classmethod
    def from_json(cls, content: Mapping[str, Any], version: int) -> GradedQuestions:
        return cls(
            audits=tuple(Graded.from_json(question) for question in content["audits"]),
            asked=tuple(Graded.from_json(question) for question in content["asked"]),
            above=content["above"],
            read_by=content["read_by"],
        )


def known(ledger: State, namespace: Namespace, read_by: str) -> GradedQuestions:
    """The graded questions of a namespace that this reader answered: none of another reader's."""
    found = ledger.get_state(namespace, GradedQuestions)
    return found if found and found.read_by == read_by else GradedQuestions(read_by=read_by)
