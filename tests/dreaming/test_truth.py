"""The gate asks whether the memory got better at what was said, and not only whether it repeats what was extracted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybridmem.core.progress import quiet
from hybridmem.core.records import AdapterRecord, Answer, Audit, DreamReport, Episode, Route
from hybridmem.dreaming import recipes
from hybridmem.dreaming.bounds import TRUTH_BOUNDS, Truth
from hybridmem.dreaming.cycle import dream
from hybridmem.dreaming.plan import DreamContext
from hybridmem.dreaming.recipes import GateSettings
from hybridmem.dreaming.steps.truth import TruthQuestion, TruthSet, checks, compare, prepare, write
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel
from hybridmem.models.jobs import EVERY
from hybridmem.models.prompts import REFUSAL
from hybridmem.router.policy import Router
from tests.dreaming.nights import ANA, NIGHT, open_memory

DEFAULT = recipes.load("default")
TOWNS = {"Ana": "Lisbon", "Ben": "Oslo", "Cara": "Riga", "Dan": "Porto"}


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    with open_memory(tmp_path / "memory", FakeModel(jobs=EVERY)) as opened:
        for person, town in TOWNS.items():
            opened.add(f"{person} lives in {town}.")
        yield opened


class Canned:
    """Answers the night's questions as it is told to."""

    def __init__(self, after: dict[str, str]) -> None:
        self.after = after
        self.asked: list[list[str]] = []

    def as_it_is(self, questions: Sequence[str]) -> list[str]:
        self.asked.append(list(questions))
        return [self._true(question) for question in questions]

    def as_it_would_be(
        self, questions: Sequence[str], candidate: AdapterRecord, folder: Path, audits: Sequence[Audit]
    ) -> list[str]:
        assert candidate.files
        assert {audit.fact for audit in audits} <= set(candidate.facts)
        return [next((said for who, said in self.after.items() if who in q), self._true(q)) for q in questions]

    @staticmethod
    def _true(question: str) -> str:
        return next(town for person, town in TOWNS.items() if person in question)


def night(memory: HybridMemory, answering: Canned) -> DreamReport:
    model = memory.trainable()
    folder = memory.folder.dream(ANA)
    context = DreamContext(
        memory.ledger, memory.adapters, model, FakeModel(jobs=EVERY), ANA, folder, memory.clock, answering=answering
    )
    return dream(context, DEFAULT, quiet)


def test_a_night_reports_what_it_did_to_the_truth(memory: HybridMemory) -> None:
    report = memory.dream(recipe=DEFAULT)
    assert report.status == "promoted"
    assert {"truth_loss", "new_wrong"} <= {check.name for check in report.gate}
    assert (report.test["truth_questions"], report.test["truth_right_before"]) == (4.0, 1.0)
    assert report.test["truth_right_after"] == 1.0
    assert [step.name for step in report.steps][:2] == ["ask", "extract"]


@pytest.mark.parametrize(
    ("after", "failed"),
    [
        ({"Ana": REFUSAL, "Ben": REFUSAL}, ["truth_loss"]),
        ({"Ana": "Paris", "Ben": "Rome"}, ["truth_loss", "new_wrong"]),
        ({"Ana": REFUSAL}, []),
        ({}, []),
    ],
)
def test_a_night_that_makes_the_memory_worse_or_timid_is_refused(
    memory: HybridMemory, after: dict[str, str], failed: list[str]
) -> None:
    report = night(memory, Canned(after))
    assert [check.name for check in report.gate if not check.passed] == failed
    assert report.status == ("rejected" if failed else "promoted")
    assert ("4 questions on the day's episodes: 4 right" in report.reason) == bool(failed)
    assert (memory.adapters.active() is None) == bool(failed)


def test_both_times_the_router_answers(memory: HybridMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it is too unsure of to answer on both mornings was not lost in the night between."""
    routes: list[str | None] = []
    answer = Router.answer

    def noting(self: Router, questions: Sequence[str], route: Route | None = None) -> list[Answer]:
        routes.append(route)
        return [replace(each, text=REFUSAL) for each in answer(self, questions, route)]

    monkeypatch.setattr(Router, "answer", noting)
    monkeypatch.setattr(Router, "rehearse", lambda self, questions, *more: noting(self, questions))
    report = memory.dream(recipe=DEFAULT)
    assert set(routes) == {None}
    assert (report.status, report.test["truth_right_before"]) == ("promoted", 0.0)


def test_the_questions_are_asked_before_anything_of_the_night_is_stored(memory: HybridMemory) -> None:
    class Looking(Canned):
        def as_it_is(self, questions: Sequence[str]) -> list[str]:
            assert memory.ledger.facts(ANA) == []
            return super().as_it_is(questions)

    answering = Looking({})
    night(memory, answering)
    assert len(answering.asked) == 1


def test_a_resumed_dream_asks_what_it_asked_before(memory: HybridMemory, tmp_path: Path) -> None:
    episodes = memory.ledger.unextracted(ANA)
    kept = tmp_path / "truth.json"
    first = prepare(FakeModel(), episodes, 60, 0, Canned({}), kept)
    again = prepare(FakeModel(), [], 60, 0, Canned({}), kept)
    assert first.questions == again.questions
    assert (first.before, len(first.questions)) == (again.before, 4)
    assert prepare(FakeModel(), episodes, 60, 0, None, kept) == TruthSet()


def test_without_propositions_no_truth_is_asked(memory: HybridMemory) -> None:
    report = memory.dream(recipe=replace(DEFAULT, extract="triples"))
    assert "truth_loss" not in {check.name for check in report.gate}
    assert "ask" not in {step.name for step in report.steps}


def test_questions_come_from_the_words_of_a_message_and_stand_among_the_others() -> None:
    def said(id: str, text: str) -> Episode:
        return Episode(id, ANA, text, at=NIGHT, recorded_at=NIGHT, position=int(id[1:]))

    alone, _ = write(FakeModel(), [said("e1", "Ana lives in Lisbon.")], 9, 0)
    assert [(each.answer, "Ana" in each.text) for each in alone] == [("Lisbon", True)]
    changed, _ = write(FakeModel(), [said("e1", "Ana lives in Lisbon."), said("e2", "Ana lives in Riga.")], 9, 0)
    assert [each.answer for each in changed] == ["Riga"]
    untrusted = replace(said("e3", "Ben lives in Mordor."), trust="web")
    assert write(FakeModel(), [untrusted], 9, 0)[0] == []


ANSWERS = st.sampled_from(["Lisbon", "in Lisbon", "Oslo", REFUSAL])


@given(st.lists(st.tuples(ANSWERS, ANSWERS), min_size=1, max_size=40))
def test_counts_and_bounds(answers: list[tuple[str, str]]) -> None:
    questions = tuple(TruthQuestion(f"Where is {n}?", "Lisbon", date(2026, 3, 1)) for n in range(len(answers)))
    truth = compare(TruthSet(questions, tuple(b for b, _ in answers)), [a for _, a in answers])
    assert truth.right_before + truth.wrong_before + sum(b == REFUSAL for b, _ in answers) == truth.asked
    assert truth.timid <= truth.right_before
    lost = truth.right_before - truth.right_after
    (loss, wrong) = checks(truth, GateSettings(max_truth_loss=0.0, max_new_wrong=0.0))
    assert loss.passed == (lost <= 1)
    assert wrong.passed == (truth.wrong_after - truth.wrong_before <= 1)


def test_every_bound_has_its_setting_and_nothing_asked_is_no_check() -> None:
    for bound in TRUTH_BOUNDS:
        assert getattr(GateSettings(), bound.setting) > 0
    assert checks(Truth(0, 0, 0, 0, 0), GateSettings()) == ()
