"""`dream --review` and `dream --accept`, as a user types them."""

from __future__ import annotations

import json
import re

import pytest

from hybridmem.cli.app import run


@pytest.fixture(autouse=True)
def _memory(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.chdir(str(tmp_path))
    monkeypatch.setenv("HYBRIDMEM_EMBEDDER", "hashing")
    monkeypatch.setenv("HYBRIDMEM_MODEL", "fake")
    for text in ("Ana lives in Lisbon.", "Ben lives in Riga."):
        assert run(["add", text]) == 0


def shown(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert run(list(arguments)) == code
    return capsys.readouterr().out


def test_a_night_is_reviewed_and_accepted_in_part(capsys: pytest.CaptureFixture[str]) -> None:
    told = shown(capsys, "dream", "--review")
    assert "+ Ana | lives in | Lisbon" in told and "read: Ben lives in Riga." in told
    assert "2 changes of 2 episodes, and none of them is believed yet" in told
    assert json.loads(shown(capsys, "list", "--kind", "fact", "--json"))["memories"] == []
    (ben,) = re.findall(r"(fa_\w+): added\n\+ Ben", told)
    assert "promoted" in shown(capsys, "dream", "--accept", ben)
    listed = json.loads(shown(capsys, "list", "--kind", "fact", "--json"))["memories"]
    assert [fact["object"] for fact in listed] == ["Riga"]
    assert "nothing to believe in 0 episodes" in shown(capsys, "dream", "--review")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--review", "--dry-run"), "three things"),
        (("--accept", "all"), "no night waits for your word"),
    ],
)
def test_bad_usage_is_one_line(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], said: str) -> None:
    capsys.readouterr()
    assert run(["dream", *arguments]) == 2
    assert said in capsys.readouterr().err
