"""Filters as one writes them on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from hybridmem.cli.app import app
from hybridmem.cli.filtering import written_filters
from hybridmem.core.errors import InvalidInput


@pytest.mark.parametrize(
    ("written", "means"),
    [
        ("tags=travel", {"tags": {"eq": "travel"}}),
        ("metadata.stars>=3", {"metadata.stars": {"gte": 3}}),
        ("metadata.word=three", {"metadata.word": {"eq": "three"}}),
        ("metadata.none!=null", {"metadata.none": {"ne": None}}),
        ("session=3", {"session": {"eq": "3"}}),
        ("text ~ ferret ", {"text": {"icontains": "ferret"}}),
        ("at<2026-03-01", {"at": {"lt": "2026-03-01"}}),
        ("metadata.formula=a=b", {"metadata.formula": {"eq": "a=b"}}),
        ('{"not": {"role": "user"}}', {"not": {"role": "user"}}),
    ],
)
def test_short_and_json(written: str, means: dict[str, Any]) -> None:
    assert written_filters([written]) == {"and": [means]}


def test_nothing_asked_for_is_no_filter() -> None:
    assert written_filters([]) is None
    for wrong in ("tags", "=x", "{bad", ""):
        with pytest.raises(InvalidInput, match="--filter"):
            written_filters([wrong])


def test_a_life_on_the_command_line(tmp_path: Path) -> None:
    def run(*arguments: str, code: int = 0) -> Any:
        common = ("--memory", str(tmp_path / "m"), "--embedder", "hashing", "--json")
        result = CliRunner().invoke(app, [*arguments, *common])
        assert result.exit_code == code, result.output
        return json.loads(result.stdout) if code == 0 else result.output

    first = run("add", "The tram to Foz.", "--tag", "travel", "--metadata", "stars=4")["added"][0]["id"]
    run("add", "Buy milk.", "--expires", "2020-01-01")
    found = run("search", "tram", "--filter", "tags=travel", "--filter", "metadata.stars>3", "--since", "2020-01-01")
    assert [hit["id"] for hit in found["hits"]] == [first] and found["hits"][0]["relevance"] > 0.5
    assert run("search", "zzz", "--min-score", "0.5")["hits"] == []
    assert "did you mean 'tags'" in run("search", "tram", "--filter", "tag=x", code=2)
    run("update", first, "--metadata", "stars=null", "--tag", "old", "--expires", "2099-01-01")
    events = run("history", first)["events"]
    assert events[-1]["changes"]["metadata.tags"] == [["travel"], ["old"]]
    assert len(run("list", "--filter", "expires_at<2021-01-01")["memories"]) == 1
    planned = run("delete", "--filter", "tags=old", "--dry-run")
    assert (planned["ids"], planned["dry_run"]) == ([first], True)
    assert run("delete", "--filter", "tags=old")["ids"] == [first]
    assert "pass one ID" in run("delete", code=2)
    assert "goes with --filter" in run("delete", first, "--dry-run", code=2)
