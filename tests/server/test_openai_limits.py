"""What OpenAI's clients send beyond one question: histories, stops, bounds, tokens, other paths, and browsers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from hybridmem.conversation import REPLY_TOKENS
from hybridmem.core.errors import InvalidInput
from hybridmem.memory import HybridMemory
from hybridmem.models.fake import FakeModel
from hybridmem.server.app import build
from hybridmem.server.cors import checked_origin
from hybridmem.server.tokens import Tokens
from hybridmem.stores.index.follower import Indexes
from tests.server.double import Jobs

TOKEN = "token-of-ana-" + "x" * 20
PAGE = "https://chat.example"


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[HybridMemory]:
    with HybridMemory.open(tmp_path / "memory", model=FakeModel(), embedder="hashing") as memory:
        yield memory


@pytest.fixture
def client(memory: HybridMemory, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    # These tests write to the memory beside the server, which looks for such writes once a second.
    monkeypatch.setattr(Indexes, "kept_up", property(lambda self: False, lambda self, kept: None), raising=False)
    application = build(memory, Tokens.of(TOKEN, memory.namespace), jobs=Jobs(), origins=[PAGE])
    with TestClient(application, headers={"Authorization": f"Bearer {TOKEN}"}) as client:
        yield client


def turn(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def chat(client: TestClient, *messages: dict[str, str], **options: Any) -> Any:
    return client.post("/v1/chat/completions", json={"model": "hybridmem", "messages": list(messages), **options})


def test_the_history_of_the_request_is_read_and_not_stored(client: TestClient, memory: HybridMemory) -> None:
    asked = turn("user", "Where does Ana live?")
    assert chat(client, asked).json()["choices"][0]["message"]["content"] == "I don't know."
    for told in (turn("user", "Ana lives in Porto."), turn("system", "Ana lives in Porto.")):
        done = chat(client, told, turn("assistant", "Noted."), asked).json()
        assert done["choices"][0]["message"]["content"] == "Porto"
        assert done["hybridmem"]["route"] is None
    assert {record.text for record in memory.list()} == {"Where does Ana live?"}


def test_a_turn_of_chat_reads_the_system_message_and_the_history(
    client: TestClient, memory: HybridMemory, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Any] = []
    generate = FakeModel.generate

    def listen(self: FakeModel, prompts: Any, **options: Any) -> Any:
        read.append((prompts[0], options))
        return generate(self, prompts, **options)

    monkeypatch.setattr(FakeModel, "generate", listen)
    chat(
        client,
        turn("system", "Be brief."),
        turn("user", "Good morning."),
        turn("assistant", "Hello."),
        turn("user", "It rains."),
        temperature=1.5,
        seed=7,
        max_tokens=9,
    )
    prompt, options = read[-1]
    assert [(message["role"], message["content"]) for message in prompt] == [
        ("system", "Be brief."),
        ("user", "Good morning."),
        ("assistant", "Hello."),
        ("user", "It rains."),
    ]
    assert options == {"max_new_tokens": 9, "temperature": 1.5, "seed": 7}


def test_a_reply_ends_at_a_stop_and_at_its_length(client: TestClient, memory: HybridMemory) -> None:
    memory.add("Ana lives in old harbour houses of Porto.")
    asked = turn("user", "Where does Ana live?")
    whole = chat(client, asked).json()["choices"][0]
    assert (whole["message"]["content"], whole["finish_reason"]) == ("old harbour houses of Porto", "stop")
    cut = chat(client, asked, stop=["Lisbon", " houses"]).json()["choices"][0]
    assert (cut["message"]["content"], cut["finish_reason"]) == ("old harbour", "stop")
    short = chat(client, asked, max_tokens=3).json()["choices"][0]
    assert (short["message"]["content"], short["finish_reason"]) == ("old harbour houses", "length")
    streamed = chat(client, asked, max_tokens=3, stream=True).text
    assert '"finish_reason": "length"' in streamed


@pytest.mark.parametrize("most", [0, -1, REPLY_TOKENS, 10**9])
def test_any_number_of_tokens_is_taken(client: TestClient, memory: HybridMemory, most: int) -> None:
    memory.add("Ana lives in Porto.")
    assert chat(client, turn("user", "Where does Ana live?"), max_tokens=most).status_code == 200


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("tools", [{"type": "function", "function": {"name": "f"}}]),
        ("functions", [{"name": "f"}]),
        ("temperature", 99),
        ("temperature", "hot"),
        ("top_p", 0.5),
        ("stop", [1]),
        ("stop", ["a"] * 5),
        ("seed", 1.5),
        ("n", 2),
        ("frequency_penalty", 1),
        ("logit_bias", {"1": 2}),
        ("web_search_options", {}),
    ],
)
def test_what_the_own_model_does_not_do_is_refused_by_name(client: TestClient, option: str, value: Any) -> None:
    refused = chat(client, turn("user", "Where does Ana live?"), **{option: value})
    assert refused.status_code == 400
    assert option in refused.json()["error"]["message"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([1, 2], "check_embedding_ctx_length=False"),
        ([[1, 2], [3]], "check_embedding_ctx_length=False"),
        ([], "input has 0 texts"),
        (["a", ""], "input[1] has 0 characters"),
        (["a"] * 2049, "input has 2,049 texts"),
        (["a", None], "input[1] is None"),
    ],
)
def test_an_input_that_cannot_be_embedded_says_why(client: TestClient, given: Any, words: str) -> None:
    refused = client.post("/v1/embeddings", json={"model": "hybridmem", "input": given})
    assert refused.status_code == 400
    assert words in refused.json()["error"]["message"]


@pytest.mark.parametrize("path", ["responses", "completions", "audio/speech", "files/abc", "responses/resp_1/cancel"])
def test_other_paths_of_the_api_answer_in_its_form(client: TestClient, path: str) -> None:
    refused = client.post(f"/v1/{path}", json={})
    assert refused.status_code == 404
    assert "/v1/chat/completions" in refused.json()["error"]["message"]
    refused = client.post(f"/v1/{path}", json={}, headers={"Authorization": "Bearer wrong"})
    assert refused.json()["error"]["type"] == "authentication_error"


def test_an_error_speaks_of_requests_and_not_of_a_shell(client: TestClient) -> None:
    detail = client.get("/v1/memories/ep_none").json()["detail"]
    assert "GET /v1/memories" in detail
    assert "hybridmem list" not in detail


# ---- browsers


def preflight(client: TestClient, origin: str) -> Any:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    client.headers.pop("Authorization", None)
    return client.options("/v1/search", headers=asked)


def test_an_allowed_page_may_ask_before_it_sends_its_token(client: TestClient, memory: HybridMemory) -> None:
    token = client.headers["Authorization"]
    allowed = preflight(client, PAGE)
    assert allowed.status_code == 200
    assert allowed.headers["Access-Control-Allow-Origin"] == PAGE
    assert "authorization" in allowed.headers["Access-Control-Allow-Headers"].lower()
    found = client.post("/v1/search", json={"query": "Ana"}, headers={"Origin": PAGE, "Authorization": token})
    assert (found.status_code, found.headers["Access-Control-Allow-Origin"]) == (200, PAGE)
    assert client.post("/v1/search", json={"query": "Ana"}, headers={"Origin": PAGE}).status_code == 401
    assert "Access-Control-Allow-Origin" not in preflight(client, "https://other.example").headers


def test_no_page_may_by_default(memory: HybridMemory) -> None:
    application = build(memory, Tokens.of(TOKEN, memory.namespace), jobs=Jobs())
    with TestClient(application) as client:
        refused = preflight(client, PAGE)
    assert refused.status_code == 401
    assert "Access-Control-Allow-Origin" not in refused.headers


@pytest.mark.parametrize("origin", ["chat.example", "ftp://chat.example", "https://chat.example/page", "null", ""])
def test_what_is_no_origin_is_refused(origin: str) -> None:
    with pytest.raises(InvalidInput, match="no origin"):
        checked_origin(origin)
