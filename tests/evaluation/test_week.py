"""Weeks are parsed, never run, and their questions are judged as a person would."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hybridmem import HybridMemory
from hybridmem.core.errors import InvalidInput
from hybridmem.core.records import Hit
from hybridmem.evaluation.suites.week import run
from hybridmem.evaluation.week import RECALL, WeekQuestion, read
from hybridmem.models.fake import FakeModel

WEEKS = Path(__file__).parents[2] / "lab/weeks"
SMALL = """# A week (speaker Ana; every message has its time).
T = [
("2026-03-02T08:00","I live in Porto."),
("2026-03-03T08:00","My dentist is Dr. Okafor."),
]
Q = [
("Where do I live?","Porto / in Porto, by the river","direct"),
("Who is my dentist?","Okafor","direct"),
("What is my mother's name?","REFUSE (never said)","unanswerable"),
]
"""


def test_every_week_is_whole() -> None:
    weeks = [read(file) for file in sorted(WEEKS.glob("week_*.py"))]
    assert len(weeks) == 6
    for week in weeks:
        assert week.speaker
        assert len(week.messages) == 30
        assert sum(question.answerable for question in week.questions) >= 26
        assert sum(not question.answerable for question in week.questions) >= 4


@pytest.mark.parametrize(
    ("expected", "said", "verdict"),
    [
        ("5 December", "on the 5th of December", "right"),
        ("11 December 14:00", "11 December at 14:00", "right"),
        ("6 October 10 am", "6 Oct, 10am", "right"),
        ("6 October 10 am", "6 Oct, 11am", "wrong"),
        ("300 mg", "300 milligrams", "right"),
        ("300 mg", "30 milligrams", "wrong"),
        ("44", "p.44", "right"),
        ("11 December 14:00", "Friday 9:30", "wrong"),
        ("18,430 euros", "18,430", "right"),
        ("18,430 euros", "12,900 euros", "wrong"),
        ("sister okafor-bligh", "Sister Okafor-Bligh", "right"),
        ("Plantin museum", "at the Plantin museum, as a conservator", "right"),
        ("no", "No, not any more", "right"),
        ("no", "Yes", "wrong"),
        ("Ghent", "Antwerp, no wait, it was Ghent, or so they said to me on Monday afternoon", "wrong"),
        ("Priya", "I don't know.", "refused"),
        ("6 (Saturday)", "6", "right"),
        ("3.9", "3.12", "wrong"),
    ],
)
def test_an_answer_is_judged(expected: str, said: str, verdict: str) -> None:
    assert WeekQuestion("?", tuple(expected.split(" / ")), "direct").verdict(said) == verdict


def test_a_refusal_is_right_where_nothing_answers() -> None:
    nothing = WeekQuestion("What is my mother's name?", (), "unanswerable")
    assert nothing.verdict("I don't know.") == "right"
    assert nothing.verdict("Ruth") == "wrong"


def test_a_week_is_lived_before_and_after_a_dream(tmp_path: Path) -> None:
    file = tmp_path / "week_ana.py"
    file.write_text(SMALL)
    result = run([read(file)], model=FakeModel(), progress=lambda *_: None)
    week = result["weeks"]["week_ana"]
    assert week["before"]["answerable"] == week["after"]["answerable"] == 2
    assert week["before"]["right"] + week["before"]["wrong"] + week["before"]["refused"] == 2
    assert week["before"]["unanswerable"] == 1
    assert {fact["text"] for fact in week["facts"]} <= {"I live in Porto.", "My dentist is Dr. Okafor."}
    assert result["total"]["before"]["answerable"] == 2
    for figures in (week["before"], week["after"], result["total"]["after"]):
        assert figures["evidence_recall_at_10"] == 1
        assert (figures["messages"], figures["first_by_own_words"], figures["hidden"]) == (2, 2, 0)
    assert set(week["before"]["recalls"]) == {"Where do I live?", "Who is my dentist?"}


def test_the_evidence_of_a_question_is_what_spells_its_answer_out(tmp_path: Path) -> None:
    week = read(WEEKS / "week_ruth.py")
    evidence = {question.text: week.evidence(question) for question in week.questions}
    texts = [text for _, text in week.messages]
    (keys,) = evidence["When do we get the keys to the new flat?"]
    assert "on the 5th of December" in texts[keys]
    assert len(evidence["Who organises the offsite?"]) == 2  # both messages that name Noor
    assert not evidence["Am I allergic to peanuts?"]
    assert not evidence["What is my mother's name?"]


def test_what_a_night_hides_or_pushes_out_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "week_ana.py"
    file.write_text(SMALL)
    search = HybridMemory.search

    def forgetful(memory: HybridMemory, query: str, **options: Any) -> list[Hit]:
        return [hit for hit in search(memory, query, **options) if "Porto" not in hit.text]

    monkeypatch.setattr(HybridMemory, "search", forgetful)
    before = run([read(file)], model=FakeModel(), progress=lambda *_: None, dream=False)["weeks"]["week_ana"]["before"]
    assert before["evidence_recall_at_10"] == 0.5
    assert (before["first_by_own_words"], before["hidden"]) == (1, 1)


@pytest.mark.parametrize(
    "text", ["T = [(1, 2)]", "import os", "T = [('2026-03-02T08:00', 'x')]\nQ = open('x')", "T = ["]
)
def test_what_is_no_week_is_one_line_and_is_never_run(tmp_path: Path, text: str) -> None:
    file = tmp_path / "week_x.py"
    file.write_text(text)
    with pytest.raises(InvalidInput, match="is no week"):
        read(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        read(tmp_path / "absent.py")


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_search_finds_no_less_of_the_weeks_after_a_night_than_before(tmp_path: Path) -> None:
    """The bundled base reads each week and believes what it reads; nothing is trained."""
    recipe = tmp_path / "read.toml"
    recipe.write_text('strategy = "noop"\ngate = false\n')
    total = run(
        [read(file) for file in sorted(WEEKS.glob("week_*.py"))],
        model="bundled",
        recipe=str(recipe),
        progress=lambda step, done, whole: None,
    )["total"]
    assert total["after"][RECALL] >= total["before"][RECALL] > 0.9
    assert total["after"]["hidden"] == 0
