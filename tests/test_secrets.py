"""Secrets in a memory: no training reads them, none is written where that is asked for, and no report names one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hybridmem.core.errors import InvalidInput
from hybridmem.maintenance import secrets
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel

PASSWORD, CARD = "Tr0ub4dor&3", "4111 1111 1111 1111"
TEXTS = [
    "Ana lives in Porto.",
    "Rui works at Dunlin.",
    f"The wifi password is {PASSWORD}.",
    f"The card is {CARD}.",
    f"Eva lives in Oslo. Her password is {PASSWORD}.",
]


class Listening(FakeModel):
    """Keeps every text that a model is given: prompts, completions, training rows."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.heard: list[str] = []

    def generate(self, prompts: Any, **options: Any) -> Any:
        self.heard += [message["content"] for prompt in prompts for message in prompt]
        return super().generate(prompts, **options)

    def render_pair(self, messages: Any, completion: str) -> Any:
        self.heard += [*(message["content"] for message in messages), completion]
        return super().render_pair(messages, completion)


def opened(folder: Path, **options: Any) -> HybridMemory:
    return HybridMemory.open(folder / "memory", model=Listening(), embedder="hashing", **options)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    with opened(tmp_path) as memory:
        for text in TEXTS:
            memory.add(text)
        memory.add_fact("the safe", "has the code word", "x", text=f"The safe's password is {PASSWORD}.")
        yield memory


def written(folder: Path, *secrets: str) -> list[str]:
    """The files under `folder` that hold one of `secrets`."""
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.is_file() and any(secret.encode() in path.read_bytes() for secret in secrets)
    ]


def test_no_prompt_exercise_or_adapter_of_a_night_holds_a_secret(memory: HybridMemory) -> None:
    report = memory.dream()
    model = memory.model
    assert isinstance(model, Listening)
    assert report.status == "promoted"
    assert any("Ana lives in Porto." in text for text in model.heard)
    assert [text for text in model.heard if PASSWORD in text or CARD in text] == []
    items = memory.ledger.items(memory.namespace)
    assert items and not any(PASSWORD in str(item) or CARD in str(item) for item in items)
    assert written(memory.folder.adapters, PASSWORD, CARD) == []
    active = memory.adapters.active()
    held = {memory.get(id).text for id in active.facts} if active else set()
    assert {"Ana lives in Porto.", "Rui works at Dunlin."} <= held
    assert not any("password" in text or "card" in text for text in held)
    extracted = next(step for step in report.steps if step.name == "extract")
    assert extracted.counts["redacted"] == 3
    # What is stored word for word is still found.
    assert PASSWORD in memory.search("What is the wifi password?")[0].text


def test_a_secret_that_weights_hold_leaves_them(memory: HybridMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    """An adapter of a release that trained whatever was said."""
    from hybridmem.dreaming.steps import select
    from hybridmem.workspace import Workspace

    with monkeypatch.context() as before:
        before.setattr(Workspace, "without_secrets", lambda workspace: workspace)
        before.setattr(select, "holds_secret", lambda record: False)
        memory.dream()
    active = memory.adapters.active()
    assert active is not None
    assert any(PASSWORD in memory.get(id).text for id in active.facts)
    memory.add("Tom lives in Rome.")
    memory.dream()
    active = memory.adapters.active()
    assert active is not None
    assert not any(PASSWORD in memory.get(id).text for id in active.facts)
    assert PASSWORD not in (memory.adapters.path(active.version) / "answers.json").read_text()


def test_nothing_secret_is_written_where_that_is_asked_for(tmp_path: Path) -> None:
    with opened(tmp_path, redact="store") as memory:
        (episode,) = memory.add(TEXTS[2], metadata={"note": {"raw": [f"card {CARD}"]}, "n": 3})
        assert episode.text == "The wifi password is [password removed]."
        assert episode.metadata == {"note": {"raw": ["card [card number removed]"]}, "n": 3}
        fact = memory.add_fact("the wifi", "has the password", PASSWORD, text=TEXTS[2])
        memory.update(fact.id, f"The wifi is new, and the password is {PASSWORD} now.")
        memory.at("other").add(f"Pay with {CARD}.")
        memory.search("password")
        memory.dream()
        assert memory.secrets() == []
    # The triple names no password by its form alone: its text does.
    assert written(tmp_path, CARD) == []
    with opened(tmp_path) as memory:
        assert all(PASSWORD not in record.text for record in memory.list())


def test_a_report_names_the_memory_and_its_kinds_and_no_secret(memory: HybridMemory) -> None:
    found = memory.secrets()
    assert [each.found for each in found] == [("password",), ("card number",), ("password",), ("password",)]
    assert [each.kind for each in found] == ["episode", "episode", "episode", "fact"]
    assert memory.get(found[0].id).text == TEXTS[2]
    assert PASSWORD not in str(found) and CARD not in str(found)


def test_the_counts_say_how_many_memories_hold_one(memory: HybridMemory) -> None:
    assert memory.stats()["secrets"] == len(memory.secrets()) == 4
    memory.delete(memory.secrets()[0].id)
    assert memory.stats()["secrets"] == 3
    memory.update(next(e.id for e in memory.list() if "Porto" in e.text), f"Ana's password is {PASSWORD}.")
    assert memory.stats()["secrets"] == 4


def test_what_was_looked_through_once_is_known_by_its_digest_alone() -> None:
    kinds = secrets._Kinds(2)
    assert [kinds(text) for text in (*TEXTS[1:4], TEXTS[2])] == [(), ("password",), ("card number",), ("password",)]
    assert len(kinds._found) == 2
    assert PASSWORD not in str(vars(kinds))


def test_an_unknown_moment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no redact 'always'"):
        opened(tmp_path, redact="always")
