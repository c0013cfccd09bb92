"""The TypeScript client of examples/typescript: generated, checked and run by Node against a running server."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

from tests.server.conftest import ANA, ROOT, Server

EXAMPLE = ROOT / "examples" / "typescript"
PACKAGES = EXAMPLE / "node_modules"
NODE = shutil.which("node")
CALL = re.compile(r"memory\.(GET|POST|PUT|PATCH|DELETE)\(\"([^\"]+)\"")
MISTAKEN = """
import { connect } from "./client.js";

const memory = connect("http://127.0.0.1", "token");
// @ts-expect-error: no such path
memory.GET("/v1/memory");
// @ts-expect-error: no such field
memory.POST("/v1/search", { body: { question: "Where?" } });
// @ts-expect-error: not of this type
memory.POST("/v1/search", { body: { query: "Where?", limit: "three" } });
// @ts-expect-error: the id is missing
memory.DELETE("/v1/memories/{id}");
memory.POST("/v1/search", { body: { query: "Where?" } });
"""


def test_the_example_calls_what_the_server_has(ana: httpx.Client) -> None:
    paths = ana.get("/openapi.json").json()["paths"]
    calls = CALL.findall((EXAMPLE / "agent.ts").read_text("utf-8"))
    assert len(calls) >= 4
    assert [(method, path) for method, path in calls if method.lower() not in paths.get(path, {})] == []


@pytest.mark.slow
@pytest.mark.skipif(NODE is None, reason="there is no Node on this machine to run the TypeScript client")
@pytest.mark.skipif(not PACKAGES.is_dir(), reason="its packages are not there: npm install in examples/typescript")
def test_the_generated_client_is_exact_and_works(server: Server, tmp_path: Path) -> None:
    place = tmp_path / "client"
    place.mkdir()
    for name in ("package.json", "tsconfig.json", "client.ts", "agent.ts"):
        shutil.copy(EXAMPLE / name, place)
    (place / "node_modules").symlink_to(PACKAGES)
    (place / "mistaken.ts").write_text(MISTAKEN)
    scripts = json.loads((place / "package.json").read_text())["scripts"]
    assert node(place, scripts["generate"], server) and (place / "schema.d.ts").stat().st_size > 100_000
    node(place, scripts["build"], server)
    said = node(place, scripts["start"], server).splitlines()
    assert said[:3] == ["found: Zane Kolu lives in Riga.", "answer: Riga (retrieval)", "erased: 1"]
    assert said[3].startswith("refused: 404: no memory 'ep_")


def node(place: Path, script: str, server: Server) -> str:
    """What a script of package.json prints, run as npm does, which itself takes seconds."""
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=place,
        env={
            "PATH": f"{PACKAGES / '.bin'}:{Path(NODE or '').parent}:/usr/bin:/bin",
            "HYBRIDMEM_URL": server.url,
            "HYBRIDMEM_TOKEN": ANA,
            "HYBRIDMEM_NAMESPACE": "users/ana",
        },
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
