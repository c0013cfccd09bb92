from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hybridmem.adapters.registry import AdapterRegistry
from hybridmem.core.errors import CorruptAdapter, WrongBase
from hybridmem.core.records import AdapterRecord, Answer, Audit, DreamReport, Episode, Fact, Hit, Route
from hybridmem.models.base import Generation
from hybridmem.models.fake import ADAPTER_FILE, FakeModel
from hybridmem.models.prompts import REFUSAL, Message
from hybridmem.retrieval.pipeline import Found
from hybridmem.router import decision, policy
from hybridmem.router.calibration import Calibration, Graded
from hybridmem.router.context import MEMORIES_READ, lines, messages_first, worth_reading
from hybridmem.router.feedback import GradedQuestions
from hybridmem.router.policy import AuditQuestion, Router
from hybridmem.router.signals import prior_heads
from hybridmem.stores.ledger.inmemory.ledger import InMemoryLedger
from tests import notices
from tests.dreaming.nights import ANA, NIGHT, ScriptedModel, fact

DREAMT = NIGHT + timedelta(hours=1)
WHERE = "Where does Ana live?"


@dataclass
class World:
    """A ledger, a registry and a model: what is told, dreamt and found."""

    folder: Path
    model: FakeModel = field(default_factory=FakeModel)
    ledger: InMemoryLedger = field(default_factory=InMemoryLedger)
    hits: list[Hit] = field(default_factory=list)
    meanwhile: Callable[[], None] = lambda: None
    """What happens while a question's memories are searched."""

    def __post_init__(self) -> None:
        self.registry = AdapterRegistry(self.ledger, self.folder / "adapters", ANA, lambda: DREAMT)

    @property
    def router(self) -> Router:
        return Router(self.ledger, self.registry, self.model, ANA, self.find)

    def find(self, question: str) -> Found:
        records = self.ledger.get_many(ANA, [hit.id for hit in self.hits])
        self.meanwhile()
        return Found.of([hit for hit in self.hits if hit.id in records], records)

    def know(self, *facts: Fact) -> None:
        for known in facts:
            self.show(self.ledger.put_fact(known))

    def hear(self, text: str, at: datetime, score: float = 1.0, **values: str) -> None:
        self.show(self.ledger.append([Episode(f"e{at}", ANA, text, at=at, recorded_at=at, **values)])[0], score)

    def show(self, record: Fact | Episode, score: float = 1.0) -> None:
        """The search finds it, after what it found already where that is as good."""
        is_fact = isinstance(record, Fact)
        at = record.valid_from if isinstance(record, Fact) else record.at
        speaker = None if isinstance(record, Fact) else record.speaker
        hit = Hit(
            record.id, record.text, score, "fact" if is_fact else "episode", {"dense": score}, at=at, speaker=speaker
        )
        self.hits = sorted([*self.hits, hit], key=lambda hit: -hit.score)

    def dream(self, answers: Mapping[str, str], *held: Fact, right: int = 4, minutes: float = 5) -> str:
        """An adapter that gives these answers, promoted and audited."""
        version = self.train(answers, *held, right=right, minutes=minutes)
        self.registry.promote(version)
        return version

    def train(self, answers: Mapping[str, str], *held: Fact, right: int = 4, minutes: float = 5) -> str:
        """An adapter that gives these answers, audited and not promoted."""
        candidate = self.folder / "candidate"
        candidate.mkdir()
        (candidate / ADAPTER_FILE).write_text(json.dumps(answers))
        record = AdapterRecord(
            "", ANA, "fake", self.model.sha256, None, "candidate", DREAMT, "d1", facts=tuple(f.id for f in held)
        )
        version = self.registry.register(candidate, record).version
        self.ledger.save_audits(ANA, [Audit(version, f.id, "dev", 4, right) for f in held])
        self.ledger.save_dream(DreamReport("d1", ANA, "promoted", 1, DREAMT, seconds=60 * minutes, adapter=version))
        return version

    def ask(self, question: str = WHERE, route: Route | None = None) -> Answer:
        return self.router.answer([question], route)[0]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


LISBON, OSLO = fact("f1", "Ana", "Lisbon"), fact("f2", "Ben", "Oslo")
ACME = fact("f3", "Ana", "Acme", "works at")
FORCED: tuple[Route, ...] = ("weights", "both")


def test_a_consolidated_and_audited_fact_is_answered_from_the_weights(world: World) -> None:
    world.know(LISBON, OSLO)
    version = world.dream({WHERE: "Lisbon"}, LISBON)
    told, read = world.ask(), world.ask(route="retrieval")
    assert (told.text, told.route, told.adapter) == ("Lisbon", "weights", version)
    assert (read.text, read.route, read.adapter) == ("Lisbon", "retrieval", None)
    assert 0 < told.prompt_tokens < read.prompt_tokens
    assert [hit.id for hit in told.evidence] == ["f1"]
    assert told.confidence > 0.8
    assert set(told.signals) == set(read.signals)


def test_a_faster_way_writes_answers_and_none_that_are_judged(tmp_path: Path) -> None:
    class Quick(FakeModel):
        def generate_answers(self, prompts: Sequence[Sequence[Message]]) -> list[Generation]:
            return [replace(said, text="Quick") for said in self.generate(prompts)]

    world = World(tmp_path, model=Quick())
    world.know(LISBON)
    world.dream({WHERE: "Lisbon"}, LISBON)
    judged = replace(world.router, exact=True)
    for route in (None, "weights", "retrieval"):
        assert world.ask(route=route).text == "Quick"
        assert judged.answer([WHERE], route)[0].text == "Lisbon"


def test_one_batch_answers_each_question_on_its_own_grounds(world: World) -> None:
    world.know(LISBON)
    world.dream({WHERE: "Lisbon"}, LISBON)
    answers = world.router.answer([WHERE, "Where does Eve live?", WHERE])
    assert [answer.route for answer in answers] == ["weights", "abstain", "weights"]
    assert world.router.answer([]) == []


@pytest.mark.parametrize("minutes", [2, 30])
def test_news_since_the_dream_began_is_read(world: World, minutes: float) -> None:
    """Even what was told while it ran: it may have been read over."""
    world.know(LISBON)
    world.dream({WHERE: "Lisbon"}, LISBON, minutes=10)
    world.hear("Ana lives in Oslo.", DREAMT + timedelta(minutes=minutes))
    told = world.ask()
    assert (told.text, told.route) == ("Oslo", "retrieval")


def test_what_was_told_before_the_dream_is_no_news(world: World) -> None:
    world.know(LISBON)
    world.hear("Ana lives in Lisbon.", NIGHT)
    world.dream({WHERE: "Lisbon"}, LISBON)
    assert world.ask().route == "weights"


def test_a_fact_that_failed_its_audit_is_read(world: World) -> None:
    world.know(LISBON)
    world.dream({WHERE: "Lisbon"}, LISBON, right=0)
    assert world.ask().route == "retrieval"


def test_without_an_adapter_everything_is_read(world: World) -> None:
    world.know(LISBON)
    told = world.ask()
    assert (told.text, told.route, told.adapter) == ("Lisbon", "retrieval", None)
    assert world.ask(route="weights").text == REFUSAL


def test_a_deleted_fact_is_not_answered_from_any_route(world: World) -> None:
    world.know(LISBON)
    world.dream({WHERE: "Lisbon"}, LISBON)
    world.ledger.erase(ANA, "f1", DREAMT)
    for route in (None, *FORCED, "retrieval"):
        told = world.ask(route=route)
        assert (told.text, told.route, told.evidence) == (REFUSAL, "abstain", ())


@pytest.mark.parametrize("route", [None, *FORCED, "retrieval"])
def test_a_deleted_fact_is_not_answered_on_the_grounds_of_another(world: World, route: Route | None) -> None:
    """What is left about Ana is in the weights and audited; where she lived is still in them too."""
    world.know(LISBON, ACME)
    world.dream({WHERE: "Lisbon", "Where does Ana work?": "Acme"}, LISBON, ACME)
    world.ledger.erase(ANA, "f1", DREAMT)
    assert world.ask(route=route).text != "Lisbon"
    assert world.ask("Where does Ana work?").route == "weights"


class Blurting(FakeModel):
    """Says what its weights hold where the memories before it do not answer."""

    def _completed(self, content: str, form: int = 0) -> str:
        read = super()._completed(content, form)
        asked = content.splitlines()[-1]
        return super()._completed(asked, form) if read == REFUSAL and asked.startswith("Question: ") else read


def test_weights_that_hold_what_was_deleted_do_not_read_either(tmp_path: Path) -> None:
    world = World(tmp_path, Blurting())
    world.know(LISBON, ACME)
    world.dream({WHERE: "Lisbon"}, LISBON)
    assert world.ask(route="both").text == "Lisbon"
    world.ledger.erase(ANA, "f1", DREAMT)
    assert world.ask(route="both").text == REFUSAL


@pytest.mark.parametrize("route", FORCED)
def test_what_still_stands_is_answered_while_something_else_is_deleted(world: World, route: Route) -> None:
    world.know(LISBON, OSLO)
    world.dream({WHERE: "Lisbon", "Where does Ben live?": "Oslo"}, LISBON, OSLO)
    world.ledger.erase(ANA, "f1", DREAMT)
    told = world.ask("Where does Ben live?", route)
    assert (told.text, told.route) == ("Oslo", route)


@pytest.mark.parametrize("route", [None, *FORCED, "retrieval"])
def test_a_superseded_value_is_not_answered(world: World, route: Route | None) -> None:
    world.know(LISBON)
    world.dream({WHERE: "Lisbon"}, LISBON)
    world.hits.clear()
    world.know(
        replace(LISBON, id="f9", object="Riga", text="Ana lives in Riga.", valid_from=DREAMT, recorded_at=DREAMT)
    )
    told = world.ask(route=route)
    assert told.text == ("Riga" if route != "weights" else REFUSAL)


@pytest.mark.parametrize("route", [None, *FORCED, "retrieval"])
@pytest.mark.parametrize("moved", ["clock", "asked_on"])
def test_weights_say_nothing_that_holds_no_more_when_the_question_is_asked(
    world: World, route: Route | None, moved: str
) -> None:
    """The successor's day comes without a write; what the search finds may be another fact of Ana's alone."""
    world.know(LISBON, ACME)
    world.dream({WHERE: "Lisbon", "Where does Ana work?": "Acme"}, LISBON, ACME)
    begins = datetime(2030, 1, 1, tzinfo=UTC)
    world.ledger.put_fact(replace(LISBON, id="f9", object="Riga", text="Ana lives in Riga.", valid_from=begins))
    eve, day = begins - timedelta(seconds=1), begins
    moved_to = {"clock": lambda at: {"clock": lambda: at}, "asked_on": lambda at: {"asked_on": at}}[moved]
    if route in (None, *FORCED):
        assert replace(world.router, **moved_to(eve)).answer([WHERE], route)[0].text == "Lisbon"
    world.hits = [hit for hit in world.hits if hit.id == ACME.id]
    router = replace(world.router, **moved_to(day))
    assert router.answer([WHERE], route)[0].text == REFUSAL
    assert router.explain(WHERE).answer.text == REFUSAL
    assert router.answer(["Where does Ana work?"], route)[0].text == "Acme"


def test_two_routes_that_agree_are_both_named(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decision, "SURE", 1.0)
    world.know(LISBON)
    version = world.dream({WHERE: "Lisbon"}, LISBON)
    told = world.ask()
    weights, read = world.ask(route="weights"), world.ask(route="retrieval")
    assert (told.text, told.route, told.adapter) == ("Lisbon", "both", version)
    assert told.prompt_tokens == weights.prompt_tokens + read.prompt_tokens
    assert max(weights.confidence, read.confidence) < told.confidence < 1


@pytest.mark.parametrize(("bias", "text", "route"), [(3.0, "Porto", "weights"), (-3.0, "Lisbon", "retrieval")])
def test_of_two_that_differ_the_surer_one_is_believed(
    world: World, monkeypatch: pytest.MonkeyPatch, bias: float, text: str, route: Route
) -> None:
    monkeypatch.setattr(decision, "SURE", 1.0)
    world.know(LISBON)
    world.dream({WHERE: "Porto"}, LISBON)
    prior = prior_heads()
    world.ledger.put_state(ANA, Calibration({**prior, "weights": {**prior["weights"], "bias": bias}}))
    told = world.ask()
    assert (told.text, told.route) == (text, route)
    assert world.ask(route="retrieval").confidence <= told.confidence


@pytest.mark.parametrize(("threshold", "route"), [(0.5, "retrieval"), (0.999, "abstain")])
def test_below_the_threshold_it_abstains(world: World, threshold: float, route: Route) -> None:
    world.know(LISBON)
    world.ledger.put_state(ANA, replace(Calibration(), threshold=threshold))
    told = world.ask()
    assert told.route == route
    assert [hit.id for hit in told.evidence] == ["f1"]
    assert told.text == (REFUSAL if route == "abstain" else "Lisbon")
    if route == "abstain":
        assert told.confidence == pytest.approx(1 - world.ask(route="retrieval").confidence)


def test_refusals_are_abstentions(world: World) -> None:
    world.know(OSLO)
    world.dream({}, OSLO)
    assert world.ask("Where does Ben work?").route == "abstain"
    told = world.ask("Where does Eve live?")
    assert (told.text, told.route, told.confidence) == (REFUSAL, "abstain", 1.0)


def test_weights_that_refuse_give_way_to_reading(world: World) -> None:
    world.know(LISBON)
    world.dream({}, LISBON)
    told = world.ask()
    assert (told.text, told.route) == ("Lisbon", "retrieval")
    assert world.ask(route="weights").route == "abstain"


def test_a_forced_abstention_asks_nobody(world: World) -> None:
    world.know(LISBON)
    world.dream({WHERE: "Lisbon"}, LISBON)
    assert (world.ask(route="abstain").text, world.model.calls["answer"]) == (REFUSAL, 0)


def test_forced_weights_need_no_search(world: World) -> None:
    world.know(LISBON)
    world.dream({WHERE: "Lisbon"}, LISBON)

    def never(question: str) -> Found:
        raise AssertionError(question)

    told = replace(world.router, find=never).answer([WHERE], "weights")[0]
    assert (told.text, told.route) == ("Lisbon", "weights")


def scripted(world: World, say: Callable[[str], str]) -> tuple[Router, ScriptedModel]:
    model = ScriptedModel(say)
    return replace(world.router, model=model), model


def test_memories_are_read_oldest_first_and_with_their_speakers(world: World) -> None:
    world.hear("I live in Oslo.", NIGHT + timedelta(days=2), 3.0, speaker="Ana")
    world.hear("I live in Riga.", NIGHT + timedelta(days=1), 2.0, speaker="Ben")
    router, model = scripted(world, lambda content: "Oslo")
    assert router.answer([WHERE])[0].text == "Oslo"
    assert model.asked == [f"Memories:\n- Ben: I live in Riga.\n- Ana: I live in Oslo.\nQuestion: {WHERE}"]


def test_only_so_many_memories_are_read_and_those_that_match_themselves(world: World) -> None:
    own = [Hit(f"o{n}", f"o{n}", 1.0, "episode", {"dense": 0.5, "neighbour": 0.5}) for n in range(9)]
    around = Hit("a", "a", 2.0, "episode", {"neighbour": 2.0})
    assert worth_reading([around, *own]) == own[:MEMORIES_READ]
    assert worth_reading([around]) == [around]


def test_a_reader_of_messages_reads_them_in_the_place_of_their_facts(world: World) -> None:
    """A fact beside its message would take the place of another message: the night must not cost an answer."""
    said = Episode("e1", ANA, "Launch slipped, it's the 21st now.", at=NIGHT, recorded_at=NIGHT)
    fact = replace(OSLO, sources=(said.id,))
    found = Found.of(
        [
            Hit(fact.id, fact.text, 3.0, "fact", {"dense": 1.0}),
            Hit(LISBON.id, LISBON.text, 2.0, "fact", {"dense": 1.0}),
            Hit(said.id, said.text, 1.0, "episode", {"dense": 1.0}),
        ],
        {fact.id: fact, LISBON.id: LISBON, said.id: said},
    )
    assert [hit.id for hit in messages_first(found)] == [said.id, LISBON.id]
    # What is found only through the turns around it is not read, so that its fact stays.
    around = replace(found.hits[2], why={"neighbour": 1.0})
    assert [hit.id for hit in messages_first(replace(found, hits=(*found.hits[:2], around)))] == [
        fact.id,
        LISBON.id,
        said.id,
    ]


def test_damaged_weights_are_an_error_and_no_answer(world: World) -> None:
    world.know(LISBON)
    version = world.dream({WHERE: "Lisbon"}, LISBON)
    (world.registry.path(version) / ADAPTER_FILE).write_text("{}")
    with pytest.raises(CorruptAdapter, match="rollback"):
        world.ask()


@pytest.fixture
def another_base(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The adapter that is active was trained on another base than the model of today."""
    ana = fact("f1", object="Riga")
    world.know(ana)
    world.dream({WHERE: "Mars"}, ana)
    monkeypatch.setattr(FakeModel, "sha256", "f" * 64)
    monkeypatch.setattr(FakeModel, "name", "another")
    monkeypatch.setattr(policy, "_told", set())
    return world


def test_an_adapter_of_another_base_stays_out_and_answers_come_by_retrieval(another_base: World) -> None:
    with notices.kept("hybridmem.router") as lines:
        for _ in range(2):
            (answer,) = another_base.router.answer([WHERE])
            assert (answer.text, answer.route, answer.adapter) == ("Riga", "retrieval", None)
        explained = another_base.router.explain(WHERE)
        assert (explained.answer.route, explained.known.consolidated) == ("retrieval", False)
        assert explained.routes["weights"].answer.text != "Mars"
        (graded,) = audited(another_base, (WHERE, "Riga"))
        assert graded.weights is None and graded.retrieval
    assert lines == [
        "the adapter v0001 was trained on the base fake, and the model is another: answers come by retrieval until the "
        "next dream, or with --model fake"
    ]


@pytest.mark.parametrize("route", ["weights", "both"])
def test_weights_of_another_base_are_refused_by_name_when_they_are_forced(another_base: World, route: Route) -> None:
    with pytest.raises(WrongBase, match=f"v0001 was trained on .*{'f' * 64}.*--model.*dream again") as caught:
        another_base.router.answer([WHERE], route)
    assert "\n" not in str(caught.value)


def test_weights_of_the_former_base_answer_again_with_it(another_base: World, monkeypatch: pytest.MonkeyPatch) -> None:
    another_base.router.answer([WHERE])
    monkeypatch.undo()
    (answer,) = another_base.router.answer([WHERE], "weights")
    assert (answer.text, answer.adapter) == ("Mars", "v0001")


def test_readings_are_what_the_choice_rests_on_and_both_are_made(world: World) -> None:
    world.know(LISBON)
    world.dream({WHERE: "Lisbon"}, LISBON)
    (read,) = world.router.readings([WHERE])
    assert read.weights and read.memories and read.known.consolidated
    assert (read.weights.said.text, read.memories.said.text) == ("Lisbon", "Lisbon")
    assert world.ask().signals == read.weights.features
    (closed_book,) = world.router.readings([WHERE], "weights")
    assert closed_book.weights and closed_book.memories is None
    (memories,) = world.router.readings([WHERE], "retrieval")
    assert memories.weights is None and memories.memories


def audited(world: World, *asked: tuple[str, str]) -> tuple[Graded, ...]:
    """What calibration is fitted on after these audit questions with their answers."""
    world.router.calibrate([AuditQuestion(question, answer, question) for question, answer in asked])
    known = world.ledger.get_state(ANA, GradedQuestions)
    assert known
    return known.audits


def test_audits_observe_each_route_where_it_would_answer(world: World) -> None:
    world.know(LISBON, OSLO)
    world.dream({WHERE: "Porto"}, LISBON)
    graded = audited(world, (WHERE, "Lisbon"), ("Where does Ben live?", "Oslo"), ("Where does Eve live?", REFUSAL))
    assert [each.weights.right for each in graded if each.weights] == [False]
    assert [each.retrieval.right for each in graded if each.retrieval] == [True, True]
    assert not any(each.better for each in graded)
    assert world.router.calibration().observations == 3


def test_feedback_on_wrong_answers_makes_the_router_careful_and_right_ones_bring_it_back(world: World) -> None:
    world.know(OSLO)
    asked = "Where does Ben live?"
    assert world.ask(asked).route == "retrieval"
    told = [world.router.feedback(asked, "Riga") for _ in range(8)]
    assert told[0].was_wrong
    assert world.ask(asked).route == "abstain"
    assert world.router.feedback(asked, None).was_wrong is False  # it is refused by now
    for _ in range(250):
        world.router.feedback(asked, "Oslo")
    assert world.ask(asked).route == "retrieval"


def test_feedback_keeps_neither_question_nor_answer(world: World) -> None:
    world.know(OSLO)
    world.router.feedback("Where does Ben live?", "Oslo")
    kept = world.ledger.get_state(ANA, GradedQuestions)
    assert kept
    assert "Oslo" not in str(kept.to_json()) and "Ben" not in str(kept.to_json())
    assert [each.group for each in kept.asked] == [OSLO.id]
    assert GradedQuestions.from_json(json.loads(json.dumps(kept.to_json())), 1) == kept


def test_a_dream_calibrates_on_feedback_too_and_not_on_another_readers(world: World) -> None:
    world.know(OSLO)
    world.router.feedback("Where does Ben live?", "Oslo")
    audited(world, ("Where does Ben live?", "Oslo"))
    assert world.router.calibration().asked == 2
    other = replace(world.router, reader=FakeModel(), find=world.find)
    other.calibrate([AuditQuestion("Where does Ben live?", "Oslo", "f2")])
    assert other.calibration().asked == 1


def test_what_the_dream_calibrated_is_used(world: World) -> None:
    assert world.router.calibration() == Calibration()
    fitted = replace(Calibration(), threshold=0.25, feasible=True)
    world.ledger.put_state(ANA, fitted)
    assert world.router.calibration() == fitted


def at(day: int, text: str, **values: Any) -> Hit:
    return Hit(f"{day}{text}", text, 1.0, "episode", {"dense": 1.0}, at=datetime(2026, 3, day, tzinfo=UTC), **values)


def test_what_another_memory_contains_is_not_read_twice() -> None:
    told, fact = at(1, "Hello. Ana lives in Riga."), at(1, "Ana lives in Riga.")
    assert lines([fact, told]) == lines([told, fact]) == ["Hello. Ana lives in Riga."]
    assert lines([told, at(2, "Ana lives in Riga.", speaker="Ben")]) == [told.text, "Ben: Ana lives in Riga."]
    assert lines([at(1, "The port is 80"), at(2, "The port is 8080")]) == ["The port is 80", "The port is 8080"]


def test_what_holds_again_is_read_last() -> None:
    riga, oslo, again = at(1, "Ana lives in Riga."), at(2, "Ana lives in Oslo."), at(3, "Ana lives in Riga.")
    assert lines([riga, oslo, again]) == ["Ana lives in Oslo.", "Ana lives in Riga."]
