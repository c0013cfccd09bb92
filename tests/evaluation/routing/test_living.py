"""A memory that lives through the router's stream: what is asked and when, what it leaves, and how it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from hybridmem.core.clock import Clock
from hybridmem.core.errors import InvalidInput
from hybridmem.core.progress import quiet
from hybridmem.dreaming import general
from hybridmem.evaluation.routing import living
from hybridmem.evaluation.routing.asking import ask
from hybridmem.evaluation.routing.living import Life, live_through
from hybridmem.evaluation.routing.maker import make_router_stream
from hybridmem.evaluation.routing.outcome import FORCED, FULL_CONTEXT, Outcome
from hybridmem.evaluation.routing.question import RouterQuestion
from hybridmem.evaluation.stream import StreamDelete
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel
from tests.evaluation.routing.outcomes import question

WHOLE = make_router_stream(1, 2, 5)
STREAM = replace(WHOLE, questions=WHOLE.questions[::5])


@pytest.fixture(autouse=True)
def one_unrelated_question(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(general, "unrelated", lambda part: ("What colour is the sky?",))


def opened(folder: Path, clock: Clock) -> HybridMemory:
    return HybridMemory.open(folder, namespace=("bench",), model=FakeModel(), embedder="hashing", clock=clock)


def live(folder: Path) -> Life:
    return live_through(STREAM, folder, opened, "default", quiet)


def answers(life: Life) -> list[tuple[str, dict[str, str]]]:
    return [
        (outcome.question.id, {way: said.text for way, said in outcome.said.items()})
        for moment in life.moments
        for outcome in moment.outcomes
    ]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Life]:
    folder = tmp_path_factory.mktemp("whole") / "seed-1"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(general, "unrelated", lambda part: ("What colour is the sky?",))
        return folder, live(folder)


def test_every_question_is_asked_once_by_every_way(whole: tuple[Path, Life]) -> None:
    asked = [outcome for moment in whole[1].moments for outcome in moment.outcomes]
    assert [each.question for each in asked] == [
        question
        for night in (1, 2)
        for moment in ("day", "night")
        for question in STREAM.asked(night, moment)  # type: ignore[arg-type]
    ]
    assert all(set(each.said) == {*FORCED, FULL_CONTEXT} for each in asked)
    assert all(said.seconds is not None and said.seconds > 0 for each in asked for said in each.said.values())
    assert [moment.dream["night"] for moment in whole[1].moments if moment.dream] == [1, 2]


def test_the_memory_has_lived_through_the_stream(whole: tuple[Path, Life]) -> None:
    with opened(whole[0] / "memory", living.StreamClock()) as memory:
        texts = {episode.text: episode for episode in memory.list(limit=500, kind="episode")}
    deleted = {event.fact for event in STREAM.events if isinstance(event, StreamDelete)}
    assert deleted and set(texts) == {fact.text for fact in STREAM.facts if fact.id not in deleted}
    set_aside = {event.fact for event in STREAM.quarantines}
    assert {fact.id for fact in STREAM.facts if fact.text in texts and texts[fact.text].quarantined} == set_aside
    assert {episode.at.date() for episode in texts.values()} == {living.day_of(night) for night in (1, 2)}


def test_asking_is_no_use_of_a_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with opened(tmp_path / "memory", living.StreamClock()) as memory:
        memory.add("Ana lives in Riga.")
        monkeypatch.setattr(type(memory.ledger), "touch", lambda *given: pytest.fail("a use was noted"))
        (outcome,) = ask(memory, [question("Where does Ana live?")], 7)
        assert (outcome.seed, outcome.popularity, outcome.said["retrieval"].text) == (7, 1, "Riga")
        assert outcome.weights is None and outcome.memories and not outcome.consolidated


@pytest.mark.parametrize("when", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_run_that_was_stopped_goes_on_where_it_was(
    whole: tuple[Path, Life], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: int
) -> None:
    asked: list[int] = []
    original = living.ask

    def stopped(memory: HybridMemory, questions: Sequence[RouterQuestion], seed: int) -> list[Outcome]:
        asked.append(len(questions))
        if len(asked) == when + 1:
            raise KeyboardInterrupt
        return original(memory, questions, seed)

    monkeypatch.setattr(living, "ask", stopped)
    with pytest.raises(KeyboardInterrupt):
        live(tmp_path / "seed-1")
    assert answers(live(tmp_path / "seed-1")) == answers(whole[1])
    assert len(asked) == 5


def test_what_is_done_is_not_asked_again(whole: tuple[Path, Life], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(living, "ask", lambda *given: pytest.fail("asked again"))
    monkeypatch.setattr(HybridMemory, "dream", lambda *given, **named: pytest.fail("dreamt again"))
    assert live(whole[0]) == whole[1]


def test_another_stream_or_a_damaged_file_is_refused_in_one_line(whole: tuple[Path, Life], tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="other conditions") as caught:
        live_through(make_router_stream(2, 2, 5), whole[0], opened, "default", quiet)
    assert "stream_sha256" in str(caught.value) and "\n" not in str(caught.value)
    folder = tmp_path / "seed-1"
    folder.mkdir()
    (folder / "night-001-day.json").write_text("{}")
    with pytest.raises(InvalidInput, match="is no result of a router benchmark: move it away"):
        live(folder)
