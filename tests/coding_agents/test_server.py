"""A hook that asks a running server."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from hybridmem.coding_agents.hook_settings import HookSettings
from hybridmem.coding_agents.recalling import by_server
from tests.coding_agents.worlds import World

Asked = list[tuple[dict[str, str], dict[str, Any]]]


@pytest.fixture
def server() -> Iterator[tuple[str, Asked, list[Any]]]:
    """(its URL, what it was asked, the answers that it gives)."""
    asked: Asked = []
    answers: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append((dict(self.headers), {"path": self.path, **body}))
            raw = json.dumps(answers[0]).encode() if not isinstance(answers[0], bytes) else answers[0]
            self.send_response(200)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *given: object) -> None:
            pass

    made = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{made.server_port}", asked, answers
    made.shutdown()
    thread.join()
    made.server_close()


def test_a_server_is_asked_in_the_sessions_namespace(
    world: World, server: tuple[str, Asked, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, asked, answers = server
    monkeypatch.setenv("HYBRIDMEM_TOKEN", "t0ken")
    answers.append(
        {"hits": [{"id": "ep_1", "text": "We ship on Fridays.", "at": "2026-11-01T09:00:00Z", "speaker": "Ana"}]}
    )
    lines = by_server(HookSettings(world.memory, server=url), ("users", "ana"), "When do we ship?")
    assert lines is not None
    assert [line.written("") for line in lines] == ["- 2026-11-01 Ana: We ship on Fridays."]
    ((headers, body),) = asked
    assert (body["path"], body["query"]) == ("/v1/search", "When do we ship?")
    assert headers["X-Hybridmem-Namespace"] == "users/ana"
    assert headers["Authorization"] == "Bearer t0ken"


@pytest.mark.parametrize("answer", [b"<html>", [], {"hits": 7}, {"hits": [{"id": "x"}]}, {}])
def test_an_answer_that_makes_no_sense_is_none(world: World, server: tuple[str, Asked, list[Any]], answer: Any) -> None:
    url, _, answers = server
    answers.append(answer)
    assert by_server(HookSettings(world.memory, server=url), ("default",), "When?") is None


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "file:///etc/passwd", "nonsense"])
def test_what_is_no_server_is_none(world: World, url: str) -> None:
    assert by_server(HookSettings(world.memory, server=url), ("default",), "When?") is None
