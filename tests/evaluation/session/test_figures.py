"""The figures and claims of the benchmark, on rows made by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from hybridmem.core.errors import InvalidInput
from hybridmem.evaluation.session.claims import checked
from hybridmem.evaluation.session.figures import Row, arm_figures, difference, estimate, ratio_of_gains, right
from hybridmem.evaluation.session.rows import Rows

ROW = Row(
    session=0,
    session_tokens=1000,
    arm="session",
    question="q",
    fact="f",
    kind="answerable",
    phrasing="question",
    behind=600,
    said="Riga",
    right=True,
    f1=1.0,
    nats=0.5,
    refused=False,
    stale=False,
    replaced=False,
    seconds=1.0,
    processor_seconds=0.3,
    read=256,
    reading_processor_seconds=5.0,
    nbytes=100,
)
ARMS = {
    # name: (right, nats, processor seconds)
    "none": (0, 6.0, 0.2),
    "truncation": (0, 5.0, 0.3),
    "full context": (1, 1.0, 0.3),
    "retrieval": (1, 1.0, 0.9),
    "session": (1, 1.4, 0.3),
    "session, output memory": (1, 1.4, 0.3),
    "delta state": (0, 6.0, 0.2),
    "ridge state": (0, 6.0, 0.2),
}


def rows(**changes: tuple[int, float, float]) -> list[Row]:
    """A run of two sessions of four questions, two of them without an answer."""
    arms = {**ARMS, **{name.replace("_", " "): change for name, change in changes.items()}}
    return [
        replace(
            ROW,
            session=session,
            arm=arm,
            question=f"q{number}",
            fact=f"f{number}",
            kind="answerable" if number < 2 else "unanswerable",
            right=bool(correct),
            refused=number >= 2,
            nats=nats if number < 2 else None,
            processor_seconds=seconds,
        )
        for arm, (correct, nats, seconds) in arms.items()
        for session in range(2)
        for number in range(4)
    ]


def held(found: list[Row]) -> dict[str, bool | None]:
    return {claim.name: claim.held for claim in checked(found, seed=0)}


def test_the_claims_on_a_run_that_bears_them_out() -> None:
    assert held(rows()) == {"H1": True, "H2": True, "H3": True, "H4": False, "H5": True}


@pytest.mark.parametrize(
    ("claim", "changes"),
    [
        ("H1", {"session": (1, 1.6, 0.3)}),
        ("H2", {"truncation": (1, 5.0, 0.3)}),
        ("H3", {"retrieval": (1, 1.0, 0.8)}),
        ("H3", {"session": (0, 1.4, 0.3)}),
        ("H5", {"ridge_state": (1, 6.0, 0.2)}),
    ],
)
def test_a_claim_can_fail(claim: str, changes: dict[str, tuple[int, float, float]]) -> None:
    assert held(rows(**changes))[claim] is False


def test_the_output_memory_must_not_answer_more_of_what_nobody_said() -> None:
    better = [replace(row, right=row.right and row.arm != "session") for row in rows()]
    assert held(better)["H4"] is True
    false = [replace(row, refused=row.refused and row.arm != "session, output memory") for row in better]
    assert held(false)["H4"] is False


def test_far_facts_alone_decide_about_truncation() -> None:
    near = [replace(row, behind=512) for row in rows()]
    assert held(near)["H2"] is None


def test_a_claim_without_its_arms_is_left_open() -> None:
    found = [row for row in rows() if row.arm in {"none", "session"}]
    assert held(found) == dict.fromkeys(("H1", "H2", "H3", "H4", "H5"))


def test_rates_are_of_their_own_questions() -> None:
    made = [
        replace(ROW, question="1", replaced=True, stale=True, right=False),
        replace(ROW, question="2", replaced=True),
        replace(ROW, question="3", kind="unanswerable", right=False, nats=None),
        replace(ROW, question="4", kind="deleted", stale=True, replaced=True, right=False, nats=None),
    ]
    found = arm_figures(made, "session", seed=0)
    assert (found.stale, found.false, found.deleted) == (0.5, 1.0, 1.0)
    assert found.right is not None
    assert (found.right.value, found.right.of, found.questions) == (0.5, 2, 4)


def test_a_difference_is_taken_on_what_both_were_asked() -> None:
    both = [replace(ROW, question=str(n), arm=arm) for n in range(3) for arm in ("session", "none")]
    alone = [replace(ROW, question=str(n), right=False) for n in range(3, 9)]
    found = difference([*both, *alone], "session", "none", right, seed=0)
    assert found is not None
    assert (found.value, found.of) == (0.0, 3)


def test_the_gain_is_a_proportion_of_the_full_one() -> None:
    found = ratio_of_gains([row for row in rows() if row.nats is not None], "session", "full context", "none", seed=0)
    assert found is not None
    assert found.value == pytest.approx(0.92)


def test_an_interval_is_over_sessions_and_facts_and_not_over_phrasings() -> None:
    # One session whose two facts are each asked ten times: there are two independent outcomes, not twenty.
    made = [replace(ROW, question=f"{f} {n}", fact=f, right=f == "a") for f in "ab" for n in range(10)]
    found = estimate(made, right, seed=0)
    assert found is not None
    assert (found.low, found.high) == (0.0, 1.0)
    # Sessions that differ as wholes are drawn as wholes.
    apart = [replace(ROW, session=n % 2, fact=f"f{n}", right=n % 2 == 0) for n in range(40)]
    found = estimate(apart, right, seed=0)
    assert found is not None
    assert (found.low, found.high) == (0.0, 1.0)


def test_a_run_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    first = Rows(file, {"seed": 1})
    first.add(ROW)
    first.add(replace(ROW, question="r"))
    with file.open("a", encoding="utf-8") as lines:
        lines.write('{"session": 0, "arm')
    again = Rows(file, {"seed": 1})
    assert again.all == first.all
    assert again.has(0, "session", "r")
    assert not again.has(1, "session", "r")
    again.add(replace(ROW, question="s"))
    assert [row.question for row in Rows(file, {"seed": 1}).all] == ["q", "r", "s"]


def test_a_file_of_another_run_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    Rows(file, {"seed": 1, "budget": 256})
    with pytest.raises(InvalidInput, match="of a run with another seed: name a new file"):
        Rows(file, {"seed": 2, "budget": 256})
    file.write_text("a poem\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match="holds no rows of this benchmark"):
        Rows(file, {"seed": 1})
    with pytest.raises(InvalidInput, match="cannot be used"):
        Rows(tmp_path / "no" / "rows.jsonl", {"seed": 1})
