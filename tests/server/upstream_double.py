"""An OpenAI-compatible server that does as its last message says: ``python -m tests.server.upstream_double LOG``.

It prints its URL, and writes a line to LOG for every request, every piece of a stream and a client that left."""

from __future__ import annotations

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HTML = "<html><script>alert(1)</script></html>"
CALL = {"id": "call_1", "type": "function", "function": {"name": "now", "arguments": "{}"}}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else a body waits 40 ms for its headers to be acknowledged
    log: Path

    def do_GET(self) -> None:
        self._note({"path": self.path, "key": self.headers.get("Authorization")})
        self._send(
            200, {"object": "list", "data": [{"id": "gpt-up", "object": "model", "created": 1, "owned_by": "up"}]}
        )

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._note({"path": self.path, "key": self.headers.get("Authorization"), "body": body})
        if self.path.endswith("/embeddings"):
            self._send(200, {"object": "list", "data": [], "model": body["model"], "usage": {}})
            return
        content = body["messages"][-1].get("content")
        said = content if isinstance(content, str) else ""
        wanted = said.rsplit("\n", 1)[-1]
        if wanted.startswith("Fail "):
            self._fail(wanted.removeprefix("Fail "))
        elif wanted.startswith("Sleep"):
            time.sleep(5)
            self._say("Good morning.")
        elif body.get("stream"):
            self._stream(wanted)
        elif body.get("tools") and body["messages"][-1]["role"] != "tool":
            self._say(None, tool_calls=[CALL])
        else:
            self._say(f"You said: {wanted}")

    def _say(self, content: str | None, **more: Any) -> None:
        message = {"role": "assistant", "content": content, **more}
        self._send(
            200,
            {
                "id": "chatcmpl-up",
                "object": "chat.completion",
                "created": 1,
                "model": "gpt-up",
                "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls" if more else "stop"}],
                "usage": {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8},
                "system_fingerprint": "fp_up",
            },
        )

    def _fail(self, how: str) -> None:
        key = self.headers.get("Authorization", "")
        if how == "html":
            self._raw(500, "text/html", HTML.encode())
        elif how == "no-json":
            self._raw(200, "application/json", b"{")
        elif how == "hangup":
            self.close_connection = True
            self.connection.close()
        else:
            error = {"message": f"Slow down {HTML}", "type": "x", "param": None, "code": "rate_limit"}
            if how == "401":
                error["message"] = f"Incorrect API key provided: {key}"
            self._send(int(how), {"error": error}, **{"Retry-After": "7"})

    def _stream(self, wanted: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        pieces = 10_000 if "forever" in wanted or "flood" in wanted else 4
        padding = "x" * 100_000 if "flood" in wanted else ""
        try:
            for number in range(pieces):
                chunk = {
                    "id": "chatcmpl-up",
                    "object": "chat.completion.chunk",
                    "created": 1,
                    "model": "gpt-up",
                    "choices": [{"index": 0, "delta": {"content": f"piece {number} {padding}"}, "finish_reason": None}],
                }
                self._chunk(b"data: " + json.dumps(chunk).encode() + b"\n\n")
                self._note({"piece": number})
                if "break" in wanted and number == 1:
                    self.close_connection = True
                    self.connection.close()
                    return
                time.sleep(0.3 if "slowly" in wanted else 0 if "flood" in wanted else 0.02)
            self._chunk(b"data: [DONE]\n\n")
            self._chunk(b"")
        except OSError:
            self._note({"left": wanted})
            self.close_connection = True

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def _send(self, status: int, value: object, **headers: str) -> None:
        self._raw(status, "application/json", json.dumps(value).encode(), **headers)

    def _raw(self, status: int, kind: str, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _note(self, what: dict[str, Any]) -> None:
        with self.log.open("a") as file:
            file.write(json.dumps(what) + "\n")

    def log_message(self, format: str, *args: Any) -> None:
        pass


if __name__ == "__main__":
    Handler.log = Path(sys.argv[1])
    Handler.log.touch()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    print(f"http://127.0.0.1:{server.server_address[1]}/v1", flush=True)
    server.serve_forever()
