"""Aider's histories: who says what, and what is left out."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from hybridmem.importers import detect
from hybridmem.memory import HybridMemory
from tests.importers.exports import aider_session, broken, left_out, said, turns, write

CHAT = ".aider.chat.history.md"
INPUTS = ".aider.input.history"
SESSION = aider_session(
    "#### Rename it to Pip.  ",
    "####   ",
    "####   And keep the tests.  ",
    "",
    "#### Steps",
    "> as you asked",
    "",
    "```python",
    "> prompt",
    "```",
    "",
    "> Tokens: 5k sent, 604 received.  ",
    "> Applied edit to ferret.py  ",
    "",
    "One more edit.",
    "",
    "#### /map  ",
    "> Here are summaries.",
    "Do not edit.",
    "",
    "LICENSE",
    "",
    "#### /ask Why is it red?  ",
    "",
    "Because of the theme.",
    "",
    "#### <blank>  ",
    "",
    "#### Add ferret.py to the chat? (Y)es/(N)o [Yes]: y  ",
)


def test_the_documented_shape(tmp_path: Path) -> None:
    path = write(tmp_path, f"ferrets/{CHAT}", SESSION)
    assert detect(path) == "aider"
    assert said(path) == [
        ("user", None, "Rename it to Pip.\n\n  And keep the tests."),
        ("assistant", None, "#### Steps\n> as you asked\n\n```python\n> prompt\n```"),
        ("assistant", None, "One more edit."),
        ("user", None, "Why is it red?"),
        ("assistant", None, "Because of the theme."),
    ]
    first = turns(path, timezone="Europe/Lisbon")[0]
    assert (first.session, first.at) == ("2023-11-14 22:13:20", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC))
    assert first.metadata["project"] == "ferrets" and first.metadata["dated_by"] == "conversation"
    assert (first.trust, turns(path)[1].trust) == ("user", "agent")


def test_what_aider_writes_itself_is_left_out(tmp_path: Path) -> None:
    lint = aider_session("#### # Fix any errors below, if possible.  ", "#### E402  ", "", "Fixed.", "")
    path = write(tmp_path, CHAT, "> cut off  \n\nnobody's words\n" + SESSION + lint)
    assert [turn.text for turn in turns(path)][-1] == "Fixed." and not broken(path)
    counted = Counter(left_out(path))
    assert (counted["commands"], counted["injected text"]) == (1, 2)


def test_two_messages_that_follow_each_other_are_two(tmp_path: Path) -> None:
    path = write(tmp_path, CHAT, aider_session("#### Stop.  ", "", "#### Go on.  ", "> ^C again to exit  "))
    assert [turn.text for turn in turns(path)] == ["Stop.", "Go on."]


def test_a_history_whose_line_ends_were_stripped(tmp_path: Path) -> None:
    written = aider_session("#### One.  ", "####   ", "#### Two.  ", "", "Yes.", "", "> ok  ")
    stripped = "".join(f"{line.rstrip()}\n" for line in written.splitlines())
    path = write(tmp_path, CHAT, stripped)
    assert said(path) == [("user", None, "One.\n\nTwo."), ("assistant", None, "Yes.")]


def test_inputs_have_their_own_times_and_are_not_told_twice(tmp_path: Path) -> None:
    entries = ("Rename it to Pip.\n+\n+  And keep the tests.", "/add ferret.py", "Why is it red?", "She bites.")
    typed = "".join(f"\n# 2023-11-14 22:1{n}:00.000001\n+{text}\n" for n, text in enumerate(entries))
    alone = write(tmp_path, f"alone/{INPUTS}", typed)
    assert detect(alone) == "aider" and left_out(alone) == ["commands"]
    assert [(turn.text, turn.at.minute) for turn in turns(alone, timezone="UTC") if turn.at] == [
        ("Rename it to Pip.\n\n  And keep the tests.", 10),
        ("Why is it red?", 12),
        ("She bites.", 13),
    ]
    write(tmp_path, f"both/{CHAT}", SESSION)
    beside = write(tmp_path, f"both/{INPUTS}", typed)
    assert [turn.text for turn in turns(beside)] == ["She bites."]
    assert len([turn for turn in turns(tmp_path / "both") if turn.role == "user"]) == 3


@pytest.mark.parametrize("hidden_in", [".git", ".claude", "node_modules"])
def test_a_folder_shows_its_histories_and_a_hidden_one_does_not(tmp_path: Path, hidden_in: str) -> None:
    write(tmp_path, f"app/{CHAT}", SESSION)
    write(tmp_path, f"{hidden_in}/{CHAT}", SESSION)
    assert len(turns(tmp_path)) == 5 and not broken(tmp_path)


def test_the_same_history_twice_adds_nothing_and_a_longer_one_what_is_new(tmp_path: Path) -> None:
    path = write(tmp_path, f"work/{CHAT}", SESSION)
    with HybridMemory.open(tmp_path / "memory", embedder="hashing-256") as memory:
        assert len(memory.add_from(path).added) == 5
        write(
            tmp_path,
            f"work/{CHAT}",
            SESSION + aider_session("#### Why is it red?  ", "", "It is not.", at="2023-11-15 08:00:00"),
        )
        report = memory.add_from(tmp_path / "work")
        assert (len(report.added), report.already) == (2, 5)
