"""What is too large, too many, too slow, broken or gone: refused in the documented form, and nobody else waits."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx
import pytest

from tests.server.conftest import ANA, Server, serving

LIMITS = {
    "body_bytes": 100_000,
    "head_seconds": 0.5,
    "body_seconds": 2.0,
    "stall_seconds": 1.0,
    "in_flight": 6,
    "in_flight_per_token": 4,
}
TAG = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("narrow"), limits=LIMITS) as running:
        yield running


def raw(server: Server) -> socket.socket:
    address = urlsplit(server.url)
    return socket.create_connection((str(address.hostname), int(address.port or 0)), timeout=10)


def until_closed(connection: socket.socket) -> bytes:
    said = b""
    while piece := connection.recv(65536):
        said += piece
    return said


def until(client: httpx.Client, status: int, seconds: float = 10) -> httpx.Response:
    """The first answer with `status` of those that come within `seconds`."""
    end = time.monotonic() + seconds
    while True:
        answered = client.get("/v1/stats")
        if answered.status_code == status:
            return answered
        assert time.monotonic() < end, answered.text


def is_problem(answered: httpx.Response, status: int) -> bool:
    told = answered.json()
    return (
        answered.status_code == status
        and answered.headers["content-type"] == "application/problem+json"
        and told["status"] == status
        and bool(told["title"] and told["detail"])
        and "Traceback" not in answered.text
        and answered.headers["x-content-type-options"] == "nosniff"
    )


# ---- too large


def test_a_large_body_is_refused_before_it_is_read(narrow: Server) -> None:
    with narrow.client() as client:
        assert is_problem(client.post("/v1/memories", json={"text": "a" * 200_000}), 413)

        def pieces() -> Iterator[bytes]:
            yield b'{"text": "'
            for _ in range(50):
                yield b"a" * 10_000
            yield b'"}'

        answered = client.post("/v1/memories", content=pieces(), headers={"Content-Type": "application/json"})
        assert is_problem(answered, 413)
        assert client.post("/v1/memories", json={"text": "a" * 90_000}).status_code == 201
    with narrow.client(None) as stranger:
        assert is_problem(stranger.request("GET", "/docs", content=b"a" * 5000), 413)
        assert is_problem(stranger.post("/v1/memories", content=b"a" * 90_000), 401)


def test_headers_without_end_are_refused(narrow: Server) -> None:
    with raw(narrow) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nX-Long: " + b"a" * 100_000)
        assert b"application/problem+json" in until_closed(connection)


# ---- too slow


def test_a_connection_that_says_nothing_is_closed(narrow: Server) -> None:
    started = time.monotonic()
    with raw(narrow) as silent, raw(narrow) as half:
        half.sendall(b"GET /healthz HTTP/1.1\r\nHost: local")
        for connection in (silent, half):
            with pytest.raises(ConnectionResetError):
                until_closed(connection)
                raise ConnectionResetError  # closed in peace is as good
    assert time.monotonic() - started < 5


def test_a_body_that_does_not_come_is_refused(narrow: Server) -> None:
    with raw(narrow) as connection:
        connection.sendall(
            f"POST /v1/memories HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ANA}\r\n"
            "Content-Type: application/json\r\nContent-Length: 20\r\n\r\n{".encode()
        )
        said = until_closed(connection)
    assert said.startswith(b"HTTP/1.1 408")
    assert b"application/problem+json" in said


def test_slow_clients_hold_nobody_up(narrow: Server) -> None:
    head = f"POST /v1/memories HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ANA}\r\nContent-Length: 9\r\n\r\n"
    slow = [raw(narrow) for _ in range(4)]
    try:
        for connection in slow:
            connection.sendall(head.encode())
        with narrow.client() as client:
            refused = until(client, 429)
            assert is_problem(refused, 429)
            assert int(refused.headers["retry-after"]) >= 1
            until(client, 200)
    finally:
        for connection in slow:
            connection.close()


def test_clients_that_leave_are_forgotten(narrow: Server) -> None:
    head = f"POST /v1/memories HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {ANA}\r\nContent-Length: 9\r\n\r\n"
    for _ in range(8):
        with raw(narrow) as connection:
            connection.sendall(head.encode())
    with narrow.client() as client:
        until(client, 200, seconds=1)


# ---- too many


def test_more_than_it_takes_is_told_to_come_again(narrow: Server) -> None:
    def ask(number: int) -> httpx.Response:
        with narrow.client() as client:
            return client.post("/v1/search", json={"query": f"What is number {number}?"})

    with ThreadPoolExecutor(24) as pool:
        answered = list(pool.map(ask, range(72)))
    assert {each.status_code for each in answered} <= {200, 429}
    assert all(int(each.headers["retry-after"]) >= 1 for each in answered if each.status_code == 429)
    assert any(each.status_code == 200 for each in answered)
    assert ask(0).status_code == 200


# ---- broken


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"", 422),
        (b"\xff\xfe", 400),
        (b'{"text": "\xff"}', 400),
        (b"[" * 90_000, 400),
        (b'{"text": "x", "metadata": {"a": ' + b"[" * 100 + b"]" * 100 + b"}}", 422),
        (b'{"text": ""}', 422),
        (b'{"text": " \\n\\t "}', 422),
        (b'{"text": "a\\u0000b"}', 422),
        (b'{"text": 7}', 422),
        (b'{"text": "x", "metadata": {"a": NaN}}', 422),
        (b'{"text": "x", "metadata": {"a": 1e999}}', 422),
        (b'{"text": "x", "unknown": 1}', 422),
        (b'{"text": "x", "at": "yesterday"}', 422),
        (b'{"text": "x", "at": "2026-02-30"}', 422),
        (b'{"text": "x", "at": "0001-01-01T00:00:00+23:00"}', 422),
        (b'{"text": "x", "at": [5]}', 422),
        (b'{"text": "x", "trust": "me"}', 422),
        (b'{"messages": []}', 422),
        (b'{"messages": [{"role": "user", "content": ""}]}', 422),
        (b"null", 422),
        (b"[]", 422),
        (b'"text"', 422),
    ],
)
def test_a_malformed_body_is_a_problem(server: Server, body: bytes, status: int) -> None:
    with server.client() as client:
        answered = client.post("/v1/memories", content=body, headers={"Content-Type": "application/json"})
        assert is_problem(answered, status), answered.text
        if status == 400 and not body.startswith(b"["):
            assert (
                client.post("/v1/chat/completions", content=body, headers={"Content-Type": "application/json"}).json()[
                    "error"
                ]["type"]
                == "invalid_request_error"
            )


def test_a_form_of_a_web_page_is_no_request(server: Server) -> None:
    with server.client() as client:
        for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
            answered = client.post("/v1/memories", content=b'{"text": "x"}', headers={"Content-Type": kind})
            assert is_problem(answered, 422)


def test_what_is_no_http_is_a_problem(server: Server) -> None:
    for sent in (b"HELLO\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"\x16\x03\x01\x02\x00", b"GET /%zz HTTP/1.1\r\n\r\n"):
        with raw(server) as connection:
            connection.sendall(sent + b"\r\n\r\n")
            connection.shutdown(socket.SHUT_WR)
            assert b"application/problem+json" in until_closed(connection), sent


def test_paths_and_methods_that_are_not_there(server: Server) -> None:
    with server.client() as client:
        assert is_problem(client.get("/v1/nothing"), 404)
        assert is_problem(client.get("/"), 404)
        for path in ("/v1/../../etc/passwd", "/v1/memories/..%2f..%2fetc%2fpasswd", "/static/x.js"):
            assert is_problem(client.get(path), 404)
        refused = client.put("/v1/memories")
        assert is_problem(refused, 405)
        assert refused.headers["allow"] == "GET, POST"
        assert is_problem(client.request("TRACE", "/v1/memories/x"), 405)


# ---- HTML in what is sent


def test_no_error_carries_a_tag(server: Server) -> None:
    with server.client() as client:
        answers = [
            client.get(f"/v1/memories/{TAG}"),
            client.get(f"/{TAG}"),
            client.get("/v1/memories", params={"kind": TAG}),
            client.get("/v1/adapters/diff", params={"before": TAG, "after": TAG}),
            client.get(f"/v1/adapters/{TAG.replace('/', '')}"),
            client.get(f"/v1/dreams/{TAG.replace('/', '')}"),
            client.get(f"/v1/models/{TAG}"),
            client.post("/v1/memories", json={"text": "x", TAG: 1}),
            client.post("/v1/memories", content=TAG, headers={"Content-Type": "application/json"}),
            client.post("/v1/memories", json={"text": "x", "at": TAG}),
            client.post("/v1/facts", json={"subject": TAG}),
            client.post("/v1/search", json={"query": "x", "kinds": [TAG]}),
            client.post("/v1/answer", json={"question": "x", "route": TAG}),
            client.post("/v1/dreams", json={"recipe": TAG}),
            client.put("/v1/adapters/active", json={"version": TAG}),
            client.post("/v1/chat/completions", json={"model": TAG, "messages": [{"role": "user", "content": "x"}]}),
            client.post("/v1/embeddings", json={"model": TAG, "input": "x"}),
            client.get("/v1/memories", headers={"X-Hybridmem-Namespace": TAG}),
            client.get("/v1/memories", headers={"Authorization": f"Bearer {TAG}"}),
            client.get("/v1/memories", headers={"Host": TAG}),
        ]
    for answered in answers:
        assert answered.status_code >= 400
        assert "html" not in answered.headers["content-type"]
        assert "<" not in answered.text, answered.request.url
        assert json.loads(answered.text)


def test_html_in_a_memory_is_text(ana: httpx.Client) -> None:
    answered = ana.post("/v1/memories", json={"text": TAG})
    assert answered.headers["content-type"] == "application/json"
    assert answered.headers["x-content-type-options"] == "nosniff"
    assert answered.json()["memories"][0]["text"] == TAG
