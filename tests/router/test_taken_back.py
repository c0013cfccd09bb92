"""A value that a later memory ends is not answered where the later memory gives another."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from hybridmem.models.prompts import REFUSAL
from hybridmem.router.taken_back import without_older
from tests.dreaming.nights import ScriptedModel
from tests.router.test_policy import NIGHT, World

LIVES, LEFT = "Ana lives in Porto, near the river.", "Ana left Porto and lives in Riga now."


@pytest.mark.parametrize(
    ("question", "answer", "memories", "kept"),
    [
        ("Where does Ana live?", "Porto", [LIVES, "Ana plays chess.", LEFT], ["Ana plays chess.", LEFT]),
        ("Where do I live?", "Porto", ["I live in Porto.", "I don't live in Porto any more."], 1),
        ("What do I drink?", "tea", ["I drink tea.", "I drink coffee instead of tea."], 1),
        ("Where does Ana live?", "Riga", [LIVES, LEFT], None),
        ("Where does Ana live?", "Porto", [LEFT, LIVES], None),
        ("Where did Ana live before?", "Porto", [LIVES, LEFT], None),
        ("Where does Ben live?", "Porto", ["Ben lives in Porto.", LEFT], None),
        ("Where does Ana live?", "Porto", [], None),
    ],
)
def test_older_memories_of_an_ended_value_are_left_out(
    question: str, answer: str, memories: list[str], kept: list[str] | int | None
) -> None:
    found = without_older(question, answer, memories)
    assert found == (memories[kept:] if isinstance(kept, int) else kept)


class Credulous(ScriptedModel):
    """It answers with the first place that it reads."""

    jobs = frozenset({"answer"})

    def __init__(self, places: Sequence[str]) -> None:
        super().__init__(lambda shown: min((p for p in places if p in shown), key=shown.index, default=REFUSAL))


def asked(folder: Path, places: Sequence[str], *texts: str) -> tuple[str, int]:
    model = Credulous(places)
    world = World(folder, model)  # type: ignore[arg-type]
    for place, text in enumerate(texts):
        world.hear(text, NIGHT + timedelta(minutes=place), score=5.0 - place)
    return world.ask("Where does Ana live?").text, len(model.asked)


def test_the_later_value_is_answered(tmp_path: Path) -> None:
    assert asked(tmp_path, ["Riga", "Porto"], LIVES, "Since May Ana, who left Riga, lives in Porto.") == ("Porto", 1)
    assert asked(tmp_path, ["Porto"], LIVES, LEFT.replace("Porto", "Lisbon")) == ("Porto", 1)


def test_it_is_asked_again_and_keeps_its_answer_where_it_finds_no_other(tmp_path: Path) -> None:
    text, times = asked(tmp_path / "a", ["Porto", "Riga"], LIVES, "Ana lives in Riga, she left Porto.")
    assert (text, times) == ("Riga", 2)
    assert asked(tmp_path / "b", ["Porto"], LIVES, "Ana left Porto at eight.") == ("Porto", 2)
