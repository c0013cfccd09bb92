"""Questions on their way to an answer: ask the weights, read the memories, decide."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from hybridmem.adapters.load_verified import load_verified
from hybridmem.core.records import Answer, Fact, Hit, Route
from hybridmem.core.text.tokens import contains_words, normalised
from hybridmem.metrics import is_correct
from hybridmem.models import prompts
from hybridmem.models.base import Generation, LanguageModel, generate_answers, speak_answer
from hybridmem.models.reader import Reader
from hybridmem.models.skills import supports, trained_for
from hybridmem.retrieval.pipeline import Found
from hybridmem.router.audited import may_be_told
from hybridmem.router.context import fitted, lines
from hybridmem.router.decision import SURE, Better, Decision, Reading, abstention, between, decide, settles
from hybridmem.router.elsewhere import Asked, answer_all
from hybridmem.router.precedence import better
from hybridmem.router.second_look import candidates, same
from hybridmem.router.signals import STANDS, Evidence, Head, Support, supported, vector
from hybridmem.router.snapshot import Snapshot
from hybridmem.router.taken_back import without_older

ANSWER_TOKENS = 24
"""Room that a prompt leaves for its answer."""
TEMPLATE_TOKENS = 256
"""More than a chat template adds to the messages of a prompt."""
READ_TOKENS = 2_048
"""The longest prompt of a model on this machine, which loses the thread of one that fills its window."""
PLAIN_TOKENS = 512
"""The same for a base that was trained for plain sentences, in rows of half as many tokens."""
READER_CHARACTERS = 12_000
"""Of the memories in one prompt of a reader that does not say how much it reads."""


@dataclass(frozen=True, slots=True)
class RouteResult:
    """What one route answers when it is forced, and the messages that it reads; none where it was not asked."""

    answer: Answer
    prompt: tuple[prompts.Message, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One question on its way through the router."""

    question: str
    found: Found = field(default_factory=Found)
    known: Evidence = field(default_factory=Evidence)
    shown: tuple[Hit, ...] = ()
    """The hits that are read, best first."""
    said: Generation | None = None
    """What the weights said to it while the search ran; None where they were not asked yet."""


@dataclass(frozen=True, slots=True)
class Routing:
    """How a batch of questions is answered: all of it rests on one snapshot, and the ledger is not asked."""

    model: LanguageModel
    folder: Path | None
    """The files of the snapshot's adapter."""
    snapshot: Snapshot
    route: Route | None
    """Where the answers are forced to come from; None leaves the choice to the router."""
    reader: Reader | None = None
    """Who reads the memories; None for `model`."""
    exact: bool = False
    """Whether the model rounds nothing, not even where its answers may be."""

    @property
    def needs_search(self) -> bool:
        """Forced weights are asked closed-book; only what was deleted or superseded has to be looked up for them."""
        return self.route != "weights" or self.snapshot.is_tainted

    @property
    def reads_messages(self) -> bool:
        """Whether the memories are read by a model that was trained for what people say, or that follows examples. The
        bundled base was trained for plain sentences without a date, such as facts are."""
        if self.reader is not None:
            return supports(self.reader, "propositions")
        return trained_for(self.model, "propositions")

    def answers(self, cases: Sequence[Case], started: float) -> list[Answer]:
        """One answer a case; the time since `started` (of `time.perf_counter`) is shared among them."""
        heard = self.heard(cases)
        seconds = (time.perf_counter() - started) / max(1, len(cases))
        return [self.answer(case, *readings, seconds) for case, readings in zip(cases, heard, strict=True)]

    def heard(self, cases: Sequence[Case]) -> list[tuple[Reading | None, Reading | None]]:
        """What the weights and the memories say to each case, where it is needed: sure weights need no memories."""
        from_weights = self.ask_weights(cases)
        return list(zip(from_weights, self.read_memories(cases, self._unsettled(from_weights)), strict=True))

    def forced(self, case: Case) -> RouteResult:
        """What this route says to one case."""
        started = time.perf_counter()
        (weights,) = self.ask_weights([case])
        (memories,) = self.read_memories([case], () if self.route == "weights" else (0,))
        answer = self.answer(case, weights, memories, time.perf_counter() - started)
        # A forced route says what the last of its readings says, so that is the prompt to report.
        reading = memories or weights
        return RouteResult(answer, tuple(reading.prompt) if reading else ())

    def ask_weights(self, cases: Sequence[Case]) -> list[Reading | None]:
        """Closed-book answers; None where the weights are not to be asked."""
        asked = {
            number: prompts.answer(case.question)
            for number, case in enumerate(cases)
            if self._may_ask_weights(case.known)
        }
        said = {number: cases[number].said for number in asked}
        to_ask = {number: prompt for number, prompt in asked.items() if said[number] is None}
        readings = self._read(cases, to_ask, "weights", adapted=True)
        for number, completion in said.items():
            if completion is not None:
                readings[number] = self._judged(cases[number], completion, "weights", STANDS, asked[number])
        if self.snapshot.is_tainted:
            # Asked about what was deleted, the nearest fact that stands may be another one of the same subject: weights
            # that still hold the deleted one are believed where that fact bears them out, and nowhere else.
            return [
                reading if reading and is_correct(reading.said.text, case.known.value or "") else None
                for reading, case in zip(readings, cases, strict=True)
            ]
        return readings

    def speak(self, question: str, known: Evidence, tell: Callable[[str], None]) -> Generation:
        """What the weights say to `question` closed-book; where `known` bears it out, `tell` is given it so far."""
        limits = self.snapshot.calibration

        def hear(said: Generation) -> None:
            if may_be_told(said, known, limits):
                tell(said.text)

        with self._fitted(adapted=True):
            return speak_answer(self.model, prompts.answer(question), hear)

    def read_memories(self, cases: Sequence[Case], numbers: Iterable[int]) -> list[Reading | None]:
        """Answers to the cases with these `numbers` from their best hits; None where there are no hits."""
        read = {number: self._memories(cases[number]) for number in numbers if cases[number].shown}
        asked = {number: prompts.answer(cases[number].question, lines) for number, lines in read.items()}
        if self.reader is None:
            adapted = self.route == "both" and not self.snapshot.is_tainted
            together = self._read(cases, asked, "retrieval", adapted=adapted)
            if adapted:
                return together
            return self._looked_at_again(cases, read, self._without_what_is_taken_back(cases, read, together))
        to_answer = [
            Asked(cases[number].question, shown, asked[number], partial(_holds, cases[number]))
            for number, shown in read.items()
        ]
        readings: list[Reading | None] = [None] * len(cases)
        for number, found in zip(read, answer_all(self.reader, to_answer), strict=True):
            support = Support(found.is_supported)
            readings[number] = self._judged(cases[number], found.said, "retrieval", support, asked[number])
        return readings

    def _without_what_is_taken_back(
        self, cases: Sequence[Case], read: dict[int, list[str]], together: Sequence[Reading | None]
    ) -> list[Reading | None]:
        """The readings `together`, and in the place of those whose value a later memory ends, what is read without the
        memories that hold no more than that value, where it is another value. `read` then has those memories alone."""
        readings = list(together)
        fewer = {
            number: kept
            for number, reading in enumerate(together)
            if reading and not reading.refuses
            if (kept := without_older(cases[number].question, reading.said.text, read[number])) is not None
        }
        asked = {number: prompts.answer(cases[number].question, kept) for number, kept in fewer.items()}
        for number, again in enumerate(self._read(cases, asked, "retrieval", adapted=False)):
            before = together[number]
            if again and before and not again.refuses and not same(again.said.text, before.said.text):
                tokens = before.said.prompt_tokens + again.said.prompt_tokens
                readings[number] = replace(again, said=replace(again.said, prompt_tokens=tokens))
                read[number] = fewer[number]
        return readings

    def _looked_at_again(
        self, cases: Sequence[Case], read: Mapping[int, list[str]], together: Sequence[Reading | None]
    ) -> list[Reading | None]:
        """The readings `together` of the memories that were `read`, and in the place of unsure ones the surest of those
        that read them one by one.

        The bundled base was never shown that: only a model that was trained to read memories as they were said."""
        readings = list(together)
        if not self.reads_messages:
            return readings
        unsure = {
            number: reading
            for number, reading in enumerate(together)
            if reading and len(read[number]) > 1 and (reading.refuses or reading.confidence < SURE)
        }
        asked = {
            (number, at): prompts.answer(cases[number].question, [memory])
            for number in unsure
            for at, memory in enumerate(read[number])
        }
        if not asked:
            return readings
        alone = dict(zip(asked, self._generate(list(asked.values()), adapted=False), strict=True))
        for number, reading in unsure.items():
            case, memories = cases[number], read[number]
            each = [alone[number, at] for at in range(len(memories))]
            tokens = reading.said.prompt_tokens + sum(said.prompt_tokens for said in each)
            judged = [
                self._judged(
                    case,
                    replace(candidate.said, prompt_tokens=tokens),
                    "retrieval",
                    Support(_is_supported(case, candidate.said.text), candidate.agreement),
                    reading.prompt if candidate.memory is None else asked[number, candidate.memory],
                )
                for candidate in candidates(reading.said, each, _first(case, memories))
            ]
            readings[number] = max(
                judged,
                key=lambda found: found.confidence,
                default=replace(reading, said=replace(reading.said, prompt_tokens=tokens)),
            )
        return readings

    def _memories(self, case: Case) -> list[str]:
        """The hits as the prompt shows them, cut to what the model reads: one long memory must not fail a batch."""
        reader = self.reader or self.model
        read = lines(case.shown, dated=self.reads_messages)
        most: int | None = getattr(reader, "context_length", None)
        if most is not None:
            room = min(most - ANSWER_TOKENS, READ_TOKENS if self.reads_messages else PLAIN_TOKENS)

            def fits(shown: Sequence[str]) -> bool:
                prompt = prompts.answer(case.question, shown)
                # No token is shorter than a byte, so that most prompts need not be counted.
                if sum(len(message["content"].encode()) for message in prompt) + TEMPLATE_TOKENS <= room:
                    return True
                return int(reader.count_tokens(prompt)) <= room  # type: ignore[attr-defined]

            return fitted(read, case.question, fits)
        if self.reader is not None:
            return fitted(read, case.question, lambda shown: sum(map(len, shown)) <= READER_CHARACTERS)
        return read

    def _may_ask_weights(self, known: Evidence) -> bool:
        if self.route not in (None, "weights", "both"):
            return False
        if known.weights_may_answer:
            return True
        return self.route is not None and (not self.snapshot.is_tainted or known.consolidated)

    def _unsettled(self, from_weights: Sequence[Reading | None]) -> list[int]:
        """Numbers of the cases whose memories are still to be read."""
        if self.route in ("weights", "abstain"):
            return []
        threshold = self.snapshot.calibration.threshold
        return [
            number
            for number, reading in enumerate(from_weights)
            if self.route is not None or not settles(reading, threshold)
        ]

    def _read(
        self, cases: Sequence[Case], asked: Mapping[int, list[prompts.Message]], head: Head, *, adapted: bool
    ) -> list[Reading | None]:
        """The model's completions of the prompts `asked` (by number of the case), with the confidence of `head`."""
        readings: list[Reading | None] = [None] * len(cases)
        if asked:
            completions = self._generate(list(asked.values()), adapted=adapted)
            for number, said in zip(asked, completions, strict=True):
                case = cases[number]
                is_supported = head == "weights" or _is_supported(case, said.text)
                readings[number] = self._judged(case, said, head, Support(is_supported), asked[number])
        return readings

    def _judged(
        self, case: Case, said: Generation, head: Head, support: Support, prompt: Sequence[prompts.Message]
    ) -> Reading:
        """A completion with its confidence. What the weights say has read no memory that could support it."""
        features = vector(case.known, said, support)
        return Reading(said, self.snapshot.calibration.confidence(head, features), features, prompt)

    def _generate(self, asked: Sequence[Sequence[prompts.Message]], *, adapted: bool) -> list[Generation]:
        with self._fitted(adapted=adapted):
            return self._completions(asked)

    def _fitted(self, *, adapted: bool) -> AbstractContextManager[None]:
        """The model with the snapshot's adapter in force, where there is one and it is to be `adapted`, or bare."""
        adapter = self.snapshot.adapter
        if not adapted or adapter is None or self.folder is None:
            return self.model.adapted(None)
        return load_verified(self.model, adapter, self.folder)

    def _completions(self, asked: Sequence[Sequence[prompts.Message]]) -> list[Generation]:
        return self.model.generate(asked) if self.exact else generate_answers(self.model, asked)

    def answer(self, case: Case, weights: Reading | None, memories: Reading | None, seconds: float) -> Answer:
        """The answer to a case whose readings took so many seconds."""
        decision = self.decision(case, weights, memories)
        chosen, best = decision.route, decision.reading
        return Answer(
            text=best.said.text if best and chosen != "abstain" else prompts.REFUSAL,
            route=chosen,
            confidence=decision.confidence,
            evidence=_grounds(case, chosen),
            prompt_tokens=sum(reading.said.prompt_tokens for reading in (weights, memories) if reading),
            adapter=self.snapshot.version if chosen in ("weights", "both") else None,
            seconds=seconds,
            signals=best.features if best else {},
        )

    def better(self, case: Case, weights: Reading | None, memories: Reading | None) -> Better:
        """Which of two readings of a case is believed."""

        def by_time_and_trust() -> Better:
            learned = case.found.records.get(case.known.fact or "")
            said = (weights.said.text, memories.said.text) if weights and memories else ("", "")
            return better(learned if isinstance(learned, Fact) else None, *said, case.shown, case.found.records)

        return between(weights, memories, by_time_and_trust)

    def decision(self, case: Case, weights: Reading | None, memories: Reading | None) -> Decision:
        """Which of two readings is answered."""
        if self.route is None:
            threshold = self.snapshot.calibration.threshold
            return decide(weights, memories, threshold, self.better(case, weights, memories))
        answering = [reading for reading in (weights, memories) if reading and not reading.refuses]
        if self.route == "abstain" or not answering:
            return abstention(weights or memories)
        return Decision(self.route, answering[-1].confidence, answering[-1])


def _is_supported(case: Case, said: str) -> bool:
    """Whether the memories in the prompt support what was `said`."""
    return supported(case.question, said, _quoted(case), case.found.facts)


def _holds(case: Case, said: str) -> bool:
    """Whether a memory in the prompt has the very words, and is about what the question asks of."""
    value = normalised(said)
    return any(contains_words(normalised(memory), value) for memory in _quoted(case)) and _is_supported(case, said)


def _first(case: Case, memories: Sequence[str]) -> int | None:
    """Number of the memory that the search ranks first, as the prompt has it; None where it was cut or left out."""
    (shown,) = lines(case.shown[:1], dated=True)
    return memories.index(shown) if shown in memories else None


def _quoted(case: Case) -> list[str]:
    return [hit.quoted for hit in case.shown]


def _grounds(case: Case, route: Route) -> tuple[Hit, ...]:
    """The hits that an answer of `route` rests on."""
    if route == "weights":
        return tuple(hit for hit in case.found.hits if hit.id == case.known.fact)
    return case.shown
