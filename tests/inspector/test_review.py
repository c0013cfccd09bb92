"""A night that is reviewed in the inspector: read, shown line by line, accepted in part."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from hybridmem.core.errors import ModelError
from hybridmem.inspector.reading import Readings
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel
from tests.inspector.conftest import visitor
from tests.inspector.test_access import form
from tests.inspector.test_pages import words
from tests.inspector.worlds import SCRIPT


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    """Ana has moved, and Ben is new."""
    with HybridMemory.open(
        tmp_path / "memory", namespace=("users", "ana"), model=FakeModel(), embedder="hashing"
    ) as memory:
        memory.add_fact("Ana", "lives in", "Lisbon")
        memory.add("Ana lives in Oslo.")
        memory.add("Ben lives in Riga.")
        yield memory


def facts(memory: HybridMemory) -> list[str]:
    return [fact.claim for fact in memory.ledger.facts(memory.namespace)]


def shown(client: TestClient, path: str = "/review") -> str:
    return words(client.get(path).text)


def ticks(page: str, *claims: str) -> dict[str, str]:
    """The fields of the page's form with these claims ticked."""
    boxes = dict(re.findall(r'<label for="([^"]+)">([^<]+)</label>', page))
    hidden = re.search(r'name="seen" value="(\w+)"', page)
    assert hidden is not None
    assert set(claims) <= set(boxes.values())
    ticked = {name: "yes" for name, claim in boxes.items() if claim in claims}
    return {**form(), "seen": hidden[1], "take": "ticked", **ticked}


def test_what_waits_is_shown_line_by_line_with_its_sentence(memory: HybridMemory) -> None:
    memory.add("Rain fell.\nCara lives in Faro.")
    memory.review_dream()
    page = visitor(memory, edit=True).get("/review").text
    text = words(page)
    assert "3 changes from 3 episodes, none of them believed yet." in text
    assert "new: Ana | lives in | Oslo in place of: Ana | lives in | Lisbon replaces" in text
    assert "read as Cara lives in Faro. said Rain fell. Cara lives in Faro." in text
    assert page.count('type="checkbox"') == 3 and " checked" not in page
    assert visitor(memory, edit=True).get("/review?tick=all").text.count(" checked") == 3
    for episode in memory.list(kind="episode"):
        assert f'href="/memory?id={episode.id}"' in page
    assert facts(memory) == ["Ana | lives in | Lisbon"]


def test_only_what_is_ticked_is_believed(memory: HybridMemory) -> None:
    memory.review_dream()
    before = memory.ledger.archive(memory.namespace).memories
    client = visitor(memory, edit=True)
    answer = client.post("/review/accept", data=ticks(client.get("/review").text, "Ben | lives in | Riga"))
    assert answer.status_code == 200
    assert "Believed now: 1 of 2 changes." in words(answer.text)
    assert "Nothing waits: all that was said has been read." in words(answer.text)
    after = memory.ledger.archive(memory.namespace).memories
    (new,) = [each for each in after if each not in before]
    assert new.text == "Ben lives in Riga." and [each for each in after if each != new] == list(before)
    assert memory.dreams() == []
    assert client.post("/review/accept", data=form(seen="", take="none")).status_code == 400
    assert memory.ledger.unextracted(memory.namespace) == []


def test_nothing_ticked_accepts_nothing_and_the_review_waits_on(memory: HybridMemory) -> None:
    memory.review_dream()
    client = visitor(memory, edit=True)
    answer = client.post("/review/accept", data=ticks(client.get("/review").text))
    assert answer.status_code == 400 and "Nothing is ticked, and nothing was accepted" in words(answer.text)
    ben = ticks(client.get("/review").text, "Ben | lives in | Riga")
    kept = client.post("/review/accept", data={**ben, "take": "nothing"})
    assert kept.status_code == 200 and kept.text.count(" checked") == 1
    assert memory.proposed_dream() is not None
    answer = client.post("/review/accept", data={**ben, "take": "none"})
    assert "Believed now: 0 of 2 changes." in words(answer.text)
    assert facts(memory) == ["Ana | lives in | Lisbon"]
    assert memory.ledger.unextracted(memory.namespace) == []


def test_what_has_changed_since_it_was_shown_is_shown_again(memory: HybridMemory) -> None:
    """Accepted is what a person saw: not another night, and not the same claim in the place of another one."""
    memory.review_dream()
    client = visitor(memory, edit=True)
    fields = ticks(client.get("/review").text, "Ana | lives in | Oslo")
    memory.add_fact("Ana", "lives in", "Faro")
    answer = client.post("/review/accept", data=fields)
    assert answer.status_code == 409 and "What waits has changed since" in words(answer.text)
    assert "past from" in words(answer.text) and answer.text.count(" checked") == 1
    assert facts(memory) == ["Ana | lives in | Faro"]
    memory.add("Cara lives in Faro.")
    memory.review_dream()
    assert client.post("/review/accept", data={**fields, "take": "none"}).status_code == 409
    assert len(memory.ledger.unextracted(memory.namespace)) == 3


def test_without_edit_the_diff_is_only_shown(memory: HybridMemory) -> None:
    memory.review_dream()
    client = visitor(memory)
    page = client.get("/review").text
    assert "checkbox" not in page and "<button name" not in page
    assert "Ben | lives in | Riga" in words(page) and "inspect --edit" in words(page)
    for path in ("/review/accept", "/review/read"):
        assert client.post(path, data=form()).status_code == 403
    assert memory.proposed_dream() is not None


@pytest.mark.parametrize("path", ["/review/accept", "/review/read"])
def test_a_form_of_another_page_is_refused(memory: HybridMemory, path: str) -> None:
    memory.review_dream()
    client = visitor(memory, edit=True)
    assert client.post(path, data={"take": "none"}).status_code == 403
    assert client.post(path, data=form(), headers={"origin": "http://evil.example"}).status_code == 403
    assert facts(memory) == ["Ana | lives in | Lisbon"]


def test_words_stay_words(memory: HybridMemory) -> None:
    memory.add(f"Zoe keeps {SCRIPT}")
    memory.review_dream()
    page = visitor(memory, edit=True).get("/review").text
    assert "<script>window" not in page and page.count("&lt;script&gt;window") >= 2


def test_the_page_reads_what_is_new(memory: HybridMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a thread of its own: meanwhile the page says so, and looks again by itself."""
    reads, goes_on = threading.Event(), threading.Event()
    review_dream = HybridMemory.review_dream

    def slowly(self: HybridMemory, *, progress: Any, **options: Any) -> Any:
        progress("extract", 1, 2)
        reads.set()
        goes_on.wait(20)
        return review_dream(self, progress=progress, **options)

    monkeypatch.setattr(HybridMemory, "review_dream", slowly)
    client = visitor(memory, edit=True)
    assert "2 episodes wait for a night." in shown(client)
    assert 'href="/review"' in client.get("/").text
    assert client.post("/review/read", data=form()).status_code == 200
    assert reads.wait(20)
    page = client.get("/review").text
    assert 'http-equiv="refresh"' in page and '<progress value="1" max="2">' in page
    busy = client.post("/review/read", data={**form(), "ns": "users/ben"})
    assert busy.status_code == 409 and "a night of users/ana is being read" in words(busy.text)
    client.post("/review/read", data=form())
    goes_on.set()
    until = time.monotonic() + 20
    while "refresh" in (page := client.get("/review").text) and time.monotonic() < until:
        time.sleep(0.01)
    assert "2 changes from 2 episodes" in words(page)
    memory.add("Cara lives in Faro.")
    assert "1 episode came after this was read" in shown(client)


def test_a_reading_that_fails_says_why_and_may_be_tried_again(
    memory: HybridMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(self: HybridMemory, **options: Any) -> None:
        raise ModelError("the model is not there: run `hybridmem models install`")

    readings = Readings()
    with monkeypatch.context() as patched:
        patched.setattr(HybridMemory, "review_dream", fails)
        readings.start(memory)
        readings.wait()
    found = readings.of(memory.namespace)
    assert found is not None and found.problem == "the model is not there: run `hybridmem models install`"
    assert readings.of(("users", "ben")) is None
    readings.start(memory)
    readings.wait()
    assert readings.of(memory.namespace) is None and memory.proposed_dream() is not None


def test_an_inspector_that_ends_stops_its_reading(memory: HybridMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    reads, ended = threading.Event(), []

    def forever(self: HybridMemory, *, progress: Any) -> None:
        try:
            while True:
                progress("extract", 1, 2)
                reads.set()
                time.sleep(0.001)
        finally:
            ended.append(self.namespace)

    monkeypatch.setattr(HybridMemory, "review_dream", forever)
    with visitor(memory, edit=True) as client:
        client.post("/review/read", data=form())
        assert reads.wait(20)
    assert ended == [memory.namespace]
    assert "nothing was changed" in shown(client)
