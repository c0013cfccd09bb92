"""The evaluation card as a user asks for it, of the bundled model and with few cases. The command with a model that
costs nothing is among `tests.cli.test_commands`, each of the card's parts in `tests.evaluation.suites.model`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hybridmem.cli.app import run


@pytest.mark.slow
def test_the_card_of_the_bundled_model(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["bench", "model", "--cases", "2", "--json", "card.json"]) == 0
    shown, _ = capsys.readouterr()
    card = json.loads((tmp_path / "card.json").read_text())
    assert card["model"] == "bundled"
    assert all(job["right"]["of"] == 2 for job in card["jobs"].values())
    assert card["losses"]["novels"]["nats_per_byte"] > 0.5
    assert card["losses"]["wikitext2"] is card["squad"] is None
    assert card["not_measured"] == dict.fromkeys(("squad", "novels_heldout", "wikitext2"), "no --data was given")
    assert card["speed"]["answers"] == 20
    assert card["bytes_on_disk"] > card["parameters"] > 1_000_000
    for told in ("read_4", "plain English: right", "refused_unanswerable", "nats_per_byte", "versions.torch"):
        assert told in shown
