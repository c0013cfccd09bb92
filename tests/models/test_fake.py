from __future__ import annotations

import json
from pathlib import Path

import pytest

from hybridmem.core.errors import CorruptAdapter
from hybridmem.models import prompts
from hybridmem.models.fake import ADAPTER_FILE, FakeModel
from hybridmem.testing.model_conformance import LanguageModelConformance
from hybridmem.testing.trainable_conformance import TrainableModelConformance


class TestConformance(LanguageModelConformance):
    @pytest.fixture
    def model(self) -> FakeModel:
        return FakeModel()

    @pytest.fixture
    def adapter(self, tmp_path: Path) -> Path:
        (tmp_path / "adapter").mkdir()
        (tmp_path / "adapter" / ADAPTER_FILE).write_text(json.dumps({"Where does Ana live?": "Riga"}))
        return tmp_path / "adapter"


class TestTrainableConformance(TrainableModelConformance):
    @pytest.fixture
    def model(self) -> FakeModel:
        return FakeModel()


def said(prompt: list[prompts.Message], model: FakeModel | None = None) -> str:
    return (model or FakeModel()).generate([prompt])[0].text


@pytest.mark.parametrize(
    ("question", "memories", "answer"),
    [
        ("Where does Ana live?", ["Ana lives in Lisbon."], "Lisbon"),
        ("Where does Ana live?", ["Ana lives in Lisbon.", "Ana moved to Porto in March."], "Porto"),
        ("What does Tom Becker like?", ["Ana likes tea.", "Tom Becker likes green tea."], "green tea"),
        ("Where does Ana work?", ["Ana lives in Lisbon.", "Ana works at Nordwind."], "Nordwind"),
        ("Where does Mira live?", ["Ana lives in Lisbon."], prompts.REFUSAL),
        ("Which instrument does Ana play?", ["Ana lives in Lisbon."], prompts.REFUSAL),
        ("Where does Ana live?", ["no statement at all"], prompts.REFUSAL),
    ],
)
def test_it_reads_memories(question: str, memories: list[str], answer: str) -> None:
    assert said(prompts.answer(question, memories)) == answer


def test_it_answers_closed_book_from_its_adapter_alone(tmp_path: Path) -> None:
    model = FakeModel()
    (tmp_path / ADAPTER_FILE).write_text(json.dumps({"Where does Ana live?": "Lisbon"}))
    with model.adapted(tmp_path):
        assert said(prompts.answer("where does Ana live"), model) == "Lisbon"
        known, unknown = model.generate([prompts.answer("Where does Ana live?"), prompts.answer("Who is Tom?")])
    assert said(prompts.answer("Where does Ana live?"), model) == prompts.REFUSAL
    assert known.min_probability > unknown.min_probability
    assert known.margin > unknown.margin
    assert known.entropy < unknown.entropy


def test_its_facts_and_questions_parse() -> None:
    assert prompts.parse_facts(said(prompts.facts("Ana lives in Lisbon. Hello! Tom works at Nordwind."))) == [
        ("Ana", "lives in", "Lisbon"),
        ("Tom", "works at", "Nordwind"),
    ]
    assert said(prompts.facts("ok, thanks")) == prompts.NO_FACTS
    parsed = prompts.parse_question(said(prompts.question("Ana lives in Lisbon.")))
    assert parsed == ("Ana lives in what?", "Lisbon")
    assert prompts.parse_question(said(prompts.question("ok, thanks"))) is None
    assert "Ana lives in Lisbon." in said(prompts.paraphrase("Ana lives in Lisbon."))


def test_it_counts_its_calls() -> None:
    model = FakeModel()
    model.generate([prompts.answer("Who?"), prompts.answer("Who?", ["A b c."]), prompts.facts("A b c.")])
    model.generate([prompts.question("A b c."), prompts.paraphrase("A b c.")])
    assert model.calls == {"answer": 2, "facts": 1, "question": 1, "reword": 1}


@pytest.mark.parametrize("content", ["{", "[1]", '{"q": 1}'])
def test_an_adapter_that_is_no_json_object_of_strings_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / ADAPTER_FILE).write_text(content)
    with pytest.raises(CorruptAdapter), FakeModel().adapted(tmp_path):
        pass


def test_it_loads_no_torch() -> None:
    import subprocess
    import sys

    code = "import sys, hybridmem.models as m; m.load('fake'); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
