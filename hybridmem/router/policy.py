"""Question by question: answer from the weights, from retrieval, from both, or not at all."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from hybridmem.adapters.registry import AdapterRegistry
from hybridmem.core.clock import Clock, utc_now
from hybridmem.core.errors import CorruptAdapter
from hybridmem.core.namespace import Namespace
from hybridmem.core.policy import DEFAULT_RISK
from hybridmem.core.records import ROUTES, AdapterRecord, Answer, Audit, Hit, Route
from hybridmem.metrics import is_correct
from hybridmem.models import prompts
from hybridmem.models.base import LanguageModel
from hybridmem.models.reader import Reader
from hybridmem.retrieval.pipeline import Found
from hybridmem.router import calibration as calibrations
from hybridmem.router import feedback as feedbacks
from hybridmem.router import pooled, two_steps
from hybridmem.router import snapshot as snapshots
from hybridmem.router.audited import Derived, decided
from hybridmem.router.calibration import Calibration, Graded
from hybridmem.router.context import messages_first, without_replaced, worth_reading
from hybridmem.router.decision import Better, Reading
from hybridmem.router.feedback import GradedQuestions
from hybridmem.router.risk import Said
from hybridmem.router.routing import Case, RouteResult, Routing
from hybridmem.router.signals import Evidence
from hybridmem.router.snapshot import Snapshot
from hybridmem.router.two_steps import TwoSteps, in_two_steps
from hybridmem.router.why import why
from hybridmem.stores.ledger.base import Ledger
from hybridmem.stores.ledger.lineage import pooled as pooled_audits

FORCED_ROUTES: tuple[Route, ...] = ROUTES[:-1]
"""Those that answer."""

log = logging.getLogger("hybridmem.router")
_told: set[tuple[Namespace, str]] = set()
"""Adapters of another base that the user was told of in this process."""
Find = Callable[[str], Found]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class AuditQuestion:
    """A question whose answer is known."""

    question: str
    answer: str
    """A refusal where nothing answers it."""
    fact: str = ""
    """The id of what it is about; "" for the nearest fact."""


@dataclass(frozen=True, slots=True)
class Feedback:
    """What the router makes of a question whose answer it was told."""

    was_wrong: bool
    """Whether it would have answered wrongly."""
    threshold_before: float
    threshold: float
    """The confidence below which it abstains from now on."""
    risk: float
    """Share of all questions that may be answered wrongly."""
    feasible: bool
    """Whether enough questions stand behind the threshold to promise that."""


@dataclass(frozen=True, slots=True)
class TrackRecord:
    """How the router did on questions whose answers are known, judged by heads that had not seen them."""

    audits: int
    """Of the last dream."""
    told: int
    """Questions with feedback."""
    others: int
    """Questions of other memories, in the place of those where there are none."""
    answers: tuple[Said, ...]
    """Of those that are answered where nothing is too unsure: the confidence, and whether it is right."""
    calibration: Calibration

    @property
    def asked(self) -> int:
        return self.audits + self.told + self.others


@dataclass(frozen=True, slots=True)
class Explanation:
    """An answer, what the ledger knew of the question, and what each route would have said."""

    answer: Answer
    why: str
    """Why this route, in one sentence."""
    hits: tuple[Hit, ...]
    known: Evidence
    threshold: float
    """The confidence below which the router abstains."""
    risk: float
    """Share of all questions that may be answered wrongly."""
    feasible: bool
    """Whether enough questions stand behind the threshold to promise that."""
    routes: Mapping[Route, RouteResult]


@dataclass(frozen=True, slots=True)
class Readings:
    """What was said to a question before a route is chosen, and what the ledger knows of it."""

    known: Evidence
    weights: Reading | None
    """Closed-book; None where the weights are not to be asked."""
    memories: Reading | None
    """Over the best hits; None where there are none, or where they are not to be read."""
    better: Better
    """Which of them is believed."""


@dataclass(frozen=True, slots=True)
class Router:
    """Answers for one namespace."""

    ledger: Ledger
    registry: AdapterRegistry
    model: LanguageModel
    namespace: Namespace
    find: Find
    """The memories for a question, best first."""
    reader: Reader | None = None
    """Who answers over memories; None for `model`. The weights are `model`'s in any case."""
    clock: Clock = utc_now
    asked_on: datetime | None = None
    """The day that the questions are asked from, where it is not now: the weights must be right at both."""
    risk: float = DEFAULT_RISK
    """Share of all questions that may be answered wrongly, as the namespace's policy names it."""
    exact: bool = False
    """Whether the model rounds nothing, not even where its answers may be: for a gate that judges them."""
    derived: Derived = field(default_factory=dict)
    """What the process keeps of the namespaces for the next question."""

    @property
    def read_by(self) -> str:
        """The reader's name, as a calibration has it."""
        return "" if self.reader is None else str(getattr(self.reader, "name", type(self.reader).__name__))

    def answer(self, questions: Sequence[str], route: Route | None = None) -> list[Answer]:
        """One answer a question; `route` forces where they come from.

        The weights are not believed on a fact that was deleted or superseded since they were trained, or that does
        not hold when the question is asked, not even when they are forced: such a question is then abstained from.
        An active adapter of another base stays out, until a dream trains one for this base. All of a batch's answers
        rest on one `Snapshot`. Raises `CorruptAdapter` for an active adapter that is damaged, and `WrongBase` where
        a forced `route` asks one of another base."""
        return self._at_one_moment(lambda snapshot: self._answer(questions, route, snapshot), forced=route)

    def answer_aloud(self, question: str, tell: Callable[[str], None]) -> Answer:
        """`answer` for one question. Where the ledger alone decides for the weights, `tell` is given the text so far
        as they write it, beside the search; else it is never called.

        What was told is how the answer begins, unless the search brings up what speaks against it."""
        return self._at_one_moment(lambda snapshot: self._answer_aloud(question, tell, snapshot))

    def rehearse(
        self,
        questions: Sequence[str],
        adapter: AdapterRecord,
        folder: Path,
        audits: Sequence[Audit],
        asked: Sequence[AuditQuestion],
    ) -> list[Answer]:
        """One answer a question as if `adapter`, whose files are in `folder`, were active with these `audits`, and its
        heads fitted on the audit questions `asked`. Changes nothing."""
        started = time.perf_counter()
        rehearsed = replace(
            self._read(),
            adapter=adapter,
            audits=pooled_audits(audits),
            # The night that trained it has read everything that is there.
            last_dream=math.inf,
            calibration=Calibration(),
        )
        if asked:
            graded = self._graded(asked, rehearsed, folder)
            rehearsed = replace(rehearsed, calibration=self._fitted(self._known().with_audits(graded)))
        routing = self._routing(None, rehearsed, folder)
        return routing.answers([self._case(question, routing) for question in questions], started)

    def calibrate(self, asked: Sequence[AuditQuestion]) -> Calibration:
        """Fit heads and threshold on the audit questions `asked`, and on those with feedback."""
        graded = self._at_one_moment(lambda snapshot: self._graded(asked, snapshot))
        return self._learned(self._known().with_audits(graded))

    def feedback(self, question: str, answer: str | None) -> Feedback:
        """Learn from a question whose right `answer` somebody tells: None for one that the memory cannot know.

        What is kept of it are figures. Where the router is wrong more often than the namespace's risk allows, it
        answers less until that is made up for."""
        asked = AuditQuestion(question, answer or prompts.REFUSAL)
        now = self._snapshot(None).calibration
        (graded,) = self._at_one_moment(lambda snapshot: self._graded([asked], snapshot))
        was_wrong = graded.judged(now).is_wrong(now.threshold)
        after = self._learned(self._known().with_feedback(graded, was_wrong, now.risk))
        return Feedback(was_wrong, now.threshold, after.threshold, after.risk, after.feasible)

    def explain(self, question: str) -> Explanation:
        """`answer` for one question, with what every route would have said at the same moment."""
        return self._at_one_moment(lambda snapshot: self._explain(question, snapshot))

    def readings(self, questions: Sequence[str], route: Route | None = None) -> list[Readings]:
        """What the weights and the memories say to each of `questions`, both also where one would do: what the choice
        of a route rests on. `route` forces which of them are asked, as in `answer`. Raises as `answer` does."""
        return self._at_one_moment(lambda snapshot: self._readings(questions, route, snapshot), forced=route)

    def calibration(self) -> Calibration:
        """As fitted by the last dream or by feedback, or the prior."""
        return self._limits(calibrations.load(self.ledger, self.namespace))

    def track_record(self) -> TrackRecord:
        """How the router did on questions whose answers are known."""
        own = self._known()
        questions = (*own.audits, *own.asked)
        others = () if questions else pooled.questions(self._answering)
        judged = [question.judged(heads) for question, heads in calibrations.held_out(questions or others)]
        answers = [said for each in judged if (said := each.answer(0.0))]
        return TrackRecord(len(own.audits), len(own.asked), len(others), tuple(answers), self.calibration())

    def _limits(self, calibration: Calibration) -> Calibration:
        """What of a stored calibration holds for this reader, at this risk. Before the first one, what other memories
        were asked stands behind it."""
        own = calibration.for_reader(self.read_by)
        return (pooled.calibration(self._answering) if own == Calibration(read_by=self.read_by) else own).at(self.risk)

    @property
    def _answering(self) -> str:
        """Whose answers over memories these are."""
        return self.model.name if self.reader is None else self.read_by

    def _at_one_moment(self, work: Callable[[Snapshot], T], *, forced: Route | None = None) -> T:
        """What `work` makes of the ledger's state now.

        Once another adapter is active, the one before may lose its files at any time, even in the middle of an answer.
        The work is then done again from the new state, as if it had been asked for a moment later."""
        snapshot = self._snapshot(forced)
        try:
            return work(snapshot)
        except CorruptAdapter:
            current = self._snapshot(forced)
            if current.version == snapshot.version:
                raise
        return work(current)

    def _snapshot(self, forced: Route | None) -> Snapshot:
        """The state now. An adapter of another base is no part of it, unless a `forced` route asks for the weights,
        which are then refused by name."""
        snapshot = self._read()
        snapshot = replace(snapshot, calibration=self._limits(snapshot.calibration))
        adapter = snapshot.adapter
        if adapter is None or forced in ("weights", "both") or adapter.base_sha256 == self.model.sha256:
            return snapshot
        if (adapter.namespace, adapter.version) not in _told:
            _told.add((adapter.namespace, adapter.version))
            log.warning(
                "the adapter %s was trained on the base %s, and the model is %s: answers come by retrieval until the "
                "next dream, or with --model %s",
                adapter.version,
                adapter.base,
                self.model.name,
                adapter.base,
            )
        return Snapshot(last_dream=snapshot.last_dream)

    def _read(self) -> Snapshot:
        now = self.clock()
        return snapshots.read(self.ledger, self.namespace, [now] if self.asked_on is None else [now, self.asked_on])

    def _answer(self, questions: Sequence[str], route: Route | None, snapshot: Snapshot) -> list[Answer]:
        started = time.perf_counter()
        routing = self._routing(route, snapshot)
        return self._answered([self._case(question, routing) for question in questions], routing, started)

    def _answer_aloud(self, question: str, tell: Callable[[str], None], snapshot: Snapshot) -> Answer:
        started, asked_on = time.perf_counter(), self.asked_on or self.clock()
        known = decided(question, snapshot, self.ledger, self.derived, asked_on)
        if known is None:
            return self._answer([question], None, snapshot)[0]
        routing = self._routing(None, snapshot)
        with ThreadPoolExecutor(1, "hybridmem-beside") as beside:
            searched = beside.submit(self._case, question, routing)
            said = routing.speak(question, known, tell)
            case = replace(searched.result(), said=said)
        return self._answered([case], routing, started)[0]

    def _answered(self, cases: Sequence[Case], routing: Routing, started: float) -> list[Answer]:
        answers, snapshot = routing.answers(cases, started), routing.snapshot
        if routing.route is not None:
            return answers
        steps = self._in_two_steps(cases, answers, snapshot)
        return [each.answer if each else answer for each, answer in zip(steps, answers, strict=True)]

    def _in_two_steps(
        self, cases: Sequence[Case], answers: Sequence[Answer], snapshot: Snapshot
    ) -> list[TwoSteps | None]:
        """Of what the memories for a question do not answer together: what two of them answer one after the other."""

        def ask(questions: Sequence[str]) -> list[Answer]:
            started, routing = time.perf_counter(), self._routing(None, snapshot)
            return routing.answers([self._case(question, routing) for question in questions], started)

        asked = [case.question for case in cases]
        shown = [[hit.quoted for hit in case.found.hits] for case in cases]
        return in_two_steps(asked, shown, answers, snapshot.calibration.threshold, ask)

    def _explain(self, question: str, snapshot: Snapshot) -> Explanation:
        started = time.perf_counter()
        routing = self._routing(None, snapshot)
        case = self._case(question, routing)
        ((weights, memories),) = routing.heard([case])
        limits = snapshot.calibration
        answer = routing.answer(case, weights, memories, time.perf_counter() - started)
        decision = routing.decision(case, weights, memories)
        (steps,) = self._in_two_steps([case], [answer], snapshot)
        return Explanation(
            answer=steps.answer if steps else answer,
            why=two_steps.why(steps)
            if steps
            else why(decision, case.known, weights, memories, limits.threshold, limits.risk),
            hits=case.found.hits,
            known=case.known,
            threshold=limits.threshold,
            risk=limits.risk,
            feasible=limits.feasible,
            routes={route: self._routing(route, snapshot).forced(case) for route in FORCED_ROUTES},
        )

    def _graded(self, asked: Sequence[AuditQuestion], snapshot: Snapshot, folder: Path | None = None) -> list[Graded]:
        """What each route says to these questions, and whether it is right: what calibration is fitted on."""
        read = self._readings(
            [each.question for each in asked], None, replace(snapshot, calibration=Calibration()), folder
        )
        return [
            Graded.of(
                each.weights,
                each.memories,
                partial(is_correct, expected=question.answer),
                question.fact or each.known.fact or "",
                each.better,
            )
            for question, each in zip(asked, read, strict=True)
        ]

    def _known(self) -> GradedQuestions:
        return feedbacks.known(self.ledger, self.namespace, self.read_by)

    def _fitted(self, questions: GradedQuestions) -> Calibration:
        return questions.calibration(self.risk, pooled.questions(self._answering))

    def _learned(self, questions: GradedQuestions) -> Calibration:
        """The calibration that is fitted on `questions`, once both are stored."""
        fitted = self._fitted(questions)
        self.ledger.put_state(self.namespace, questions)
        self.ledger.put_state(self.namespace, fitted)
        return fitted

    def _readings(
        self, questions: Sequence[str], route: Route | None, snapshot: Snapshot, folder: Path | None = None
    ) -> list[Readings]:
        routing = self._routing(route, snapshot, folder)
        cases = [self._case(question, routing) for question in questions]
        numbers = () if route in ("weights", "abstain") else range(len(cases))
        return [
            Readings(case.known, weights, memories, routing.better(case, weights, memories))
            for case, weights, memories in zip(
                cases, routing.ask_weights(cases), routing.read_memories(cases, numbers), strict=True
            )
        ]

    def _routing(self, route: Route | None, snapshot: Snapshot, folder: Path | None = None) -> Routing:
        """`folder`: the files of the snapshot's adapter, where they are not in the registry yet."""
        if folder is None and snapshot.version:
            folder = self.registry.path(snapshot.version)
        return Routing(self.model, folder, snapshot, route, self.reader, self.exact)

    def _case(self, question: str, routing: Routing) -> Case:
        """The question with its hits and what the ledger knows of it."""
        if not routing.needs_search:
            return Case(question)
        found = without_replaced(self.find(question))
        hits = messages_first(found) if routing.reads_messages else found.hits
        asked_on = (self.asked_on or self.clock()).date()
        known = routing.snapshot.evidence(question, found, asked_on, self._exercises)
        return Case(question, found, known, tuple(worth_reading(hits)))

    def _exercises(self, fact: str) -> list[str]:
        """What the dreams asked about a fact that they taught. Its exercises stay as they are while it is held, so that
        they need no snapshot."""
        return [item.question for item in self.ledger.items(self.namespace, [fact]) if item.kind == "question"]
