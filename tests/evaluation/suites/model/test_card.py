"""The figures of the evaluation card, on models whose answers are known."""

from __future__ import annotations

import doctest
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from hybridmem import models
from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import to_json
from hybridmem.evaluation.memory_jobs.case_generator import Case
from hybridmem.evaluation.suites.model import card as model_card
from hybridmem.evaluation.suites.model import fact_scores as fact_scores_module
from hybridmem.evaluation.suites.model import squad_paragraphs
from hybridmem.evaluation.suites.model.answer_speed import answer_agreement, answer_speed
from hybridmem.evaluation.suites.model.fact_scores import fact_scores, same_facts
from hybridmem.evaluation.suites.model.job_scores import job_scores
from hybridmem.evaluation.suites.model.plain_english import load, plain_scores
from hybridmem.evaluation.suites.model.round_trip import round_trips
from hybridmem.evaluation.suites.model.speed import model_speed
from hybridmem.evaluation.suites.model.squad import squad_scores
from hybridmem.evaluation.suites.model.text_loss import text_loss
from hybridmem.metrics import observed_proportion
from hybridmem.models import bundled, prompts
from hybridmem.models.base import Generation
from hybridmem.models.huggingface.model import HuggingFaceModel
from hybridmem.models.prompts import REFUSAL, Message
from tests.evaluation.scripted import ScriptedModel

MEMORIES = ["Mira lives in Porto.", "Tom likes tea."]


def read(question: str, expected: str) -> Case:
    return Case(tuple(prompts.answer(question, MEMORIES)), expected, "city")


def stated(text: str, *lines: str) -> Case:
    return Case(tuple(prompts.facts(text)), "\n".join(lines) or prompts.NO_FACTS, "city")


def test_a_share_has_its_interval() -> None:
    found = observed_proportion([True] * 18 + [False] * 2)
    assert found is not None
    assert (found.value, found.of) == (0.9, 20)
    assert found.low == pytest.approx(0.699, abs=1e-3) and found.high == pytest.approx(0.972, abs=1e-3)
    assert observed_proportion([]) is None


def test_answers_and_refusals_are_counted_apart() -> None:
    jobs = {
        "read_2": [read("Where does Mira live?", "Porto"), read("What does Tom like?", "tea")],
        "read_unanswerable": [read("Where does Tom live?", REFUSAL), read("What does Mira like?", REFUSAL)],
        "closed_unknown": [Case(tuple(prompts.answer("Who is Ivo?")), REFUSAL, "person")],
    }
    said = {"Where does Mira live?": "in Porto.", "Where does Tom live?": "Porto"}
    found = job_scores(ScriptedModel(lambda text: said.get(text.partition("Question: ")[2], REFUSAL)), jobs)
    assert {job: score.right.value for job, score in found.jobs.items() if score.right} == {
        "read_2": 0.5,
        "read_unanswerable": 0.5,
        "closed_unknown": 1.0,
    }
    assert [score.memories for score in found.jobs.values()] == [2.0, 2.0, 0.0]
    assert found.refused_answerable is not None and found.refused_answerable.value == 0.5
    assert found.refused_unanswerable is not None and (found.refused_unanswerable.value, 2) == (
        0.5,
        found.refused_unanswerable.of,
    ), "closed-book questions are not about memories"
    assert found.question_round_trip is None
    assert found.jobs["read_unanswerable"].refused is None


def test_facts_are_compared_as_triples() -> None:
    assert doctest.testmod(fact_scores_module).failed == 0
    told = [[("Mira", "lives in", "Porto")], [("I", "like", "tea"), ("I", "like", "tea")], []]
    wanted = [[("mira", "lives in", "Porto.")], [("I", "like", "tea")], [("Tom", "likes", "tea")]]
    found = fact_scores(told, wanted)
    assert found.precision is not None and found.recall is not None
    assert found.precision.value == found.recall.value == pytest.approx(2 / 3), "what is told twice is right once"
    assert found.f1 == pytest.approx(2 / 3)
    assert same_facts([*told[0], *told[1]], [*told[1], *wanted[0]])
    nothing = fact_scores([[]], [[]])
    assert (nothing.precision, nothing.recall, nothing.f1) == (None, None, None)


def test_a_list_of_facts_is_right_if_all_are_there_and_none_besides() -> None:
    mira, tom = "Mira | lives in | Porto", "Tom | likes | tea"
    jobs = {"facts": [stated("Both.", tom, mira), stated("One.", mira), stated("Hi!"), stated("Bye!")]}
    said = {"Both.": f"{mira}\n{tom}", "One.": f"{mira}\n{tom}", "Hi!": "none", "Bye!": tom}
    model = ScriptedModel(lambda text: said[text.removeprefix("Facts in: ")])
    found = job_scores(model, jobs)
    assert found.jobs["facts"].right is not None and found.jobs["facts"].right.value == 0.5
    assert found.facts.precision is not None and found.facts.precision.value == 3 / 5
    assert found.facts.recall is not None and found.facts.recall.value == 1.0


def test_questions_make_the_round_trip() -> None:
    texts = ["Mira lives in Porto.", "Tom likes tea.", "Ana is 30.", "Ivo is here."]
    told = ["Where does Mira live? | Porto", "Who likes tea? | Tom", "How old is Ana? | 30", "no bar"]
    model = ScriptedModel(lambda text: "Porto" if "Mira" in text else "31")
    assert round_trips(model, texts, ["Porto", "tea", "30", "here"], told) == [True, False, False, False]
    assert len(model.asked) == 2, "only questions whose own answer is right are asked"
    case = Case(tuple(prompts.question(texts[0])), "Porto", "city")
    asked = ScriptedModel(lambda text: told[0] if text.startswith("Question about: ") else "Porto")
    found = job_scores(asked, {"question": [case]})
    assert found.question_round_trip is not None and found.question_round_trip.value == 1.0


def test_plain_cases_by_group() -> None:
    cases = [case for case in load() if case.id in {"spare-key", "no-boss", "facts-manager"}]
    found = plain_scores(ScriptedModel(lambda text: "I | report to | Philomena\nI | like | Philomena"), cases)
    assert {group: marks.value for group, marks in found.groups.items() if marks} == {
        "1 to 4 memories": 0.0,
        "refuse": 0.0,
        "facts": 0.0,
    }
    assert found.facts.precision is not None and found.facts.precision.value == 0.5
    refusing = plain_scores(ScriptedModel(lambda text: REFUSAL), cases)
    assert refusing.all is not None and refusing.all.value == pytest.approx(1 / 3)
    assert refusing.refused_answerable is not None and (refusing.refused_answerable.value, 1) == (
        1.0,
        refusing.refused_answerable.of,
    )


def test_squad_asks_held_out_titles_over_whole_paragraphs(tmp_path: Path) -> None:
    path = tmp_path / "squad.json"
    titles = [f"Title {number}" for number in range(30)]
    kept = [title for title in titles if squad_paragraphs.is_held_out(title)]
    asked = [{"question": "Who lives in Porto?", "answer": "Mira Sodo"}]
    long = "Mira Sodo lives in Porto. " * 40
    path.write_text(
        json.dumps(
            [
                {"title": title, "context": "Mira Sodo lives in Porto. She is 30.", "questions": asked}
                for title in titles
            ]
            + [{"title": kept[0], "context": long, "questions": asked}]
        )
    )
    model = ScriptedModel(lambda text: "Mira")
    found = squad_scores(model, path, 100, seed=1, context=100)
    assert found.fits is not None and (found.fits.of, round(found.fits.value * found.fits.of)) == (
        len(kept) + 1,
        len(kept),
    )
    assert found.exact_match is not None and (found.exact_match.value, found.exact_match.of) == (0.0, len(kept))
    assert found.f1 == found.f1_low == found.f1_high == pytest.approx(2 / 3)
    assert all(text.count("\n- ") == 2 for text in model.asked), "one sentence is one memory"
    nothing = squad_scores(model, path, 100, seed=1, context=5)
    assert (nothing.exact_match, nothing.f1, nothing.prompt_tokens) == (None, None, None)


def test_speed_is_of_single_prompts() -> None:
    model = ScriptedModel(lambda text: "one two three")
    found = model_speed(model, [prompts.answer("Where?", MEMORIES)] * 3, [prompts.question("Mira lives in Porto.")])
    assert (found.answers, found.prompt_tokens) == (3, 12)
    assert found.answer_ms > 0 and found.tokens_read_per_second > 0
    assert len(model.asked) == 1 + 3 + 3 + 2


def test_answers_are_timed_with_memories_and_without_in_both_ways() -> None:
    model = ScriptedModel(lambda text: "one two three")
    found = answer_speed(model, [prompts.answer("Where?", MEMORIES)] * 3)
    assert found.answers == 3
    taken = (found.over_memories_ms, found.from_weights_ms, found.exact_over_memories_ms, found.exact_from_weights_ms)
    assert all(ms > 0 for ms in taken)
    assert [text.count("\n- ") for text in model.asked] == [len(MEMORIES)] * 8 + [0] * 8


def test_the_faster_answers_are_held_against_the_exact_ones() -> None:
    class Hasty(ScriptedModel):
        def generate_answers(self, asked: Sequence[Sequence[Message]]) -> list[Generation]:
            return [replace(each, text=each.text.replace("Porto", "Riga")) for each in self.generate(asked)]

    cases = [
        read("Where does Mira live?", "Porto"),
        read("What does Mira eat?", REFUSAL),
        stated("Mira lives in Porto.", "Mira | lives in | Porto"),
    ]
    model = Hasty(lambda text: "Porto" if "does Mira live" in text else REFUSAL)
    found = answer_agreement(model, cases)
    figures = [(p.value, p.of) for p in (found.same, found.right, found.exact_right) if p is not None]
    assert figures == [(0.5, 2), (0.5, 2), (1.0, 2)]
    assert answer_agreement(model, cases[2:]).same is None


def test_loss_by_token_and_by_byte() -> None:
    model = HuggingFaceModel.load(bundled.folder())
    text = model_card.NOVELS.read_text(encoding="utf-8")[:3000]
    found = text_loss(model, text, window=64)
    assert found.bytes == len(text.encode()) > found.tokens > 500
    assert found.nats_per_byte == pytest.approx(found.nats_per_token * found.tokens / found.bytes)
    assert 1 < found.nats_per_byte < 3
    assert text_loss(model, "Mira lives in Porto.").tokens < 12, "a text shorter than the window is read whole"


def test_the_card_of_a_model_without_weights() -> None:
    steps: list[str] = []
    found = to_json(
        model_card.run("fake", cases=2, date="2026-03-01", progress=lambda step, done, total: steps.append(step))
    )
    json.dumps(found)
    assert (found["model"], found["cases"], found["date"], found["parameters"]) == ("fake", 2, "2026-03-01", None)
    assert found["squad"] is None and found["not_measured"]["squad"] == "no --data was given"
    assert set(found["losses"].values()) == {None}
    assert {"read_1", "read_4", "read_unanswerable", "facts", "question"} <= found["jobs"].keys()
    assert all(job["right"]["of"] == 2 for job in found["jobs"].values())
    assert found["plain_english"]["all"]["of"] == 150
    assert found["answer_speed"]["answers"] == found["speed"]["answers"]
    assert found["answer_agreement"]["same"]["value"] == 1.0
    assert steps[0] == "jobs" and steps[-1] == "speed"


def test_a_folder_without_the_files_says_so(tmp_path: Path) -> None:
    found = model_card.run("fake", data=tmp_path, cases=1)
    assert found["squad"] is None
    assert "squad_dev.json" in found["not_measured"]["squad"]


def test_long_texts_are_read_in_parts(tmp_path: Path) -> None:
    path = tmp_path / "long.txt"
    path.write_text("".join(f"{number:09}\n" for number in range(40_000)))
    excerpts = model_card._excerpts(path)
    assert len(excerpts) == 100_000
    assert excerpts.startswith("000000000\n") and excerpts.endswith("\n")
    assert "000036249\n" in excerpts


@pytest.mark.parametrize("given", [{"cases": 0}, {"data": Path("missing")}])
def test_impossible_plans_are_refused(
    given: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(models, "load", lambda name: pytest.fail("no model is loaded for what cannot be measured"))
    with pytest.raises(InvalidInput):
        model_card.run("fake", **given)  # type: ignore[arg-type]
