"""Changes through the pages: new words, quarantine, deletion, promotion and rollback."""

from __future__ import annotations

import pytest

from hybridmem.core.errors import UnknownMemory
from hybridmem.memory import HybridMemory
from tests.inspector.conftest import visitor
from tests.inspector.test_access import form
from tests.inspector.test_pages import words


def test_new_words_leave_the_old_ones_in_the_history(own: HybridMemory) -> None:
    client = visitor(own, edit=True)
    assert "New words" in client.get("/memory?id=ep_2").text
    answer = client.post("/memory/update", data=form(id="ep_2", text="I keep bees\r\nin Porto."))
    assert answer.status_code == 200
    assert "The words were changed" in words(answer.text)
    assert own.get("ep_2").text == "I keep bees\nin Porto."
    assert [event.event for event in own.history("ep_2")] == ["added", "updated"]
    assert "I keep bees in Lisbon." in words(client.get("/memory?id=ep_2").text).split("History")[1]


def test_words_that_cannot_be_a_memory_are_refused(own: HybridMemory) -> None:
    client = visitor(own, edit=True)
    for text, said in (("  ", "the text is empty"), ("a\x00b", "NUL"), ("a" * 1_000_001, "1,000,000")):
        answer = client.post("/memory/update", data=form(id="ep_2", text=text))
        assert answer.status_code == 400
        assert said in words(answer.text)
    assert own.get("ep_2").text == "I keep bees in Lisbon."


def test_a_form_without_an_end_is_refused(own: HybridMemory) -> None:
    client = visitor(own, edit=True)
    assert client.post("/memory/update", content=b"text=" + b"a" * 13_000_000).status_code == 400
    assert client.post("/memory/update", content=b"\xff\xfe").status_code == 400
    assert client.post("/memory/update", content=b"&".join([b"a=b"] * 50)).status_code == 400


def test_quarantine_and_release(own: HybridMemory) -> None:
    client = visitor(own, edit=True)
    assert "Quarantined" in words(client.post("/memory/quarantine", data=form(id="ep_2")).text)
    assert own.get("ep_2").quarantined
    assert "I keep bees" not in words(client.get("/search?q=bees").text)
    assert "Released" in words(client.post("/memory/release", data=form(id="ep_2")).text)
    assert "I keep bees" in words(client.get("/search?q=bees").text)


def test_deletion_asks_first_and_shows_its_receipt(own: HybridMemory) -> None:
    client = visitor(own, edit=True)
    asked = words(client.get("/memory/delete?id=ep_0").text)
    assert "1 fact that stands on it alone goes with it." in asked
    assert "2 adapters hold it" in asked
    assert own.get("ep_0").text, "asking deletes nothing"
    receipt = words(client.post("/memory/delete", data=form(id="ep_0")).text)
    assert "ledger 2" in receipt
    assert "vectors 2" in receipt
    assert "adapters no longer trusted on it v0002, v0003" in receipt
    assert "run `hybridmem dream` to rebuild without it" in receipt
    with pytest.raises(UnknownMemory):
        own.get("ep_0")
    assert client.get("/memory?id=ep_0").status_code == 404
    assert client.post("/memory/delete", data=form(id="ep_0")).status_code == 404


def test_a_change_stays_in_its_namespace(own: HybridMemory) -> None:
    client = visitor(own, edit=True)
    (other,) = own.at("users/ben").list()
    assert client.post("/memory/delete", data=form(id=other.id)).status_code == 404
    answer = client.post("/memory/quarantine", data={**form(id=other.id), "ns": "users/ben"})
    assert answer.status_code == 200
    assert "ns=users%2Fben" in str(answer.url)
    assert own.at("users/ben").get(other.id).quarantined


def test_promotion_and_rollback_move_who_answers(own: HybridMemory) -> None:
    client = visitor(own, edit=True)
    assert "v0001 answers now." in words(client.post("/adapters/promote", data=form(version="v0001")).text)
    assert "v0002 answers now." not in words(client.get("/adapters").text)
    client.post("/adapters/promote", data=form(version="v0003"))
    assert "v0001 answers now." in words(client.post("/adapters/rollback", data=form()).text)
    assert "The bare base answers now." in words(client.post("/adapters/promote", data=form(version="none")).text)
    assert own.adapters.active() is None
    assert client.post("/adapters/rollback", data=form()).status_code == 404
    assert client.post("/adapters/promote", data=form(version="v9")).status_code == 404


def test_a_damaged_adapter_is_not_promoted(own: HybridMemory) -> None:
    (own.adapters.path("v0002") / "answers.json").write_text("{}")
    answer = visitor(own, edit=True).post("/adapters/promote", data=form(version="v0002"))
    assert answer.status_code == 409
    assert "answers.json of v0002 has sha256" in words(answer.text)
    active = own.adapters.active()
    assert active is not None
    assert active.version == "v0003"
