"""The schema is exact: schemathesis drives the real server by it and finds nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.server.conftest import ANA, Server, serving


def schemathesis(server: Server, place: Path, examples: int, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            "run",
            f"{server.url}/openapi.json",
            "--header",
            f"Authorization: Bearer {ANA}",
            "--header",
            "X-Hybridmem-Namespace: users/ana",
            "--max-examples",
            str(examples),
            "--seed",
            "1",
            "--no-color",
            "--continue-on-failure",
            *more,
        ],
        cwd=place,
        capture_output=True,
        text=True,
        timeout=1500,
    )


def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    with serving(tmp_path / "server") as server:
        done = schemathesis(server, tmp_path, 1, "--phases", "examples,fuzzing")
    assert done.returncode == 0, done.stdout[-6000:]


@pytest.mark.slow
def test_schemathesis_finds_nothing_in_many_examples(tmp_path: Path) -> None:
    with serving(tmp_path / "server") as server:
        done = schemathesis(server, tmp_path, 60)
    assert done.returncode == 0, done.stdout[-6000:]


def test_every_response_of_the_schema_is_one_that_can_happen(ana: httpx.Client) -> None:
    schema = ana.get("/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            assert operation["description"], path
            if path != "/healthz":
                assert operation["security"] == [{"bearer": []}]
                assert {"401", "404", "413", "429", "503"} <= operation["responses"].keys()


def test_the_page_is_whole_and_loads_nothing(server: Server) -> None:
    with server.client(None) as client:
        page = client.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    for path in json.loads(httpx.get(f"{server.url}/openapi.json", trust_env=False).text)["paths"]:
        assert path in page.text
    assert "<script" not in page.text
    assert "http://" not in page.text
    assert "https://" not in page.text
