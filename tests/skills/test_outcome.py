"""How calls and tasks ended: what says so, and what says nothing."""

from __future__ import annotations

from typing import Any

import pytest

from hybridmem.skills.outcome import of_result, of_words

FLAG, CODE, TESTS = "the error flag", "the exit code", "test results"


@pytest.mark.parametrize(
    ("result", "text", "expected"),
    [
        ({"is_error": True}, "no such file", ("failure", FLAG)),
        ({"is_error": False}, "fine", ("success", FLAG)),
        ({"isError": True}, "", ("failure", FLAG)),
        ({"status": "error"}, "", ("failure", FLAG)),
        ({"status": "success"}, "", ("success", FLAG)),
        ({"success": False}, "", ("failure", FLAG)),
        ({}, "Exit code: 2\nboom", ("failure", CODE)),
        ({"is_error": True}, "Exit code 1", ("failure", CODE)),
        ({}, "Process exited with code 0", ("success", CODE)),
        ({}, '{"output": "x", "metadata": {"exit_code": 3}}', ("failure", CODE)),
        ({"exit_code": 0}, "", ("success", CODE)),
        ({}, "===== 3 passed in 0.12s =====", ("success", TESTS)),
        ({}, "1 failed, 2 passed in 1s", ("failure", TESTS)),
        ({}, "4 passed, 1 error in 1s", ("failure", TESTS)),
        ({"is_error": False}, "Exit code: 0\nTests: 1 failed, 9 passed, 10 total", ("failure", TESTS)),
        ({}, "Ran 12 tests in 0.3s\n\nOK", ("success", TESTS)),
        ({}, "FAILED (failures=1)", ("failure", TESTS)),
        ({}, "test result: ok. 5 passed; 0 failed; 0 ignored", ("success", TESTS)),
        ({}, "test result: FAILED. 4 passed; 1 failed", ("failure", TESTS)),
    ],
)
def test_what_says_so(result: dict[str, Any], text: str, expected: tuple[str, str]) -> None:
    verdict = of_result(result, text)
    assert verdict is not None and (verdict.outcome, verdict.known_by) == expected


@pytest.mark.parametrize(
    ("result", "text"),
    [({}, ""), ({}, "done"), ({"status": "completed"}, "the file"), ({}, "the bus failed to come"), ({}, "{broken")],
)
def test_what_says_nothing(result: dict[str, Any], text: str) -> None:
    assert of_result(result, text) is None


@pytest.mark.parametrize(
    ("said", "outcome"),
    [
        ("Thanks, that worked!", "success"),
        ("Perfect.", "success"),
        ("it works now, thank you", "success"),
        ("That's fixed. Now deploy beta.", "success"),
        ("That did not work.", "failure"),
        ("it still fails with the same error", "failure"),
        ("that didn't work, try again", "failure"),
        ("no, that's wrong", "failure"),
    ],
)
def test_the_user_judges(said: str, outcome: str) -> None:
    verdict = of_words(said)
    assert verdict is not None and (verdict.outcome, verdict.known_by) == (outcome, "the user's word")


@pytest.mark.parametrize(
    "said",
    [
        "Thanks.",
        "Did that work?",
        "It works with Python 3.11 only: say so in the README.",
        "The first one worked, but it still fails on the second.",
        "Deploy beta.",
        "That worked. " + "And here is a long story. " * 20,
    ],
)
def test_what_the_user_says_beside_that_judges_nothing(said: str) -> None:
    assert of_words(said) is None
