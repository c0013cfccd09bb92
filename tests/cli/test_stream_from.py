"""``hybridmem bench stream-from``: a published protocol as a file that `bench forgetting` reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybridmem.evaluation.published.registry import PROTOCOLS, get
from hybridmem.evaluation.stream import read
from tests.cli.conftest import Command

DATA = Path(__file__).parents[3] / "shared" / "data"


@pytest.mark.parametrize("name", PROTOCOLS)
def test_a_command_writes_each_as_a_stream(hybridmem: Command, tmp_path: Path, name: str) -> None:
    if get(name).data is not None and not DATA.exists():
        pytest.skip(f"{DATA} is not there")
    file = tmp_path / "stream.jsonl"
    given = ("bench", "stream-from", name, str(file), "--data", str(DATA))
    told = hybridmem(*given, "--json")
    assert told.code == 0, told.err
    stream = read(file)
    assert len(stream.facts) == told.json["facts"] >= get(name).nights
    assert told.json["licence"] == get(name).licence
    again = hybridmem(*given)
    assert again.code == 2
    assert "is there already" in again.err


def test_what_cannot_be_made_is_one_line(hybridmem: Command, tmp_path: Path) -> None:
    file = str(tmp_path / "stream.jsonl")
    for given, line in (
        (("nothing", file), "there is no protocol 'nothing': choose tofu, squad, reversal, reversal-control"),
        (("tofu", file), "name the folder that holds it with --data"),
        (("tofu", file, "--data", str(tmp_path)), "cannot read"),
        (("squad", file, "--data", str(tmp_path)), "name squad_dev.json"),
    ):
        told = hybridmem("bench", "stream-from", *given)
        assert told.code == 2
        assert told.err.count("\n") == 1
        assert line in told.err
    assert list(tmp_path.iterdir()) == []
