"""The benchmark of sessions, with a tiny random model: every arm."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch")

import torch

from hybridmem.core.errors import InvalidInput, ModelError
from hybridmem.evaluation.session.arms import ARMS, Bench
from hybridmem.evaluation.session.reply import completion
from hybridmem.evaluation.session.script import SessionQuestion, make_script
from hybridmem.evaluation.suites import session
from hybridmem.memory import HybridMemory
from hybridmem.models import prompts
from hybridmem.models.fake import FakeModel
from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.running.reader import SessionReader
from tests.models import families

SIZE, FACTS, BUDGET = 1000, 1, 200
QUESTION = SessionQuestion("q", "f", "answerable", "question", "Where does Mira live?", answer="Riga")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> HuggingFaceModel:
    folder = families.save("llama", tmp_path_factory.mktemp("llama"), layers=3)
    return HuggingFaceModel.load(folder, device="cpu", dtype="float32")


@pytest.fixture
def bench(model: HuggingFaceModel, tmp_path: Path) -> Iterator[Bench]:
    def count(text: str) -> int:
        return len(model.encode_text(f"- {text}\n"))

    own, other = (make_script(seed, SIZE, FACTS, count) for seed in (1, 2))

    def opened(folder: Path) -> HybridMemory:
        return HybridMemory.open(folder, model=FakeModel(), embedder="hashing", vectors="memory")

    with model.exclusive():
        yield Bench(SessionReader(model), own, other, BUDGET, 0, tmp_path, opened)


def test_every_arm_answers(model: HuggingFaceModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hybridmem.evaluation.session.reply.MOST_TOKENS", 2)
    out = tmp_path / "rows.jsonl"
    given = {"model": model, "embedder": "hashing", "sizes": (SIZE,), "facts": FACTS, "budget": BUDGET, "out": out}
    found = session.run(**given, arms=list(ARMS), controls_every=6)  # type: ignore[arg-type]
    by_name = {arm.arm: arm for arm in found.arms}
    # 1,000 tokens, the question and its answer are too many for the 1,024 of this model.
    assert set(by_name) == set(ARMS) - {"full context"}
    asked = {name: arm.questions for name, arm in by_name.items()}
    assert asked == {name: 1 if ARMS[name].control else 6 for name in asked}
    for name, arm in by_name.items():
        assert arm.read <= BUDGET, name
        assert arm.processor_seconds > 0
        assert arm.nbytes > 0 or name == "none"
    assert by_name["session, output memory"].nbytes > by_name["session"].nbytes > by_name["compacted to 10%"].nbytes
    assert [claim.held for claim in found.claims if claim.name == "H1"] == [None]
    lines = out.read_text(encoding="utf-8")
    again = session.run(**given, arms=["none", "session"], controls_every=6)  # type: ignore[arg-type]
    assert out.read_text(encoding="utf-8") == lines, "what was answered is not asked again"
    assert again.arms == found.arms


def test_text_that_was_read_once_is_the_ordinary_prompt(bench: Bench) -> None:
    lines = bench.script.left[:4]
    prefix, model = bench.text_prefix(lines), bench.reader.model
    ids = ARMS["truncation"].make(bench).ids(bench.reader, QUESTION)  # type: ignore[union-attr]
    behind = bench.reader.forward(prefix.cache, torch.tensor([list(ids)]), prefix.start)[0, -1]
    whole = model.render(prompts.answer(QUESTION.text, [message.line for message in lines]))
    torch.testing.assert_close(behind, model.module(torch.tensor([whole])).logits[0, -1], atol=1e-4, rtol=1e-4)


def test_what_was_deleted_is_in_no_arm(bench: Bench) -> None:
    gone = [message.text for message in bench.script.messages if message.id in bench.script.deleted]
    kept = bench.state.reader.model.tokenizer.decode([id for chunk in bench.state.chunks for id in chunk.ids])
    assert gone
    assert not any(text in kept for text in gone)
    assert all(message.text in kept for message in bench.script.left)
    ready = ARMS["retrieval"].make(bench)
    assert ready is not None
    for question in bench.script.questions:
        prefix, read = ready.behind(question, ())
        assert 0 < read <= BUDGET
        assert prefix.start == len(bench.reader.opening) + read


def test_the_loss_is_of_the_answer_behind_its_beginning(model: HuggingFaceModel) -> None:
    begun = SessionQuestion("q", "f", "answerable", "same words", "Complete: Mira lives in", "Mira lives in", "Riga")
    first, answer = completion(model, begun)
    assert (model.tokenizer.decode(first), model.tokenizer.decode(answer)) == ("Mira lives in", " Riga")
    first, answer = completion(model, QUESTION)
    assert (first, model.tokenizer.decode(answer)) == ([], "Riga")


def test_what_it_cannot_measure_is_refused(model: HuggingFaceModel) -> None:
    with pytest.raises(InvalidInput, match="no such arm: parrot; choose of none, truncation"):
        session.run(model=model, arms=["parrot"])
    with pytest.raises(InvalidInput, match="a session at least"):
        session.run(model=model, sizes=())
    with pytest.raises(ModelError, match="has no weights"):
        session.run(model="fake")
