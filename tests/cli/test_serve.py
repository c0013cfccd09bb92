"""``hybridmem serve`` as a user types it: what it refuses, what it shows, how it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from hybridmem.cli.app import run
from tests import scripts

TOKEN = "a-token-of-my-own-0123"


def started(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    return scripts.Popen(
        [sys.executable, "-m", "hybridmem.cli", "--memory", str(folder), "--embedder", "hashing", "serve", *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def serving(folder: Path, *arguments: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process, and the first line that it says: on stdout with ``--json``, else on stderr."""
    process = started(folder, "--port", "0", *arguments, **environment)
    try:
        said = process.stdout if "--json" in arguments else process.stderr
        assert said is not None
        yield process, said.readline()
    finally:
        process.kill()
        process.communicate()


def test_a_token_is_made_and_shown_once(tmp_path: Path) -> None:
    with serving(tmp_path / "memory", "--namespace", "users/ana") as (process, line):
        assert process.stderr is not None
        url = line.split(" at ")[1].split(" ")[0]
        token = process.stderr.readline().split(": ")[1].strip()
        headers = {"Authorization": f"Bearer {token}"}
        answered = httpx.post(
            f"{url}/v1/memories", json={"text": "Ana is here."}, headers=headers, timeout=60, trust_env=False
        )
        assert answered.json()["memories"][0]["namespace"] == ["users", "ana"]
        assert httpx.get(f"{url}/v1/memories", timeout=60, trust_env=False).status_code == 401
        # The port is taken, and said so in a line.
        port = url.rsplit(":", 1)[1]
        second = started(tmp_path / "memory", "--port", port)
        out, err = second.communicate(timeout=60)
        assert (second.returncode, out) == (2, "")
        assert err.startswith(f"error: the server cannot listen on 127.0.0.1:{port}")
        assert len(err.splitlines()) == 1
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0
        assert token not in out + err
    assert all(token.encode() not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())


def test_a_token_of_ones_own_and_json(tmp_path: Path) -> None:
    with serving(tmp_path / "memory", "--json", HYBRIDMEM_TOKEN=TOKEN) as (process, line):
        told = json.loads(line)
        assert told.keys() == {"url", "namespace", "token"}
        assert told["token"] is None
        answered = httpx.get(
            f"{told['url']}/v1/stats", headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False, timeout=60
        )
        assert answered.json()["episodes"] == 0
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--host", "0.0.0.0"), "--token-file"),
        (("--host", "::", "--token", TOKEN), "--token-file"),
        (("--host", "example.org"), "--token-file"),
        (("--token", "short"), "16 or more"),
        (("--token", TOKEN, "--token-file", "tokens.json"), "pass one of them"),
        (("--token-file", "missing.json"), "cannot be read"),
        (("--upstream", "localhost:8000"), "no address of a server"),
        (("--upstream", "http://me:secret@127.0.0.1/v1"), "environment variable"),
    ],
)
def test_what_is_typed_wrong_is_refused_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], words: str
) -> None:
    code = run(["--memory", str(tmp_path / "memory"), "serve", "--port", "0", *arguments])
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert err.startswith("error: ")
    assert len(err.splitlines()) == 1
    assert words in err
    assert "secret" not in err
    assert not (tmp_path / "memory").exists()


def test_without_its_packages_it_names_the_extra(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in sys.modules if name.startswith("hybridmem.server")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fastapi", None)
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert run(["--memory", str(tmp_path / "memory"), "serve"]) == 2
    assert "pip install 'hybridmem[server]'" in capsys.readouterr().err


def test_a_dream_is_a_job_of_its_own(tmp_path: Path) -> None:
    with (
        serving(tmp_path / "memory", "--json", HYBRIDMEM_TOKEN=TOKEN) as (_, line),
        httpx.Client(
            base_url=json.loads(line)["url"], headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False, timeout=60
        ) as client,
    ):
        dream = client.post("/v1/dreams", json={}).json()
        assert dream["status"] in ("pending", "running")
        until = time.monotonic() + 120
        while dream["status"] in ("pending", "running"):
            assert time.monotonic() < until
            time.sleep(0.2)
            dream = client.get(f"/v1/dreams/{dream['id']}").json()
        assert (dream["status"], dream["error"]) == ("completed", None)
        assert dream["outputs"]["report"]["status"] == "nothing"
        assert dream["usage"]["peak_memory_mb"] > 0
        page = client.get("/metrics").text
    assert 'hybridmem_dreams{namespace="default",verdict="nothing"} 1.0' in page.splitlines()


def test_the_loopback_address_is_what_it_says(tmp_path: Path) -> None:
    """Nobody beyond this machine can connect: the socket is bound to loopback alone."""
    with serving(tmp_path / "memory", "--json", HYBRIDMEM_TOKEN=TOKEN) as (_, line):
        port = int(json.loads(line)["url"].rsplit(":", 1)[1])
        with socket.socket() as elsewhere:
            elsewhere.settimeout(2)
            # 127.0.0.2 is this machine too, and not the address that was asked for.
            assert elsewhere.connect_ex(("127.0.0.2", port)) != 0
