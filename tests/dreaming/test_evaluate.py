from __future__ import annotations

from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hybridmem.core.records import Audit
from hybridmem.dreaming.steps.evaluate import EvalResult, EvalSet, build_eval_set, evaluate
from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.models.prompts import REFUSAL
from tests.dreaming.nights import ScriptedModel, fact, items_of

ANA, BEN, CARA = fact("f1", "Ana", "Lisbon"), fact("f2", "Ben", "Oslo"), fact("f3", "Cara", "Riga")
ITEMS = [item for f in (ANA, BEN, CARA) for item in items_of(f)]


def asked(made: EvalSet) -> list[str]:
    return [item.fact for item in made.questions]


def test_an_exam_asks_its_own_split_on_the_facts_that_stand() -> None:
    made = build_eval_set("dev", ITEMS, [ANA, BEN], [], ["2 + 2?"], [[1, 2]])
    assert asked(made) == ["f1", "f2"]
    assert {item.split for item in (*made.questions, *made.unanswerable)} == {"dev"}
    assert {item.fact for item in made.unanswerable} == {"f1", "f2"}
    assert (made.unrelated, made.general, made.stale) == (("2 + 2?",), ((1, 2),), {})


def test_replaced_facts_are_asked_for_their_old_value() -> None:
    made = build_eval_set("test", ITEMS, [BEN], [ANA], [], [])
    assert asked(made) == ["f2", "f1"]
    assert list(made.stale.values()) == ["Lisbon"]


def test_of_too_many_questions_those_on_the_first_facts_are_asked() -> None:
    made = build_eval_set("dev", ITEMS, [CARA, ANA, BEN], [], [], [], limit=2)
    assert asked(made) == ["f3", "f1"]


class Examinee(ScriptedModel):
    """Knows an adapter's answers within its context."""

    def __init__(self, answers: dict[str, str]) -> None:
        super().__init__(lambda content: self.fitted.get(content.removeprefix("Question: "), REFUSAL))
        self.answers, self.fitted = answers, {}

    @contextmanager
    def adapted(self, adapter: Path | None) -> Any:
        self.fitted = self.answers if adapter else {}
        yield
        self.fitted = {}

    def cross_entropy(self, rows: Sequence[Sequence[int]]) -> float:
        return 2.5


def test_a_sitting_counts_by_fact_and_by_kind() -> None:
    made = build_eval_set("dev", ITEMS, [ANA, BEN], [CARA], ["2 + 2?", "Sky?"], [])
    questions = [item.question for item in (*made.questions, *made.unanswerable)]
    told = dict(zip(questions, ["In Lisbon.", "Lisbon", "Riga", "Porto", REFUSAL], strict=True))
    result = evaluate(Examinee({**told, "2 + 2?": "4"}), Path("adapter"), made, "v0007")  # type: ignore[arg-type]
    assert result.audits == (Audit("v0007", "f1", "dev", 1, 1), Audit("v0007", "f2", "dev", 1, 0))
    assert (result.false_answers, result.stale, result.nats) == (0.5, 1.0, 2.5)
    assert result.unrelated == ("4", REFUSAL)
    assert (result.accuracy(["f1"]), result.accuracy(["f1", "f2"]), result.accuracy(["f9"])) == (1.0, 0.5, 1.0)


def test_an_exam_without_questions_is_passed() -> None:
    result = evaluate(Examinee({}), None, build_eval_set("dev", [], [], [], [], []))  # type: ignore[arg-type]
    assert result == EvalResult((), 0.0, (), 2.5, 0.0)


def test_facts_count_the_same_however_often_they_were_asked() -> None:
    audits = (Audit("v", "f1", "dev", 9, 9), Audit("v", "f2", "dev", 1, 0), Audit("v", "f3", "dev", 0, 0))
    assert EvalResult(audits, 0.0, (), 0.0, 0.0).accuracy(["f1", "f2", "f3"]) == 0.5


def test_a_real_model_sits_an_exam(stories: HuggingFaceModel) -> None:
    made = build_eval_set("dev", ITEMS, [ANA], [BEN], ["Sky?"], [tuple(range(50, 90))])
    result = evaluate(stories, None, made)
    assert result.audits == (Audit("", "f1", "dev", 1, 0),)
    assert 0 < result.nats < 40
    assert evaluate(stories, None, made) == result
