"""A chat model at an OpenAI-compatible endpoint, by the rules of the fake model: ``python -m tests.reader_server``.

It is a process of its own on loopback and prints its URL. What it does beside answering is set by a POST to ``/set``,
and ``GET /asked`` gives the headers and bodies of the requests so far. `reader_server` starts and stops one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

MODEL = "stand-in"


@dataclass(frozen=True)
class ReaderServer:
    """A running stand-in."""

    url: str
    """With its ``/v1``."""

    @property
    def name(self) -> str:
        """As `HybridMemory.open(reader=...)` takes it."""
        return f"openai:{MODEL}@{self.url}"

    def set(self, **how: Any) -> None:
        """How it behaves from now on, beside the defaults (see `Behaviour`)."""
        self._call("/set", how)

    @property
    def asked(self) -> list[dict[str, Any]]:
        """Each request so far: ``headers`` and ``body``."""
        found: list[dict[str, Any]] = self._call("/asked")
        return found

    @property
    def prompts(self) -> list[str]:
        """The last message of each request so far."""
        return [each["body"]["messages"][-1]["content"] for each in self.asked]

    def _call(self, path: str, body: Any = None) -> Any:
        sent = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url.removesuffix('/v1')}{path}", sent)
        with urllib.request.urlopen(request) as response:
            return json.loads(response.read())


@dataclass
class Behaviour:
    """What the stand-in does."""

    usage: bool = True
    """Whether it counts its tokens."""
    fail: int = 0
    """Requests that it answers with `status` before it answers any."""
    status: int = 500
    after: int | None = None
    """Requests that it answers before every one fails with `status`."""
    refuses: str = ""
    """It refuses prompts with these words, by a content filter."""
    babbles: str = ""
    """It answers prompts with these words in no form that anybody asked for."""
    wraps: bool = False
    """It thinks aloud, numbers its lines and puts them in a fence."""
    modern: bool = False
    """It takes neither `max_tokens` nor a temperature."""
    delay: float = 0.0
    """Seconds before each answer."""
    echoes_key: bool = False
    """Its failures repeat the key."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else a body waits 40 ms for its headers to be acknowledged
    how = Behaviour()
    seen: list[dict[str, Any]] = []  # noqa: RUF012
    lock = threading.Lock()

    def do_GET(self) -> None:
        self._send(200, self.seen)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/set":
            with self.lock:
                type(self).how = Behaviour(**body)
                self.seen.clear()
            self._send(200, {})
            return
        with self.lock:
            number = len(self.seen)
            self.seen.append({"headers": {k.lower(): v for k, v in self.headers.items()}, "body": body})
        how, asked = self.how, body["messages"][-1]["content"]
        time.sleep(how.delay)
        if self.path != "/v1/chat/completions":
            self._error(404, "no such page")
        elif number < how.fail or (how.after is not None and number >= how.after):
            self._error(how.status, f"not now {self.headers.get('Authorization') if how.echoes_key else ''}")
        elif how.modern and "max_tokens" in body:
            self._error(400, "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.")
        elif how.modern and "temperature" in body:
            self._error(400, "Unsupported value: 'temperature' does not support 0 with this model.")
        elif how.refuses and how.refuses in asked:
            self._error(400, "the content filter was triggered", code="content_filter")
        else:
            self._answer(body, how)

    def _answer(self, body: dict[str, Any], how: Behaviour) -> None:
        from hybridmem.models.fake import FakeModel

        (said,) = FakeModel().generate([body["messages"]], max_new_tokens=4096)
        text = said.text
        if how.babbles and how.babbles in body["messages"][-1]["content"]:
            text = "What an interesting message! Shall we talk about it?"
        if how.wraps:
            lines = "\n".join(f"{number}. {line}" for number, line in enumerate(text.splitlines(), 1))
            text = f"<think>Let me see.</think>\n```\n{lines if '|' in text else text}\n```"
        usage = {"prompt_tokens": said.prompt_tokens, "completion_tokens": said.tokens}
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        self._send(
            200,
            {
                "id": "chatcmpl-1",
                "object": "chat.completion",
                "created": 1,
                "model": body["model"],
                "choices": [choice],
                **({"usage": {**usage, "total_tokens": sum(usage.values())}} if how.usage else {}),
            },
        )

    def _error(self, status: int, message: str, code: str | None = None) -> None:
        self._send(status, {"error": {"message": message, "type": "error", "param": None, "code": code}})

    def _send(self, status: int, value: object) -> None:
        sent = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing on stderr."""


@contextmanager
def reader_server() -> Iterator[ReaderServer]:
    """A stand-in in a process of its own, until the block ends."""
    root = Path(__file__).parents[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.reader_server"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        assert url, "the stand-in did not start"
        yield ReaderServer(url)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_address[1]}/v1", flush=True)
    server.serve_forever()
