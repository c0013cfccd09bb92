"""OpenAI's own client against the real server in another process."""

from __future__ import annotations

import base64
import struct
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from tests.server.conftest import ANA, READER, ZANE, Server

if TYPE_CHECKING:
    import openai
    from openai import OpenAI


def client_of(server: Server, token: str) -> OpenAI:
    from openai import OpenAI

    return OpenAI(base_url=f"{server.url}/v1", api_key=token, max_retries=0)


@pytest.fixture
def client(server: Server) -> Iterator[OpenAI]:
    with client_of(server, ANA) as made:
        yield made


def ask(client: OpenAI, question: str, **options: object) -> openai.types.chat.ChatCompletion:
    return client.chat.completions.create(  # type: ignore[call-overload, no-any-return]
        model="hybridmem", messages=[{"role": "user", "content": question}], **options
    )


def test_what_the_user_says_is_remembered(client: OpenAI, server: Server) -> None:
    ask(client, "Nadia lives in Leeds.", user="first")
    with server.client(ANA) as rest:
        found = rest.post("/v1/search", json={"query": "Nadia lives in Leeds.", "session": "first"}).json()["hits"]
    assert "Nadia lives in Leeds." in [hit["text"] for hit in found]


def test_a_question_is_answered_with_its_grounds(client: OpenAI, server: Server) -> None:
    with server.client(ANA) as rest:
        rest.post("/v1/memories", json={"text": "Greta lives in Ghent."})
    completion = ask(client, "Where does Greta live?")
    assert completion.choices[0].message.content == "Ghent"
    assert completion.choices[0].finish_reason == "stop"
    assert completion.usage is not None
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + completion.usage.completion_tokens > 0
    grounds = completion.model_extra["hybridmem"]  # type: ignore[index]
    assert grounds["route"] == "retrieval"
    assert 0 < grounds["confidence"] <= 1
    assert grounds["evidence"][0]["text"] == "Greta lives in Ghent."


def test_the_session_may_come_in_a_header(client: OpenAI, server: Server) -> None:
    ask(client, "Sami lives in Brno.", extra_headers={"X-Hybridmem-Session": "from-the-header"})
    with server.client(ANA) as rest:
        found = rest.post("/v1/search", json={"query": "Sami", "session": "from-the-header"}).json()["hits"]
    assert "Sami lives in Brno." in [hit["text"] for hit in found]


def test_an_unknown_answer_is_a_refusal(client: OpenAI) -> None:
    completion = ask(client, "Which port does Mira Sodo use?")
    assert completion.choices[0].message.content == "I don't know."
    assert completion.model_extra["hybridmem"]["route"] == "abstain"  # type: ignore[index]


def test_a_stream_says_the_same(client: OpenAI, server: Server) -> None:
    with server.client(ANA) as rest:
        rest.post("/v1/memories", json={"text": "Otto lives in Siena."})
    stream = client.chat.completions.create(
        model="hybridmem",
        messages=[{"role": "user", "content": "Where does Otto live?"}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert said == "Siena"
    assert chunks[0].choices[0].delta.role == "assistant"
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
    assert chunks[-2].model_extra["hybridmem"]["route"] == "retrieval"  # type: ignore[index]
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens > 0


def test_what_a_read_only_token_says_is_not_remembered(server: Server) -> None:
    with client_of(server, READER) as reading:
        ask(reading, "Vera lives in Graz.")
        completion = ask(reading, "Where does Vera live?")
    assert completion.choices[0].message.content == "I don't know."


def test_namespaces_answer_apart(client: OpenAI, server: Server) -> None:
    ask(client, "Petra lives in Turin.")
    with client_of(server, ZANE) as other:
        completion = ask(other, "Where does Petra live?")
    assert completion.choices[0].message.content == "I don't know."


def test_embeddings_as_numbers_and_as_base64(client: OpenAI) -> None:
    texts = ["Ana lives in Porto.", "The weather is fine."]
    numbers = client.embeddings.create(model="hybridmem", input=texts, encoding_format="float")
    coded = client.embeddings.create(model="hybridmem", input=texts, encoding_format="base64")
    decoded_by_client = client.embeddings.create(model="hashing-256", input=texts)
    for at in range(2):
        vector = numbers.data[at].embedding
        assert len(vector) == 256
        assert sum(x * x for x in vector) == pytest.approx(1, abs=1e-5)
        raw = base64.b64decode(str(coded.data[at].embedding))
        assert list(struct.unpack("<256f", raw)) == pytest.approx(vector)
        assert decoded_by_client.data[at].embedding == pytest.approx(vector)
    assert numbers.usage.total_tokens > 0


def test_models_can_be_listed_and_named(client: OpenAI) -> None:
    import openai

    names = [model.id for model in client.models.list()]
    assert names == ["hybridmem", "fake", "hashing-256"]
    assert client.models.retrieve("fake").id == "fake"
    with pytest.raises(openai.NotFoundError, match="gpt-9"):
        client.models.retrieve("gpt-9")


def test_errors_raise_the_classes_that_agents_catch(client: OpenAI) -> None:
    import openai

    with pytest.raises(openai.NotFoundError, match="'gpt-9'") as unknown:
        client.chat.completions.create(model="gpt-9", messages=[{"role": "user", "content": "Hello?"}])
    assert unknown.value.code == "model_not_found"
    with pytest.raises(openai.BadRequestError, match="role user"):
        client.chat.completions.create(model="hybridmem", messages=[{"role": "system", "content": "Be brief."}])
    with pytest.raises(openai.BadRequestError, match="has no n"):
        ask(client, "Where?", n=2)
    with pytest.raises(openai.BadRequestError, match="has no tool_choice"):
        ask(client, "Where?", tools=[{"type": "function", "function": {"name": "f"}}], tool_choice="required")
    with pytest.raises(openai.BadRequestError, match="256 dimensions"):
        client.embeddings.create(model="hybridmem", input="Ana", dimensions=3)
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="sk-wrong").models.list()
    with pytest.raises(openai.PermissionDeniedError):
        ask(client, "Where?", extra_headers={"X-Hybridmem-Namespace": "users/zane"})
    with pytest.raises(openai.APIStatusError) as refused:
        ask(client, "a" * 9_000_000)
    assert refused.value.status_code == 413
