"""What a reader other than the memory's own model would take for the coming night, by step, at the last night's rates.

On a first night the rates are those of short plain messages, rounded up: twenty of them with one fact each took 14
calls and 1,300 prompt tokens a message, and 9 calls and 800 prompt tokens a fact. A long message is read in pieces.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from hybridmem.core.records import DreamReport, Episode, ReaderUsage, Step
from hybridmem.dreaming.reader_bound import within_bound
from hybridmem.dreaming.reading.source import pieces
from hybridmem.dreaming.recipes import Recipe
from hybridmem.models import skills
from hybridmem.models.reader import CHARACTERS_A_TOKEN, Reader, ReaderSettings

ENOUGH = 5
"""Units of a step in the last night from which its rate is taken."""


@dataclass(frozen=True, slots=True)
class _Rate:
    """What one unit of a step takes."""

    calls: float
    prompt_tokens: float
    completion_tokens: float

    def of(self, units: int) -> ReaderUsage:
        return ReaderUsage(
            round(self.calls * units),
            round(self.prompt_tokens * units),
            round(self.completion_tokens * units),
            estimated_calls=round(self.calls * units),
        )


FIRST_NIGHT = {
    "ask": _Rate(4, 500, 15),
    "extract": _Rate(16, 2_000, 80),
    "compose": _Rate(10, 1_000, 120),
    "gate": _Rate(1.3, 200, 5),
}
"""By step. A unit is a question of truth, a piece of a message, a new fact, and a question that the router is asked."""


def reader_steps(
    reader: Reader, recipe: Recipe, waiting: Sequence[Episode], new_facts: int, before: Sequence[DreamReport]
) -> tuple[Step, ...]:
    """The steps in which `reader` would be asked, `waiting` and `new_facts` given. `before` are the nights so far."""
    settings: ReaderSettings = getattr(reader, "settings", None) or ReaderSettings()
    chosen = within_bound(recipe, settings.max_reader_tokens)
    cut = sum(len(pieces(episode.text)) for episode in waiting)
    asks = chosen.gate is not None and skills.supports(reader, "propositions") and chosen.extract != "triples"
    questions = min(cut, chosen.reading.truth_questions) if asks else 0
    audits = min(2 * new_facts, 2 * chosen.eval.calibration_questions)
    units = {"ask": questions, "extract": cut, "compose": new_facts, "gate": (questions + audits) if new_facts else 0}
    found = []
    for name, count in units.items():
        took = (_last_rate(name, before) or FIRST_NIGHT[name]).of(count)
        if name == "extract":
            # A long message is a longer prompt, too.
            own = sum(len(episode.text) for episode in waiting) // CHARACTERS_A_TOKEN
            took = replace(took, prompt_tokens=max(took.prompt_tokens, own))
        cost = settings.cost(took.prompt_tokens, took.completion_tokens)
        if count:
            found.append(Step(name, 0.0, took.tokens, reader=replace(took, cost=cost)))
    return tuple(found)


def beyond_bound(reader: Reader, took: ReaderUsage | None) -> str:
    """What of an estimate waits for a later night, in words; empty for nothing."""
    settings: ReaderSettings = getattr(reader, "settings", None) or ReaderSettings()
    if took is None or settings.max_reader_tokens is None or took.tokens <= settings.max_reader_tokens:
        return ""
    return (
        f"max_reader_tokens is {settings.max_reader_tokens:,}: what is beyond it waits for the nights that follow "
        f"(about {-(-took.tokens // settings.max_reader_tokens)} in all)"
    )


_UNITS = {"ask": "questions", "extract": "episodes", "compose": "facts"}
"""The count in a step's log that says how many units it had."""


def _last_rate(name: str, before: Sequence[DreamReport]) -> _Rate | None:
    """As the last night with enough units measured it."""
    for report in reversed(before):
        for step in report.steps:
            units = report.new_facts if name == "compose" else step.counts.get(_UNITS.get(name, ""), 0)
            if step.name == name and step.reader is not None and units >= ENOUGH:
                took = step.reader
                return _Rate(took.calls / units, took.prompt_tokens / units, took.completion_tokens / units)
    return None
