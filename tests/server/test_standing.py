"""Profile, blocks, reflections and standing questions over HTTP."""

from __future__ import annotations

import httpx

from tests.server.conftest import READER, Server


def test_a_profile_names_its_sources(ana: httpx.Client) -> None:
    fact = ana.post("/v1/facts", json={"subject": "I", "relation": "live in", "object": "Vigo"}).json()
    known = ana.get("/v1/profile").json()
    line = next(line for line in known["lines"] if line["facts"] == [fact["id"]])
    assert (line["text"], line["about"], line["episodes"]) == ("I live in Vigo.", "user", [])
    assert "- I live in Vigo." in known["text"]
    assert ana.get("/v1/profile", params={"budget": 0}).json()["lines"] == []
    assert ana.delete(f"/v1/memories/{fact['id']}").status_code == 200
    assert "I live in Vigo." not in ana.get("/v1/profile").json()["text"]


def test_a_block_lives(ana: httpx.Client, server: Server) -> None:
    made = ana.put("/v1/blocks/persona", json={"value": "You are brief.", "limit": 60})
    assert made.status_code == 200
    assert made.json()["limit"] == 60
    ana.post("/v1/blocks/persona/append", json={"text": "You are kind.", "by": "agent"})
    changed = ana.post("/v1/blocks/persona/replace", json={"old": "brief", "new": "clear", "by": "agent"})
    assert changed.json()["value"] == "You are clear.\nYou are kind."
    assert ana.get("/v1/blocks/persona").json() == changed.json()
    assert changed.json() in ana.get("/v1/blocks").json()["blocks"]
    for path, body, status in (
        ("persona/append", {"text": "x" * 60}, 409),
        ("persona/replace", {"old": "nowhere", "new": "x"}, 409),
        ("none/append", {"text": "x"}, 404),
        ("two words/append", {"text": "x"}, 422),
        ("persona/append", {"text": "x", "by": "me"}, 422),
    ):
        refused = ana.post(f"/v1/blocks/{path}", json=body)
        assert refused.status_code == status, refused.text
        assert "\n" not in refused.json()["detail"]
    ana.put("/v1/blocks/persona", json={"read_only": True})
    assert ana.post("/v1/blocks/persona/append", json={"text": "x", "by": "agent"}).status_code == 409
    with server.client(READER) as reader:
        assert reader.get("/v1/blocks/persona").status_code == 200
        assert reader.put("/v1/blocks/persona", json={"value": "x"}).status_code == 403
    assert ana.delete("/v1/blocks/persona").json()["removed"] == {"ledger": 1, "history": 4}
    assert ana.get("/v1/blocks/persona").status_code == 404
    history = ana.get("/v1/blocks/persona/history").json()["events"]
    assert [event["text"] for event in history] == [None] * 5
    assert [event["by"] for event in history] == ["user", "agent", "agent", "user", "user"]


def test_reflections_and_standing_questions(ana: httpx.Client) -> None:
    said = ana.post("/v1/memories", json={"text": "Xenia Orlova lives in Tromso."}).json()["memories"][0]
    asked = "Where does Xenia Orlova live?"
    reflection = ana.post("/v1/reflect", json={"question": asked}).json()
    assert reflection["text"] == "Tromso"
    assert reflection["statements"] == [{"text": "Tromso", "sources": [said["id"]]}]
    assert [hit["id"] for hit in reflection["evidence"]] == [said["id"]]
    kept = ana.post("/v1/questions", json={"question": asked})
    assert kept.status_code == 201
    assert kept.json()["answered_at"] is None
    fresh = ana.get("/v1/questions", params={"fresh": True}).json()["questions"]
    answer = next(each for each in fresh if each["id"] == kept.json()["id"])
    assert answer["statements"] == reflection["statements"]
    assert answer in ana.get("/v1/questions").json()["questions"]
    assert ana.delete(f"/v1/questions/{answer['id']}").status_code == 204
    assert ana.delete(f"/v1/questions/{answer['id']}").status_code == 404
