"""Question by question: answer from the weights, from retrieval, from both, or not at all."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from hybridmem.adapters import load_verified as loader
from hybridmem.adapters.registry import AdapterRegistry
from hybridmem.core.namespace import Namespace
from hybridmem.core.records import ROUTES, Answer, Audit, Fact, Hit, Route
from hybridmem.metrics import is_correct
from hybridmem.models import prompts
from hybridmem.models.base import Generation, LanguageModel
from hybridmem.router.calibration import Calibration, Observation
from hybridmem.router.signals import Evidence, evidence, supported, vector
from hybridmem.stores.ledger.base import Ledger
from hybridmem.stores.ledger.validation import quotes

CALIBRATION = "calibration"
MEMORIES_READ = 5
"""Hits in the prompt of a retrieval answer."""
SURE = 0.8
"""Weights this confident are not checked against retrieval."""

Search = Callable[[str], list[Hit]]


@dataclass(frozen=True, slots=True)
class Reading:
    """One route's completion and its calibrated confidence."""

    said: Generation
    confidence: float
    features: Mapping[str, float]
    prompt: Sequence[prompts.Message] = ()
    """The messages that it answers."""

    @property
    def refuses(self) -> bool:
        return prompts.is_refusal(self.said.text)


@dataclass(frozen=True, slots=True)
class _Case:
    """One question on its way through the router."""

    question: str
    hits: tuple[Hit, ...]
    known: Evidence
    facts: tuple[Fact, ...] = ()
    """Those among the hits."""


@dataclass(frozen=True, slots=True)
class RouteResult:
    """What one route says when it is forced, and the messages that it reads; none where it was not to be asked."""

    answer: Answer
    prompt: tuple[prompts.Message, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """An answer, what the ledger knew of the question, and what each route would have said."""

    answer: Answer
    hits: tuple[Hit, ...]
    known: Evidence
    threshold: float
    """The confidence below which the router abstains."""
    routes: Mapping[Route, RouteResult]


@dataclass(frozen=True, slots=True)
class Router:
    """Answers for one namespace."""

    ledger: Ledger
    registry: AdapterRegistry
    model: LanguageModel
    namespace: Namespace
    search: Search
    """Hits of a question, best first."""

    def answer(self, questions: Sequence[str], route: Route | None = None) -> list[Answer]:
        """One answer a question; `route` forces where they come from.

        The weights are not believed on a fact that was deleted or superseded since they were trained, not even when
        they are forced: such a question is then abstained from."""
        started = time.perf_counter()
        calibration = self.calibration()
        cases = self.cases(questions) if route != "weights" or self._holds_deleted() else self._bare(questions)
        from_weights = self._ask_weights(cases, route, calibration)
        sure = max(SURE, calibration.threshold)
        settled = {
            n for n, reading in enumerate(from_weights)
            if route is None and reading and not reading.refuses and reading.confidence >= sure
        }  # fmt: skip
        unsettled = [n for n in range(len(cases)) if n not in settled]
        from_memories = self._read(cases, [] if route in ("weights", "abstain") else unsettled, route, calibration)
        seconds = (time.perf_counter() - started) / max(1, len(cases))
        return [
            self._decide(case, weights, memories, route, calibration, seconds)
            for case, weights, memories in zip(cases, from_weights, from_memories, strict=True)
        ]

    def explain(self, question: str) -> Explanation:
        """`answer` for one question, with what every route would have said."""
        calibration = self.calibration()
        (case,) = self.cases([question])
        routes: dict[Route, RouteResult] = {}
        for route in ROUTES[:-1]:
            started = time.perf_counter()
            (weights,) = self._ask_weights([case], route, calibration)
            (memories,) = self._read([case], [0] if route != "weights" else [], route, calibration)
            seconds = time.perf_counter() - started
            told = self._decide(case, weights, memories, route, calibration, seconds)
            # A forced route says what the last of its readings says, so that is the prompt to show.
            read = memories or weights
            routes[route] = RouteResult(told, tuple(read.prompt) if read else ())
        return Explanation(self.answer([question])[0], case.hits, case.known, calibration.threshold, routes)

    def calibration(self) -> Calibration:
        """As fitted by the last dream, or the prior."""
        raw = self.ledger.value(self.namespace, CALIBRATION)
        return Calibration.from_json(raw) if raw else Calibration()

    def observe(self, questions: Sequence[str], answers: Sequence[str]) -> dict[str, list[Observation]]:
        """What each route says to audit `questions`, and whether it is right: what calibration is fitted on."""
        calibration = Calibration()
        cases = self.cases(questions)
        observed: dict[str, list[Observation]] = {"weights": [], "retrieval": []}
        readings = {
            "weights": self._ask_weights(cases, None, calibration),
            "retrieval": self._read(cases, range(len(cases)), None, calibration),
        }
        for route, told in readings.items():
            for reading, expected in zip(told, answers, strict=True):
                if reading and not reading.refuses:
                    observed[route].append(Observation(reading.features, is_correct(reading.said.text, expected)))
        return observed

    def cases(self, questions: Sequence[str]) -> list[_Case]:
        """Each question with its hits and what the ledger knows of it."""
        active = self.registry.active()
        audits: dict[str, Audit] = {}
        for audit in self.ledger.audits(self.namespace, active.version) if active else ():
            before = audits.get(audit.fact)
            audits[audit.fact] = Audit(
                audit.adapter,
                audit.fact,
                audit.split,
                audit.asked + (before.asked if before else 0),
                audit.right + (before.right if before else 0),
            )
        # Its beginning: what was told while it ran, it may not have read.
        dreamt = max((d.started_at.timestamp() for d in self.ledger.dreams(self.namespace)), default=0.0)
        cases = []
        for question in questions:
            hits = self.search(question)
            records = self.ledger.get_many(self.namespace, [hit.id for hit in hits])
            known = evidence(question, hits, records, active, audits, dreamt)
            facts = tuple(record for record in records.values() if isinstance(record, Fact))
            cases.append(_Case(question, tuple(hits), known, facts))
        return cases

    def _bare(self, questions: Sequence[str]) -> list[_Case]:
        return [_Case(question, (), Evidence()) for question in questions]

    def _holds_deleted(self) -> bool:
        active = self.registry.active()
        return active is not None and bool(active.tainted)

    def _ask_weights(
        self, cases: Sequence[_Case], route: Route | None, calibration: Calibration
    ) -> list[Reading | None]:
        """Closed-book answers; None where the weights are not to be asked."""
        forced = route in ("weights", "both")
        barred = self._holds_deleted()
        asked = [
            n for n, case in enumerate(cases)
            if route in (None, "weights", "both")
            and (case.known.weights_may_answer or (forced and (not barred or case.known.consolidated)))
        ]  # fmt: skip
        readings = self._generate(cases, {n: prompts.answer(cases[n].question) for n in asked}, "weights", calibration)
        if barred:
            # Asked about what was deleted, the nearest fact that stands may be another one of the same subject: weights
            # that still hold the deleted one are believed where that fact bears them out, and nowhere else.
            readings = [
                r if r and is_correct(r.said.text, c.known.value or "") else None
                for r, c in zip(readings, cases, strict=True)
            ]
        return readings

    def _read(
        self, cases: Sequence[_Case], wanted: Sequence[int], route: Route | None, calibration: Calibration
    ) -> list[Reading | None]:
        """Answers from the best hits, oldest first in the prompt; None where there are no hits."""
        asked = {}
        for n in wanted:
            if cases[n].hits:
                asked[n] = prompts.answer(cases[n].question, lines(worth_reading(cases[n].hits)))
        adapted = route == "both" and not self._holds_deleted()
        return self._generate(cases, asked, "both" if adapted else "retrieval", calibration)

    def _generate(
        self, cases: Sequence[_Case], asked: Mapping[int, list[prompts.Message]], route: Route, calibration: Calibration
    ) -> list[Reading | None]:
        readings: list[Reading | None] = [None] * len(cases)
        if not asked:
            return readings
        active = self.registry.active()
        if route == "retrieval" or active is None:
            with self.model.adapted(None):
                said = self.model.generate(list(asked.values()))
        else:
            with loader.load_verified(self.model, active, self.registry.path(active.version)):
                said = self.model.generate(list(asked.values()))
        for n, generation in zip(asked, said, strict=True):
            head = "weights" if route == "weights" else "retrieval"
            read = [hit.quoted for hit in worth_reading(cases[n].hits)] if head == "retrieval" else None
            borne = read is None or supported(cases[n].question, generation.text, read, cases[n].facts)
            features = vector(cases[n].known, generation, borne)
            confidence = calibration.confidence(head, features)
            readings[n] = Reading(generation, confidence, features, asked[n])
        return readings

    def _decide(
        self,
        case: _Case,
        weights: Reading | None,
        memories: Reading | None,
        route: Route | None,
        calibration: Calibration,
        seconds: float,
    ) -> Answer:
        tokens = sum(r.said.prompt_tokens for r in (weights, memories) if r)
        told = [r for r in (weights, memories) if r and not r.refuses]
        if route == "abstain" or not told:
            return self._abstain(case, tokens, weights or memories, seconds)
        chosen: Route
        if route is not None:
            best, chosen = told[-1], route
            confidence = best.confidence
        elif len(told) == 2 and is_correct(told[0].said.text, told[1].said.text):
            best, chosen = told[0], "both"
            confidence = 1 - (1 - told[0].confidence) * (1 - told[1].confidence)
        else:
            best = max(told, key=lambda reading: reading.confidence)
            chosen = "weights" if best is weights else "retrieval"
            confidence = best.confidence
            if confidence < calibration.threshold:
                return self._abstain(case, tokens, best, seconds)
        active = self.registry.active()
        return Answer(
            text=best.said.text,
            route=chosen,
            confidence=confidence,
            evidence=self._shown(case, chosen),
            prompt_tokens=tokens,
            adapter=active.version if active and chosen in ("weights", "both") else None,
            seconds=seconds,
            signals=best.features,
        )

    def _shown(self, case: _Case, route: Route) -> tuple[Hit, ...]:
        if route == "weights":
            return tuple(hit for hit in case.hits if hit.id == case.known.fact)
        return tuple(worth_reading(case.hits))

    def _abstain(self, case: _Case, tokens: int, reading: Reading | None, seconds: float) -> Answer:
        """The confidence of a refusal is that of the answer not being known: 1 - P(correct)."""
        doubted = reading.confidence if reading and not reading.refuses else 0.0
        return Answer(
            text=prompts.REFUSAL,
            route="abstain",
            confidence=1 - doubted,
            evidence=tuple(worth_reading(case.hits)),
            prompt_tokens=tokens,
            seconds=seconds,
            signals=reading.features if reading else {},
        )


def worth_reading(hits: Sequence[Hit]) -> list[Hit]:
    """The hits for a prompt: those that match the question themselves, not only through the turns around them."""
    return ([hit for hit in hits if hit.matches] or list(hits))[:MEMORIES_READ]


def lines(hits: Sequence[Hit]) -> list[str]:
    """What the prompt shows of `hits`, oldest first: each text once, also where it stands in another one that is no
    older. A fact is often a sentence of the episode that told it."""
    ordered = sorted(hits, key=_time)
    return [
        hit.quoted
        for place, hit in enumerate(ordered)
        if not any(
            _time(hit) <= _time(other)
            and quotes([other.quoted], [hit.quoted])
            # Of two that say the same, the later one stays.
            and (hit.quoted != other.quoted or place < at)
            for at, other in enumerate(ordered)
            if at != place
        )
    ]


def _time(hit: Hit) -> float:
    return hit.at.timestamp() if hit.at else 0.0
