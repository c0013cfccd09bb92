"""Servers in processes of their own, and clients of them."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from hybridmem.server.tokens import digest
from tests import scripts

ROOT = Path(__file__).parents[2]
ANA, ZANE, READER, SCRAPER = (f"token-of-{name}-{'x' * 20}" for name in ("ana", "zane", "reader", "scraper"))
TOKENS = {
    "tokens": [
        {"name": "ana", "sha256": digest(ANA), "namespaces": ["users/ana"]},
        {"name": "zane", "sha256": digest(ZANE), "namespaces": ["users/zane", "shared"]},
        {"name": "reader", "sha256": digest(READER), "namespaces": ["users/ana"], "read_only": True},
        {"name": "scraper", "sha256": digest(SCRAPER), "metrics": True},
    ]
}


@dataclass(frozen=True)
class Server:
    url: str
    process: subprocess.Popen[str]
    log: Path
    folder: Path

    def client(self, token: str | None = ANA, **headers: str) -> httpx.Client:
        bearer = {"Authorization": f"Bearer {token}"} if token is not None else {}
        # Without the certificates of the web, which take longer to read than a test.
        return httpx.Client(base_url=self.url, headers={**bearer, **headers}, timeout=60, trust_env=False, verify=False)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=30)


Serve = Callable[..., Server]


@contextlib.contextmanager
def serving(place: Path, *, environment: dict[str, str] | None = None, **options: Any) -> Iterator[Server]:
    """The double of `tests.server.double` over a memory in `place`."""
    place.mkdir(parents=True, exist_ok=True)
    (place / "tokens.json").write_text(json.dumps(TOKENS))
    given = {"folder": str(place / "memory"), "tokens": str(place / "tokens.json"), "limits": {}, **options}
    log = place / "log"
    with log.open("w") as stderr:
        process = scripts.Popen(
            [sys.executable, "-m", "tests.server.double", json.dumps(given)],
            cwd=ROOT,
            env={**os.environ, **(environment or {})},
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        )
    try:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert url, log.read_text()
        yield Server(url, process, log, place / "memory")
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        if process.stdout is not None:
            process.stdout.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server for all tests that leave it as it was, but for what they remember."""
    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def ana(server: Server) -> Iterator[httpx.Client]:
    with server.client(ANA) as client:
        yield client


@pytest.fixture
def zane(server: Server) -> Iterator[httpx.Client]:
    with server.client(ZANE) as client:
        yield client
