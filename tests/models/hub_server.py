"""A hub on this machine, for tests of what hybridmem says when the real one refuses."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

COMMIT = "c" * 40
MISSING = {"X-Error-Code": "RepoNotFound", "X-Error-Message": "Repository not found"}
REFUSED: dict[str, tuple[int, dict[str, str]]] = {
    "nobody/missing": (401, MISSING),
    "nobody/hidden": (404, MISSING),
    "nobody/forbidden": (403, {}),
    "nobody/elsewhere": (404, {}),
    "nobody/token": (401, {"X-Error-Message": "Invalid credentials in Authorization header"}),
}
"""What the hub says of these names: the status and headers that huggingface.co sends."""
CUT = "nobody/cut"
"""The hub hangs up on whoever asks for it."""
GATED = "somebody/gated"
"""Its page can be read, and its files cannot."""
OPEN = "somebody/open"
PICKLED = "somebody/pickled"
"""It has no safetensors."""


class _Handler(BaseHTTPRequestHandler):
    folder: Path

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        parts = urlsplit(self.path).path.strip("/").split("/")
        if parts[:2] == ["api", "models"]:
            self._about("/".join(parts[2:4]), "tree" in parts)
        else:
            self._file("/".join(parts[:2]), parts[-1])

    def _about(self, name: str, tree: bool) -> None:
        if name == CUT:
            self.close_connection = True
        elif name in REFUSED:
            status, headers = REFUSED[name]
            self._say(status, {"error": "refused"}, headers)
        elif tree:
            listed = [
                {"type": "file", "path": f.name, "size": f.stat().st_size, "oid": _oid(f)} for f in self._of(name)
            ]
            self._say(200, listed)
        else:
            self._say(200, {"id": name, "sha": COMMIT, "siblings": [{"rfilename": f.name} for f in self._of(name)]})

    def _of(self, name: str) -> list[Path]:
        files = sorted(self.folder.iterdir())
        return [f for f in files if name != PICKLED or not f.name.endswith(".safetensors")]

    def _file(self, repository: str, name: str) -> None:
        if repository == GATED:
            self._say(403, {"error": "gated"}, {"X-Error-Code": "GatedRepo", "X-Error-Message": "Access is restricted"})
            return
        file = self.folder / name
        if (repository != OPEN and repository != PICKLED) or not file.is_file():
            self._say(404, {"error": "no such file"})
            return
        self._send(200, file.read_bytes(), {"ETag": f'"{_oid(file)}"', "X-Repo-Commit": COMMIT})

    def _say(self, status: int, value: object, headers: dict[str, str] | None = None) -> None:
        self._send(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *given: object) -> None:
        """Nothing on stderr."""


def _oid(file: Path) -> str:
    return hashlib.sha1(file.read_bytes()).hexdigest()


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of a hub that has the model in `folder` under `OPEN`, and refuses others."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"folder": folder}))
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
