"""The runs in a conversation: what the user asked for, the calls that followed, and how it ended.

A run begins with words of the user and goes on until the next words of theirs. Those may judge it: "that worked",
"it still fails". Behind a complaint, the calls that follow are another run for the same request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from hybridmem.core.skills import SkillStep
from hybridmem.core.text.injected import without_injected
from hybridmem.redaction import redact
from hybridmem.skills.calls import Call, Result
from hybridmem.skills.outcome import Ending, Verdict, of_words
from hybridmem.skills.steps import step

MOST_STEPS = 20
"""Steps of the longest procedure; a longer run is an exploration, which nobody would repeat."""
LONGEST_TASK = 300
"""Characters of a request that are kept as its task."""


@dataclass(frozen=True, slots=True)
class Said:
    """Words of the user, and of nobody who passes for them."""

    text: str
    turn: int
    """Its number among all turns of the conversation."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One step with what its result said of it."""

    step: SkillStep
    verdict: Verdict | None = None

    @property
    def failed(self) -> bool:
        return self.verdict is not None and self.verdict.outcome == "failure"


@dataclass(frozen=True, slots=True)
class Run:
    """One way through a task, to its end."""

    task: str
    turn: int
    """The turn that asked for it."""
    attempts: tuple[Attempt, ...]
    """Every call, in order."""
    ending: Ending

    @property
    def steps(self) -> tuple[SkillStep, ...]:
        """The procedure: where it did not fail, without the calls that did, and a call that was only repeated once."""
        kept = [each.step for each in self.attempts if self.ending.outcome == "failure" or not each.failed]
        return tuple(each for number, each in enumerate(kept) if number == 0 or each != kept[number - 1])

    @property
    def is_procedure(self) -> bool:
        """Whether somebody may want to do the same again, or to keep from it."""
        return 0 < len(self.steps) <= MOST_STEPS


@dataclass(slots=True)
class _Called:
    """A call, and its result once it is there."""

    call: Call
    result: Result | None = None


@dataclass(slots=True)
class _Open:
    """A run that goes on."""

    task: str
    turn: int
    calls: list[_Called] = field(default_factory=list)

    def take(self, result: Result) -> None:
        """Give the result to its call: the oldest one without a result, of its id where it has one."""
        for each in self.calls:
            if each.result is None and (not result.call or each.call.id in ("", result.call)):
                each.result = result
                return

    def closed(self, word: Verdict | None) -> Iterator[Run]:
        """The run, judged by the user's `word`, or else by the last result that says anything."""
        attempts = tuple(
            Attempt(step(each.call.tool, each.call.arguments), each.result.verdict if each.result else None)
            for each in self.calls
        )
        last = next((each.verdict for each in reversed(attempts) if each.verdict), None)
        if attempts:
            yield Run(self.task, self.turn, attempts, Ending.of(word or last))


def runs(events: Iterable[Said | Call | Result]) -> Iterator[Run]:
    """The runs of one conversation, in order. Calls before the user's first words belong to no task."""
    current: _Open | None = None
    for event in events:
        if isinstance(event, Said):
            text = without_injected(event.text)
            if not text:
                continue
            word = of_words(text) if current is not None and current.calls else None
            if current is not None:
                yield from current.closed(word)
            if current is not None and word is not None and word.outcome == "failure":
                current = _Open(current.task, current.turn)
            else:
                current = _Open(task_of(text), event.turn)
        elif current is not None and isinstance(event, Call):
            current.calls.append(_Called(event))
        elif current is not None and isinstance(event, Result):
            current.take(event)
    if current is not None:
        yield from current.closed(None)


def task_of(text: str) -> str:
    """What a request asks for, in one line without secrets: its first line, where it has several."""
    line = next((each for each in text.splitlines() if each.strip()), "")
    whole = " ".join(redact(line).split())
    task = whole.rstrip(" .!") or whole
    return task if len(task) <= LONGEST_TASK else f"{task[:LONGEST_TASK].rsplit(' ', 1)[0]} …"
