"""Whole nights in which a model at an endpoint reads and writes, and the local model has nothing but the weights."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.messages.utils import convert_to_openai_messages
from langchain_core.outputs import ChatGeneration, ChatResult
from pydantic import SecretStr

from hybridmem.core.errors import ModelError, ReaderBudgetSpent
from hybridmem.core.records import ReaderUsage, to_json
from hybridmem.dreaming import recipes
from hybridmem.dreaming.reader_bound import within_bound
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel
from hybridmem.models.prompts import is_refusal
from hybridmem.models.reader import LangChainReader, ReaderSettings
from tests.dreaming.nights import open_memory
from tests.reader_server import ReaderServer, reader_server

TOLD = ("Ana lives in Lisbon.", "I drive a Saab.", "I wish Cara lived in Rome.")
ANSWERS = {"Where does Ana live?": "Lisbon", "What do I drive?": "Saab"}


@pytest.fixture(scope="module")
def running() -> Iterator[ReaderServer]:
    with reader_server() as server:
        yield server


@pytest.fixture
def server(running: ReaderServer) -> ReaderServer:
    running.set()
    return running


def opened(folder: Path, server: ReaderServer, options: str = ",retries=0", **given: Any) -> HybridMemory:
    return open_memory(folder / "memory", given.pop("model", FakeModel()), reader=f"{server.name}{options}", **given)


def answered(memory: HybridMemory, route: Any = None) -> dict[str, str]:
    return {question: memory.answer(question, route=route).text for question in ANSWERS}


def repeated(server: ReaderServer) -> list[str]:
    """Prompts that were asked more than once."""
    return [asked for asked, times in Counter(json.dumps(each["body"]) for each in server.asked).items() if times > 1]


def test_the_whole_loop(server: ReaderServer, tmp_path: Path) -> None:
    local = FakeModel()
    with opened(tmp_path, server, ",price_in=0.25,price_out=2", model=local) as memory:
        for said in TOLD:
            memory.add(said)
        assert answered(memory) == ANSWERS
        assert local.calls == {}, "what reads is the endpoint"

        server.set()
        report = memory.dream()
        assert (report.status, report.new_facts) == ("promoted", 2)
        assert set(local.calls) == {"answer"}, "of the local model only the weights are asked"
        assert repeated(server) == []
        facts = {(fact.text, fact.object) for fact in memory.ledger.facts(memory.namespace)}
        assert facts == {("Ana lives in Lisbon.", "Lisbon"), ("The user drives a Saab.", "Saab")}

        asked = len(server.asked)
        assert answered(memory) == answered(memory, "weights") == ANSWERS
        assert [memory.answer(question).route for question in ANSWERS] == ["weights", "weights"]
        assert len(server.asked) == asked, "the weights need no endpoint"
        assert is_refusal(memory.answer("Where does Zoe live?").text)

        memory.add("Ana moved to Oslo.")
        assert memory.dream().status == "promoted"
        assert [f.object for f in memory.ledger.facts(memory.namespace) if f.subject == "Ana"] == ["Oslo"]
        assert memory.answer("Where does Ana live?").text == "Oslo"
        memory.adapters.rollback()
        assert memory.adapters.active().version == report.adapter  # type: ignore[union-attr]


def test_the_report_says_what_each_step_took(server: ReaderServer, tmp_path: Path) -> None:
    with opened(tmp_path, server, ",price_in=0.25,price_out=2") as memory:
        memory.add(TOLD[0])
        memory.add(TOLD[1])
        report = memory.dream()
        assert memory.dreams()[-1] == report, "with its last step, stored as it was given"
    asked = {step.name: step.reader for step in report.steps if step.reader is not None}
    assert set(asked) == {"ask", "extract", "compose", "gate"}
    total = sum(asked.values(), start=ReaderUsage())
    assert report.reader == replace(total, cost=report.reader.cost)  # type: ignore[union-attr]
    assert total.calls == len(server.asked)
    assert report.reader is not None and report.reader.cost == pytest.approx(
        (0.25 * total.prompt_tokens + 2 * total.completion_tokens) / 1e6
    )
    told = to_json(report)
    assert told["reader"]["calls"] == total.calls
    assert told["steps"][0]["reader"]["prompt_tokens"] > 0


def test_a_memory_that_reads_by_itself_has_no_such_figures(tmp_path: Path) -> None:
    with open_memory(tmp_path, FakeModel()) as memory:
        memory.add(TOLD[0])
        report = memory.dream()
    assert report.reader is None
    assert all(step.reader is None for step in report.steps)


@pytest.mark.parametrize("answers", [0, 3, 9, 25])
def test_a_reader_that_fails_stops_the_night_and_loses_nothing(
    server: ReaderServer, tmp_path: Path, answers: int
) -> None:
    with opened(tmp_path, server, ",retries=0,at_once=1") as memory:
        for said in TOLD:
            memory.add(said)
        server.set(after=answers, status=503)
        with pytest.raises(
            ModelError, match=r"refuses with 503.*nothing is lost: run `hybridmem dream` again"
        ) as raised:
            memory.dream()
        assert "\n" not in str(raised.value)
        assert memory.adapters.list() == [] and memory.dreams() == []
        assert len(memory.list(kind="episode")) == len(TOLD)
        before = server.prompts[:answers]
        server.set()
        report = memory.dream()
        assert (report.status, report.new_facts) == ("promoted", 2)
        assert answered(memory, "weights") == ANSWERS
        assert not set(before) & set(server.prompts), "what was answered is not asked again"
        assert report.reader is not None and report.reader.calls == answers + len(server.prompts)
        assert not list(memory.folder.root.rglob("replies.jsonl")), "replies are kept no longer than their night"


@pytest.mark.parametrize(("how", "reason"), [("refuses", "reply_refused"), ("babbles", "reply_malformed")])
def test_a_reply_that_is_none_costs_its_episode_alone(
    server: ReaderServer, tmp_path: Path, how: str, reason: str
) -> None:
    server.set(**{how: "Saab"})
    with opened(tmp_path, server) as memory:
        for said in TOLD:
            memory.add(said)
        report = memory.dream()
        assert (report.status, report.new_facts) == ("promoted", 1)
        extract = next(step for step in report.steps if step.name == "extract")
        assert extract.counts[f"left_out_{reason}"] == 1
        assert extract.counts["episodes"] == len(TOLD)
        assert report.reader is not None and bool(report.reader.refused_calls) == (how == "refuses")
        assert memory.answer("Where does Ana live?").text == "Lisbon"


def test_replies_in_other_forms_are_read_all_the_same(server: ReaderServer, tmp_path: Path) -> None:
    server.set(wraps=True)
    with opened(tmp_path, server) as memory:
        for said in TOLD:
            memory.add(said)
        assert memory.dream().new_facts == 2
        assert answered(memory, "weights") == answered(memory, "retrieval") == ANSWERS


def test_what_is_beyond_the_bound_waits_for_the_next_night(server: ReaderServer, tmp_path: Path) -> None:
    bound = 3_000
    told = [f"{name}a lives in {name}ville." for name in ["Ab", "Bef", "Cor", "Dun", "Elv", "Fin"]]
    with opened(tmp_path, server, f",max_reader_tokens={bound}") as memory:
        for said in told:
            memory.add(said)
        report = memory.dream()
        assert report.reader is not None and report.reader.tokens <= bound
        waiting = len(memory.ledger.unextracted(memory.namespace))
        assert 0 < waiting < len(told)
        assert f"{waiting} episodes wait for the next night: max_reader_tokens is reached" in report.reason
        assert report.status == "promoted", "and what was read is learned tonight"
        for _ in range(20):
            if not memory.ledger.unextracted(memory.namespace):
                break
            later = memory.dream()
            assert later.reader is None or later.reader.tokens <= bound
        assert memory.ledger.unextracted(memory.namespace) == []


def test_a_bound_that_is_too_small_for_anything_reads_nothing(server: ReaderServer, tmp_path: Path) -> None:
    with opened(tmp_path, server, ",max_reader_tokens=10") as memory:
        memory.add(TOLD[0])
        report = memory.dream()
        assert (report.status, report.reader) == ("nothing", None)
        assert "1 episode waits for the next night" in report.reason
        assert len(memory.ledger.unextracted(memory.namespace)) == 1
    assert server.asked == []


def test_a_small_bound_asks_fewer_questions_of_the_gate() -> None:
    recipe = recipes.load("default")
    assert within_bound(recipe, None) is recipe
    small, large = within_bound(recipe, 100_000), within_bound(recipe, 10_000_000)
    assert (small.reading.truth_questions, small.eval.calibration_questions) == (5, 12)
    assert (large.reading, large.eval) == (recipe.reading, recipe.eval)


def test_facts_whose_exercises_are_beyond_the_bound_are_not_given_up(server: ReaderServer, tmp_path: Path) -> None:
    with opened(tmp_path, server, ",max_reader_tokens=1200") as memory:
        for person in ("Ana", "Ben", "Cara"):
            memory.add_fact(person, "lives in", f"{person}ville")
        first = memory.dream()
        assert (first.status, first.left_to_retrieval) == ("promoted", ())
        assert 0 < first.new_facts < 3
        assert re.search(rf"\b{3 - first.new_facts} new facts? waits? for the next night", first.reason)
    with opened(tmp_path, server) as memory:
        assert memory.dream().new_facts == 3 - first.new_facts


def test_a_night_whose_gate_cannot_ask_is_not_promoted_and_goes_on_the_next(
    server: ReaderServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hybridmem.dreaming import reader_bound

    with opened(tmp_path, server) as memory:
        memory.add(TOLD[0])
        free = memory.dream()
    assert free.reader is not None
    before_gate = sum(s.reader.tokens for s in free.steps if s.reader and s.name != "gate")
    for name in ("READING_SHARE", "COMPOSING_SHARE"):
        monkeypatch.setattr(reader_bound, name, 1.0)
    monkeypatch.setattr(reader_bound, "TOKENS_A_TRUTH_QUESTION", 1)
    monkeypatch.setattr(reader_bound, "TOKENS_AN_AUDIT_QUESTION", 1)
    with opened(tmp_path / "other", server, f",max_reader_tokens={before_gate + 80}") as memory:
        memory.add(TOLD[0])
        with pytest.raises(ReaderBudgetSpent, match="the next night goes on from here"):
            memory.dream()
        assert memory.adapters.active() is None
    with opened(tmp_path / "other", server) as memory:
        assert memory.dream().status == "promoted"


def test_a_dry_run_asks_nothing_and_is_near_to_what_comes(server: ReaderServer, tmp_path: Path) -> None:
    with opened(tmp_path, server, ",price_in=1,price_out=1") as memory:
        for name in ("Ana", "Ben", "Cara", "Dan", "Eve", "Finn"):
            memory.add(f"{name} lives in {name}ville.")
        estimate = memory.dream(dry_run=True)
        assert server.asked == []
        assert [step.name for step in estimate.steps] == ["ask", "extract", "compose", "train", "gate"]
        assert estimate.reader is not None and estimate.reader.estimated_calls == estimate.reader.calls > 0
        assert estimate.reader.cost == pytest.approx(estimate.reader.tokens / 1e6)
        assert memory.dreams() == []
        memory.dream()
        for name in ("Gil", "Hana", "Ida", "Jon", "Kai", "Lea"):
            memory.add(f"{name} lives in {name}ville.")
        second = memory.dream(dry_run=True)
        came = memory.dream()
        assert second.reader is not None and came.reader is not None
        assert second.reader.tokens == pytest.approx(came.reader.tokens, rel=0.6)


class Chat(BaseChatModel):
    """A LangChain chat model that answers as the fake model does, and counts its tokens."""

    asked: list[str] = []  # noqa: RUF012
    fails: bool = False
    key: SecretStr = SecretStr("sk-test-0123456789")

    @property
    def _llm_type(self) -> str:
        return "chat"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        self.asked.append(messages[-1].text)
        if self.fails:
            raise RuntimeError(f"no such key as {self.key.get_secret_value()}")
        (said,) = FakeModel().generate([convert_to_openai_messages(messages)], max_new_tokens=4096)  # type: ignore[list-item]
        usage = {"input_tokens": 7, "output_tokens": 3, "total_tokens": 10}
        message = AIMessage(said.text, usage_metadata=usage)  # type: ignore[arg-type]
        return ChatResult(generations=[ChatGeneration(message=message)])


def test_a_langchain_chat_model_reads_the_night(tmp_path: Path) -> None:
    chat = Chat()
    reader = LangChainReader(chat, ReaderSettings(price_in=1.0, price_out=1.0))
    with open_memory(tmp_path, FakeModel(), reader=reader) as memory:
        for said in TOLD:
            memory.add(said)
        report = memory.dream()
        assert (report.status, report.new_facts) == ("promoted", 2)
        assert report.reader is not None
        assert report.reader.calls == len(chat.asked)
        assert (report.reader.tokens, report.reader.cost) == (
            10 * len(chat.asked),
            pytest.approx(len(chat.asked) / 1e5),
        )
        assert answered(memory, "retrieval") == ANSWERS


def test_a_langchain_chat_model_that_fails_is_one_line(tmp_path: Path) -> None:
    with open_memory(tmp_path, FakeModel(), reader=Chat(fails=True)) as memory:
        memory.add(TOLD[0])
        with pytest.raises(
            ModelError, match=r"the reader Chat failed \(RuntimeError: no such key as \*\*\*\)"
        ) as raised:
            memory.dream()
        assert "\n" not in str(raised.value)
        chat = Chat()
    with open_memory(tmp_path, FakeModel(), reader=chat) as memory:
        assert memory.dream().status == "promoted"
