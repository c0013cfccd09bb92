"""Who gets in, and what a namespace sees of another: nothing."""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest

from hybridmem.core.errors import InvalidInput
from hybridmem.server.tokens import Grant, Tokens, digest, new_token
from tests.server.conftest import ANA, READER, SCRAPER, ZANE, Server

OPENED = {"GET /healthz", "GET /docs", "GET /openapi.json"}


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer wrong", f"Basic {ANA}", ANA, f"Bearer {ANA}x", f"Bearer {ANA[:-1]}"],
)
def test_nothing_is_said_without_the_right_token(server: Server, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    for method, path in (
        ("GET", "/v1/memories"),
        ("POST", "/v1/chat/completions"),
        ("GET", "/metrics"),
        ("GET", "/no"),
    ):
        answered = httpx.request(method, server.url + path, headers=headers, trust_env=False)
        assert answered.status_code == 401
        assert answered.headers["www-authenticate"] == "Bearer"


def test_every_endpoint_wants_a_token(server: Server) -> None:
    with server.client(None) as nobody:
        paths = nobody.get("/openapi.json").json()["paths"]
        for path, operations in paths.items():
            for method in operations:
                answered = nobody.request(method.upper(), path)
                assert (answered.status_code == 401) is (f"{method.upper()} {path}" not in OPENED), path


def test_an_id_of_another_namespace_is_an_unknown_one(ana: httpx.Client, zane: httpx.Client) -> None:
    id = ana.post("/v1/memories", json={"text": "Ana keeps the key under the fern."}).json()["memories"][0]["id"]
    for method, suffix, body in (
        ("GET", "", None),
        ("PATCH", "", {"text": "Now mine."}),
        ("DELETE", "", None),
        ("GET", "/history", None),
        ("GET", "/why", None),
        ("POST", "/quarantine", None),
        ("POST", "/release", None),
    ):
        theirs = zane.request(method, f"/v1/memories/{id}{suffix}", json=body)
        unknown = zane.request(method, f"/v1/memories/{'x' * len(id)}{suffix}", json=body)
        assert theirs.status_code == unknown.status_code == 404
        assert theirs.json()["detail"].replace(id, "ID") == unknown.json()["detail"].replace("x" * len(id), "ID")
    assert ana.get(f"/v1/memories/{id}").json()["text"] == "Ana keeps the key under the fern."
    assert "fern" not in zane.post("/v1/search", json={"query": "Where does Ana keep the key?"}).text
    assert id not in zane.get("/v1/memories", params={"limit": 1000}).text


@pytest.mark.parametrize(
    "namespace", ["users/zane", "users", "users/anabel", "shared", "users/..", "", "users//ana", "/"]
)
def test_another_namespace_is_forbidden(server: Server, namespace: str) -> None:
    with server.client(ANA, **{"X-Hybridmem-Namespace": namespace}) as client:
        answered = client.get("/v1/memories")
    assert answered.status_code == 403
    assert answered.json()["title"] == "forbidden namespace"


def test_a_token_covers_what_is_below_its_namespaces(server: Server) -> None:
    with server.client(ZANE, **{"X-Hybridmem-Namespace": "shared/caf%C3%A9"}) as client:
        memory = client.post("/v1/memories", json={"text": "The café opens at nine."}).json()["memories"][0]
    assert memory["namespace"] == ["shared", "café"]
    with server.client(ZANE) as client:
        assert client.get(f"/v1/memories/{memory['id']}").status_code == 404


def test_a_read_only_token_reads(server: Server, ana: httpx.Client) -> None:
    id = ana.post("/v1/memories", json={"text": "Ana reads."}).json()["memories"][0]["id"]
    with server.client(READER) as reader:
        assert reader.get(f"/v1/memories/{id}").json()["text"] == "Ana reads."
        for answered in (
            reader.post("/v1/memories", json={"text": "Mine."}),
            reader.patch(f"/v1/memories/{id}", json={"text": "Mine."}),
            reader.delete(f"/v1/memories/{id}"),
            reader.post(f"/v1/memories/{id}/quarantine"),
            reader.post("/v1/facts", json={"subject": "Ana", "relation": "is", "object": "mine"}),
            reader.put("/v1/adapters/active", json={"version": None}),
            reader.post("/v1/dreams", json={}),
        ):
            assert answered.status_code == 403
            assert answered.json()["title"] == "read only token"


def test_a_metrics_token_opens_no_namespace(server: Server) -> None:
    with server.client(SCRAPER) as scraper:
        assert scraper.get("/metrics").status_code == 200
        assert scraper.get("/v1/memories").status_code == 403


def test_another_name_for_this_machine_is_refused(server: Server) -> None:
    for host in ("evil.example", "evil.example:80", "127.0.0.1.evil.example", "[::2]", ""):
        with server.client(ANA, Host=host) as client:
            assert client.get("/v1/memories").status_code == 421
    for host in ("localhost", "LOCALHOST:1", "[::1]:80"):
        with server.client(ANA, Host=host) as client:
            assert client.get("/v1/memories").status_code == 200


# ---- the file


def written(place: Path, content: object, name: str = "tokens.json") -> Path:
    path = place / name
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_a_token_file_in_either_form(tmp_path: Path) -> None:
    token = new_token()
    grant = Grant(digest(token), (("users", "ana"), ("shared",)), read_only=True)
    entry = {"sha256": digest(token), "namespaces": ["users/ana", ["shared"]], "read_only": True}
    in_json = Tokens.read(written(tmp_path, {"tokens": [entry]}))
    in_toml = Tokens.read(
        written(
            tmp_path,
            f'[[tokens]]\nsha256 = "{digest(token)}"\nnamespaces = ["users/ana", "shared"]\nread_only = true\n',
            "tokens.toml",
        )
    )
    assert in_json.grant(token) == in_toml.grant(token) == grant
    assert in_json.grant(digest(token)) is None


GOOD = {"sha256": "a" * 64, "namespaces": ["users/ana"]}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "neither JSON nor TOML"),
        ({}, "names no tokens"),
        ({"tokens": []}, "names no tokens"),
        ({"tokens": ["secret"]}, "not an object"),
        ({"tokens": [{**GOOD, "sha256": "secret"}]}, "64 hex digits"),
        ({"tokens": [{**GOOD, "namespace": "users"}]}, "unknown key 'namespace'"),
        ({"tokens": [{**GOOD, "namespaces": "users/ana"}]}, "is a list"),
        ({"tokens": [{**GOOD, "namespaces": []}]}, "opens no namespace"),
        ({"tokens": [{**GOOD, "namespaces": ["users//ana"]}]}, "empty part"),
        ({"tokens": [{**GOOD, "read_only": "yes"}]}, "true or false"),
        ({"tokens": [GOOD, GOOD]}, "twice"),
    ],
)
def test_a_broken_token_file_is_refused_in_one_line(tmp_path: Path, content: object, words: str) -> None:
    with pytest.raises(InvalidInput, match=words) as refused:
        Tokens.read(written(tmp_path, content))
    assert "\n" not in str(refused.value)
    assert "secret" not in str(refused.value)


def test_a_token_that_can_be_guessed_is_refused() -> None:
    for token in ("", "short", "with a space in the middle", "ümläute-sind-keine-token"):
        with pytest.raises(InvalidInput, match="16 or more"):
            Tokens.of(token, ("default",))
