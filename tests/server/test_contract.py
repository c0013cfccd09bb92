"""The contract as REST, against the real server in another process."""

from __future__ import annotations

import httpx
import pytest

from tests.server.conftest import Server, serving


def added(client: httpx.Client, text: str, **options: object) -> dict[str, object]:
    answered = client.post("/v1/memories", json={"text": text, **options})
    assert answered.status_code == 201, answered.text
    (memory,) = answered.json()["memories"]
    return memory  # type: ignore[no-any-return]


def test_a_memory_is_written_found_changed_and_erased(ana: httpx.Client) -> None:
    memory = added(ana, "Ulla keeps bees in Quito.", session="s1", at="2026-03-01T09:00:00Z", metadata={"by": "chat"})
    path = f"/v1/memories/{memory['id']}"
    assert ana.get(path).json() == memory
    assert memory["at"] == "2026-03-01T09:00:00+00:00"
    hits = ana.post("/v1/search", json={"query": "Who keeps bees?", "limit": 3}).json()["hits"]
    assert hits[0]["id"] == memory["id"]
    assert hits[0]["why"].keys() >= {"dense", "lexical", "graph"}
    assert hits[0]["metadata"] == {"by": "chat"}
    changed = ana.patch(path, json={"text": "Ulla keeps bees in Lima."}).json()
    assert changed["text"] == "Ulla keeps bees in Lima."
    assert [event["event"] for event in ana.get(f"{path}/history").json()["events"]] == ["added", "updated"]
    assert ana.get(f"{path}/why").json()["memory"]["id"] == memory["id"]
    receipt = ana.delete(path).json()
    assert receipt["id"] == memory["id"]
    assert receipt["removed"]["ledger"] == 1
    assert ana.get(path).status_code == 404
    assert [event["text"] for event in ana.get(f"{path}/history").json()["events"]] == [None, None, None]
    hits = ana.post("/v1/search", json={"query": "Who keeps bees?"}).json()["hits"]
    assert memory["id"] not in {hit["id"] for hit in hits}


def test_messages_are_remembered_in_order(ana: httpx.Client) -> None:
    told = [
        {"role": "user", "content": "Wim studies tulips."},
        {"role": "assistant", "content": "How lovely.", "at": "2026-03-02"},
        {"role": "tool", "content": "Tulips: 2.50 EUR."},
    ]
    answered = ana.post("/v1/memories", json={"messages": told, "session": "tulips"})
    assert [(each["role"], each["trust"]) for each in answered.json()["memories"]] == [
        ("user", "user"),
        ("assistant", "agent"),
        ("tool", "tool"),
    ]


def test_messages_may_have_parts_calls_and_no_words(ana: httpx.Client) -> None:
    picture = {"type": "image_url", "image_url": {"url": "https://example.com/a.jpg"}}
    told = [
        {"role": "user", "content": [{"type": "text", "text": "Wim loves hiking."}, picture]},
        {"role": "user", "content": picture},
        {"role": "user", "content": {"type": "text", "text": "Wim has a dog."}},
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "assistant", "content": ""},
        {"role": "function", "content": "ok", "name": "walk"},
    ]
    answered = ana.post("/v1/memories", json={"messages": told})
    assert [(each["role"], each["text"]) for each in answered.json()["memories"]] == [
        ("user", "Wim loves hiking."),
        ("user", "Wim has a dog."),
        ("tool", "ok"),
    ]
    assert ana.post("/v1/memories", json={"messages": told[3:5]}).status_code == 422


def test_a_quarantined_memory_is_not_found_until_it_is_released(ana: httpx.Client) -> None:
    memory = added(ana, "Yara hides the xylophone.")

    def found() -> bool:
        hits = ana.post("/v1/search", json={"query": "Yara's xylophone"}).json()["hits"]
        return memory["id"] in {hit["id"] for hit in hits}

    assert found()
    assert ana.post(f"/v1/memories/{memory['id']}/quarantine").json()["quarantined"]
    assert not found()
    assert not ana.post(f"/v1/memories/{memory['id']}/release").json()["quarantined"]
    assert found()


def test_a_fact_replaces_the_value_of_its_slot(ana: httpx.Client) -> None:
    fact = {"subject": "Juri", "relation": "lives in", "object": "Tartu", "valid_from": "2026-01-01"}
    first = ana.post("/v1/facts", json=fact)
    assert first.status_code == 201
    second = ana.post("/v1/facts", json={**fact, "object": "Bergen", "valid_from": "2026-06-01"}).json()
    assert ana.get(f"/v1/memories/{first.json()['id']}").json()["superseded_by"] == second["id"]
    ask = {"query": "Where does Juri live?", "kinds": ["fact"]}
    now = ana.post("/v1/search", json=ask).json()["hits"]
    then = ana.post("/v1/search", json={**ask, "as_of": "2026-02-01"}).json()["hits"]
    assert [hit["text"] for hit in now if "Juri" in hit["text"]] == ["Juri lives in Bergen."]
    assert [hit["text"] for hit in then if "Juri" in hit["text"]] == ["Juri lives in Tartu."]
    stint = {"subject": "Juri", "relation": "works at", "object": "Aho", "valid_from": "2020-01-01"}
    assert ana.post("/v1/facts", json={**stint, "valid_to": "2021-01-01"}).status_code == 201
    ask = {"query": "Where does Juri work?", "kinds": ["fact"]}
    for day, held in (("2020-06-01", True), ("2022-01-01", False)):
        hits = ana.post("/v1/search", json={**ask, "as_of": day}).json()["hits"]
        assert ("Juri works at Aho." in [hit["text"] for hit in hits]) is held


def test_an_answer_tells_its_route(ana: httpx.Client) -> None:
    added(ana, "Xenia lives in Cadiz.")
    answer = ana.post("/v1/answer", json={"question": "Where does Xenia live?"}).json()
    assert (answer["text"], answer["route"]) == ("Cadiz", "retrieval")
    forced = ana.post("/v1/answer", json={"question": "Where does Xenia live?", "route": "abstain"}).json()
    assert forced["route"] == "abstain"


def test_pages_follow_one_another_and_hold_everything_once(zane: httpx.Client) -> None:
    texts = [f"Note {number} of a long list." for number in range(7)]
    for text in texts:
        added(zane, text)
    seen, after, pages = [], 0, 0
    while True:
        page = zane.get("/v1/memories", params={"limit": 3, "after": after, "kind": "episode"}).json()
        seen += [memory["text"] for memory in page["memories"]]
        pages += 1
        if page["next"] is None:
            break
        after = page["next"]
    assert [text for text in seen if text in texts] == texts
    assert pages == -(-len(seen) // 3)


def test_counts(zane: httpx.Client) -> None:
    before = zane.get("/v1/stats").json()
    added(zane, "One more.")
    after = zane.get("/v1/stats").json()
    assert after["secrets"] == before["secrets"]
    added(zane, "The wifi password is Tr0ub4dor&3.")
    assert zane.get("/v1/stats").json()["secrets"] == before["secrets"] + 1
    assert after["episodes"] == before["episodes"] + 1
    assert after["active_adapter"] is None


def test_adapters(ana: httpx.Client) -> None:
    assert ana.get("/v1/adapters").json() == {"adapters": [], "active": None}
    assert ana.get("/v1/adapters/active").json() == {"active": None}
    assert ana.put("/v1/adapters/active", json={"version": None}).json() == {"active": None}
    for answered in (
        ana.get("/v1/adapters/v0001"),
        ana.put("/v1/adapters/active", json={"version": "v0001"}),
        ana.post("/v1/adapters/active/rollback"),
        ana.get("/v1/adapters/diff", params={"before": "v0001", "after": "v0002"}),
    ):
        assert answered.status_code == 404
        assert answered.json()["title"] == "unknown adapter"


def test_a_dream_is_a_job(zane: httpx.Client, ana: httpx.Client) -> None:
    started = zane.post("/v1/dreams", json={})
    assert started.status_code == 201
    dream = started.json()
    assert (dream["type"], dream["status"]) == ("dream", "running")
    assert dream["inputs"] == {"namespace": "users/zane", "recipe": "default"}
    assert dream["outputs"] == {"adapter": None, "report": None}
    assert dream["usage"]["seconds"] == 0.5
    assert ana.get(f"/v1/dreams/{dream['id']}").status_code == 404
    assert ana.post(f"/v1/dreams/{dream['id']}/cancel").status_code == 404
    assert zane.get(f"/v1/dreams/{dream['id']}").json() == dream
    ended = zane.post(f"/v1/dreams/{dream['id']}/cancel").json()
    assert ended["status"] == "canceled"
    assert ended["ended_at"] is not None
    done = zane.post("/v1/dreams", json={"recipe": "naive"}).json()
    assert (done["status"], done["outputs"]["report"]["status"]) == ("completed", "nothing")
    assert [each["id"] for each in zane.get("/v1/dreams").json()["dreams"]][:2] == [done["id"], dream["id"]]


@pytest.mark.parametrize("recipe", ["../../etc/passwd", "/tmp/mine.toml", "unknown", ""])
def test_a_recipe_is_a_name_and_never_a_path(ana: httpx.Client, recipe: str) -> None:
    assert ana.post("/v1/dreams", json={"recipe": recipe}).status_code == 422


def test_what_was_acknowledged_is_there_after_a_restart(tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("restart")
    with serving(place) as first, first.client() as client:
        memory = added(client, "Tove moved to Nantes.")
        assert first.stop() == 0
    with serving(place) as second, second.client() as client:
        assert client.get(f"/v1/memories/{memory['id']}").json() == memory
        assert client.post("/v1/search", json={"query": "Tove"}).json()["hits"][0]["id"] == memory["id"]


def test_figures(server: Server, ana: httpx.Client) -> None:
    added(ana, "Ivo counts stars.")
    ana.post("/v1/search", json={"query": "Ivo"})
    ana.post("/v1/answer", json={"question": "What does Ivo count?"})
    page = ana.get("/metrics")
    assert page.headers["content-type"].startswith("text/plain; version=")
    lines = page.text.splitlines()
    assert any(line.startswith('hybridmem_memories{kind="episodes",namespace="users/ana"}') for line in lines)
    assert any(line.startswith('hybridmem_operation_seconds_count{operation="search"}') for line in lines)
    assert any(line.startswith('hybridmem_operation_seconds_bucket{le="0.05",operation="answer"}') for line in lines)
    assert any(line.startswith("hybridmem_answers_total{route=") for line in lines)
    assert 'namespace="users/zane"' not in page.text


def test_filters_thresholds_and_edits(ana: httpx.Client) -> None:
    body = {"text": "The tram to Foz rattles.", "tags": ["foz-trip"], "metadata": {"stars": 4}, "session": "foz"}
    memory = ana.post("/v1/memories", json=body).json()["memories"][0]
    path = f"/v1/memories/{memory['id']}"

    def found(**asked: object) -> list[str]:
        answered = ana.post("/v1/search", json={"query": "Which tram rattles?", **asked})
        assert answered.status_code == 200, answered.text
        return [hit["id"] for hit in answered.json()["hits"]]

    assert found(filters={"tags": "foz-trip", "metadata.stars": {"gte": 3}}, min_score=0.5) == [memory["id"]]
    assert found(session="foz", since="2020-01-01", trust=["user"], role="user", half_life_days=30) == [memory["id"]]
    assert found(session="foz", until="2020-01-01") == found(filters={"tags": "foz-trip"}, min_score=1) == []
    refused = ana.post("/v1/search", json={"query": "x", "filters": {"tag": "foz-trip"}})
    assert (refused.status_code, "did you mean 'tags'" in refused.json()["detail"]) == (422, True)

    changed = ana.patch(path, json={"metadata": {"stars": None, "line": 18}, "expires_at": "2020-01-01"}).json()
    assert (changed["metadata"], changed["text"]) == ({"tags": ["foz-trip"], "line": 18}, body["text"])
    assert found(session="foz") == []
    assert ana.patch(path, json={"expires_at": None, "tags": ["other-trip"]}).json()["expires_at"] is None
    assert found(filters={"tags": "other-trip"}) == [memory["id"]]
    events = ana.get(f"{path}/history").json()["events"]
    assert [event["event"] for event in events] == ["added", "edited", "edited"]
    for nothing in ({}, {"text": None}, {"metadata": {"hybridmem.parts": 1}}, {"tags": [""]}):
        assert ana.patch(path, json=nothing).status_code == 422

    asked = {"filters": {"tags": "other-trip"}}
    assert [each["id"] for each in ana.post("/v1/memories/query", json=asked).json()["memories"]] == [memory["id"]]
    assert ana.post("/v1/memories/delete", json={**asked, "dry_run": True}).json()["ids"] == [memory["id"]]
    assert ana.post("/v1/memories/delete", json={"filters": {}}).status_code == 422
    assert ana.post("/v1/memories/delete", json=asked).json()["ids"] == [memory["id"]]
    assert ana.get(path).status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/v1/facts", {"subject": "Lena", "relation": "vegan", "object": True}, "body.object: Input should be a valid"),
        ("/v1/search", {"query": "a" * 10_001}, "body.query: it has 10,001 characters, above 10,000: shorten it"),
        ("/v1/memories", {"text": "x", "tags": ["pet", " "]}, "body.tags.1: it has no words"),
        ("/v1/memories", {"text": "x", "at": "2026-W"}, "body.at: write it as 2026-03-01"),
        ("/v1/memories", {"messages": [{"role": 3, "content": "x"}]}, "body.messages.0.role: Input should be a valid"),
        ("/v1/memories", {"messages": []}, "body.messages: it is empty"),
        ("/v1/memories/delete", {"filters": {}}, "body.filters: it is empty"),
    ],
)
def test_a_refusal_names_the_field_and_no_inner_part_of_the_server(
    ana: httpx.Client, path: str, body: dict[str, object], said: str
) -> None:
    answered = ana.post(path, json=body)
    assert answered.status_code == 422 and said in answered.json()["detail"]
    assert "function" not in answered.text and "Add" not in answered.text


def test_a_parameter_that_an_endpoint_does_not_have_is_refused_by_name(ana: httpx.Client) -> None:
    answered = ana.get("/v1/memories?lmit=3&kind=fact")
    assert answered.status_code == 422
    assert answered.json()["detail"] == "there is no parameter 'lmit' here: it takes after, kind, limit"
    assert ana.post("/v1/search?limit=3", json={"query": "ferrets"}).status_code == 422
    assert ana.get("/v1/memories?limit=3&kind=fact").status_code == 200
    assert ana.get("/v1/models?after=x").status_code == 200, "OpenAI's clients may send parameters of its own"


def test_advice_is_a_request_and_no_command_of_a_shell(ana: httpx.Client) -> None:
    said = ana.get("/v1/adapters/v9999").json()["detail"]
    assert "hybridmem" not in said and "GET /v1/adapters lists them" in said
