"""Word of a dream that has ended, to a program of the user's."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from hybridmem import HybridMemory
from hybridmem.core.records import Check, DreamReport
from hybridmem.jobs import DreamJobs, webhook
from tests.jobs.processes import eventually
from tests.jobs.quick_runner import RUNNER, orders

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
ANA = ("users", "ana")
REPORT = DreamReport("dream_1", ANA, "promoted", 3, NOON, 2.5, "v0003", gate=(Check("learned", 0.9, 0.7, True),))


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[list[tuple[dict[str, str], bytes]], list[int]]]:
    """(what arrived, the codes to answer with, of which the last is kept)."""
    heard: list[tuple[dict[str, str], bytes]] = []
    codes = [204]

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
            code = codes.pop(0) if len(codes) > 1 else codes[0]
            self.send_response(code)
            if code == 302:
                self.send_header("Location", "http://127.0.0.1:9/")
            self.end_headers()

        def log_message(self, *given: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv(webhook.URL, f"http://127.0.0.1:{server.server_port}/dreams")
    monkeypatch.setattr(webhook, "PAUSES", (0.0, 0.0))
    yield heard, codes
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_report_is_sent_in_counts(listener: Any) -> None:
    heard, _ = listener
    assert webhook.announce(ANA, NOON, REPORT) is None
    ((_, body),) = heard
    sent = json.loads(body)
    assert (sent["type"], sent["timestamp"]) == ("dream.promoted", "2026-11-29T12:00:00+00:00")
    assert sent["data"]["namespace"] == "users/ana"
    assert (sent["data"]["dream"], sent["data"]["night"], sent["data"]["adapter"]) == ("dream_1", 3, "v0003")
    assert sent["data"]["gate"] == [{"name": "learned", "value": 0.9, "passed": True}]


def test_it_is_signed_as_the_standard_says(listener: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    heard, _ = listener
    key = b"0123456789abcdef"
    monkeypatch.setenv(webhook.SECRET, f"whsec_{base64.b64encode(key).decode()}")
    webhook.announce(ANA, NOON, "failed", "the disk is full")
    ((headers, body),) = heard
    given = {name.lower(): value for name, value in headers.items()}
    signed = f"{given['webhook-id']}.{given['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert given["webhook-signature"] == f"v1,{expected}"
    assert json.loads(body)["data"]["error"] == "the disk is full"


def test_the_standards_own_example() -> None:
    """From the specification: this secret, message and time give this signature."""
    environ = {webhook.SECRET: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
    made = webhook.headers(b'{"test": 2432232314}', "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, environ)
    assert made["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_it_tries_again_and_then_says_why(listener: Any) -> None:
    heard, codes = listener
    codes[:] = [500, 200]
    assert webhook.announce(ANA, NOON, REPORT) is None
    assert len(heard) == 2
    codes[:] = [302]
    reason = webhook.announce(ANA, NOON, REPORT)
    assert reason is not None and webhook.URL in reason and "\n" not in reason
    assert len(heard) == 5


def test_nobody_is_told_where_no_url_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(webhook.URL, raising=False)
    assert webhook.announce(ANA, NOON, REPORT) is None
    monkeypatch.setenv(webhook.URL, "file:///etc/passwd")
    assert "http://" in str(webhook.announce(ANA, NOON, REPORT))


@pytest.mark.usefixtures("forked_jobs")
@pytest.mark.parametrize(("given", "type"), [({}, "dream.promoted"), ({"error": "ModelNotFound"}, "dream.failed")])
def test_a_job_sends_word_of_its_end(listener: Any, tmp_path: Path, given: dict[str, Any], type: str) -> None:
    heard, _ = listener
    with HybridMemory.open(tmp_path / "memory", namespace=ANA, model="fake", embedder="hashing") as memory:
        memory.add("Ana lives in Porto.")
        orders(memory.folder.root, seconds=0.0, **given)
        jobs = DreamJobs(memory, runner=RUNNER)
        job = jobs.wait(ANA, jobs.start(ANA).id, seconds=60)
    eventually(lambda: bool(heard))
    sent = json.loads(heard[0][1])
    assert (sent["type"], sent["data"]["namespace"]) == (type, "users/ana")
    assert sent["data"].get("error") == job.error
