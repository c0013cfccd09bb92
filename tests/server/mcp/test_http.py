"""Streamable HTTP, against a server in another process, with the SDK's own client and by hand."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CallToolResult, TextContent

from hybridmem import HybridMemory
from hybridmem.models.fake import FakeModel
from hybridmem.server.limits import Limits
from tests import scripts

TOKEN = "a-token-that-only-this-test-knows"
SERVER = Path(__file__).with_name("fake_server.py")
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("http") / "m"


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    environment = {**os.environ, "HYBRIDMEM_TOKEN": TOKEN, "OMP_NUM_THREADS": "1"}
    log = folder.parent / "stderr"
    with (
        log.open("wb") as stderr,
        scripts.Popen(
            [sys.executable, str(SERVER), str(folder)],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
        ) as server,
    ):
        assert server.stdout is not None
        line = server.stdout.readline().strip()
        assert line, log.read_text()
        yield line
        server.terminate()
        server.wait(30)
    assert TOKEN not in log.read_text()
    assert "Traceback" not in log.read_text()


@asynccontextmanager
async def connected(address: str, mode: str = "auto") -> AsyncIterator[Client]:
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {TOKEN}"}, timeout=30) as http,
        Client(streamable_http_client(address, http_client=http), mode=mode) as client,
    ):
        yield client


def said(result: CallToolResult) -> str:
    (content,) = result.content
    assert isinstance(content, TextContent)
    return content.text


def post(address: str, **changes: object) -> httpx2.Response:
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "Accept": "application/json, text/event-stream",
        "Content-Type": "application/json",
    }
    headers |= changes.pop("headers", {})  # type: ignore[call-overload]
    return httpx2.post(address, headers=headers, timeout=30, **({"json": PING} | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_every_tool(address: str, mode: str) -> None:
    async def live() -> None:
        async with connected(address, mode) as client:
            stored = await client.call_tool("remember", {"text": "Ana Brito lives in Porto."})
            assert stored.structured_content is not None
            id = stored.structured_content["id"]
            found = await client.call_tool("recall", {"query": "Where does Ana Brito live?", "limit": 1})
            assert found.structured_content is not None
            assert found.structured_content["memories"][0]["id"] == id
            answer = await client.call_tool("ask", {"question": "Where does Ana Brito live?", "route": "retrieval"})
            assert answer.structured_content is not None
            assert answer.structured_content["text"] == "Porto"
            assert answer.structured_content["route"] == "retrieval"
            assert said(answer).startswith("Porto\n(route retrieval, confidence ")
            assert not (await client.call_tool("why", {"id": id})).is_error
            assert not (await client.call_tool("dream_status", {})).is_error
            assert id in [resource.name for resource in (await client.list_resources()).resources]
            receipt = await client.call_tool("forget", {"id": id})
            assert receipt.structured_content is not None
            assert receipt.structured_content["removed"]["ledger"] == 1
            assert (await client.call_tool("forget", {"id": id})).is_error

    asyncio.run(live())


def test_many_clients_at_once_lose_no_write(address: str, folder: Path) -> None:
    async def write(number: int) -> list[str]:
        async with connected(address) as client:
            ids = []
            for step in range(5):
                stored = await client.call_tool("remember", {"text": f"Client {number} took step {step}."})
                assert stored.structured_content is not None
                ids.append(stored.structured_content["id"])
                await client.call_tool("recall", {"query": f"client {number}"})
            return ids

    async def live() -> list[str]:
        return [id for ids in await asyncio.gather(*map(write, range(6))) for id in ids]

    ids = asyncio.run(live())
    assert len(set(ids)) == 30
    with HybridMemory.open(folder, model=FakeModel(), embedder="hashing") as memory:
        assert len(memory.ledger.get_many(memory.namespace, ids)) == 30


@pytest.mark.parametrize("given", [None, "", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x"])
def test_without_the_token_nothing_is_answered(address: str, given: str | None) -> None:
    headers = {} if given is None else {"Authorization": given}
    for method in ("GET", "POST", "DELETE"):
        refused = httpx2.request(method, address, headers=headers)
        assert refused.status_code == 401
        assert refused.headers["WWW-Authenticate"] == "Bearer"
        assert refused.text.count("\n") == 0
        assert TOKEN not in refused.text


def test_a_rebound_name_and_a_strange_page_are_refused(address: str) -> None:
    assert post(address, headers={"Host": "evil.example"}).status_code == 421
    assert post(address, headers={"Origin": "https://evil.example"}).status_code == 403
    assert post(address, headers={"Host": "127.0.0.1.evil.example:80"}).status_code == 421


def test_bodies_that_are_none(address: str) -> None:
    assert post(address, json=None, content=b"{not json").status_code == 400
    assert post(address, json=None, content=b"\xff\xfe").status_code == 400
    assert post(address, json=None, content=b"[" * 100_000).status_code == 400
    assert post(address, json=None, content=b"x", headers={"Content-Type": "text/plain"}).status_code == 400
    assert post(address, json=None, content=b"x" * (Limits().body_bytes + 1)).status_code == 413
    test_every_tool(address, "auto")


def test_clients_that_hang_or_vanish_harm_nobody(address: str) -> None:
    where = urlsplit(address)
    head = f"POST {where.path} HTTP/1.1\r\nHost: {where.netloc}\r\nAuthorization: Bearer {TOKEN}\r\n"
    left = [
        "",
        "Content-Type: application/json\r\nContent-Length: 100000\r\n\r\n{",
        "Accept: application/json, text/event-stream\r\nContent-Type: application/json\r\nContent-Length: 40\r\n\r\n"
        '{"jsonrpc":"2.0","id":1,"method":"ping"}',
    ]
    opened = [socket.create_connection((where.hostname or "", where.port or 0)) for _ in range(30)]
    for number, connection in enumerate(opened):
        connection.sendall((head + left[number % 3]).encode())
    test_every_tool(address, "auto")
    for connection in opened:
        connection.close()
    test_every_tool(address, "legacy")


def test_a_client_that_leaves_its_stream_harms_nobody(address: str) -> None:
    started = post(
        address,
        json={
            "jsonrpc": "2.0",
            "id": 1,
            "method": "initialize",
            "params": {
                "protocolVersion": "2025-06-18",
                "capabilities": {},
                "clientInfo": {"name": "by hand", "version": "1"},
            },
        },
    )
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "Accept": "text/event-stream",
        "Mcp-Session-Id": started.headers["mcp-session-id"],
        "Mcp-Protocol-Version": "2025-06-18",
    }
    with httpx2.stream("GET", address, headers=headers, timeout=30) as stream:
        assert stream.status_code == 200
        assert stream.headers["content-type"].startswith("text/event-stream")
    test_every_tool(address, "legacy")


def command(folder: Path, *options: str, token: str | None = TOKEN) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if name != "HYBRIDMEM_TOKEN"}
    return scripts.Popen(
        [sys.executable, "-m", "hybridmem.cli", "mcp", "--http", "--memory", str(folder), *options],
        env=environment if token is None else {**environment, "HYBRIDMEM_TOKEN": token},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("token", [None, TOKEN])
def test_the_command_says_where_it_listens_and_stops_on_ctrl_c(tmp_path: Path, token: str | None) -> None:
    with command(tmp_path / "m", "--port", "0", token=token) as server:
        assert server.stderr is not None
        found = re.fullmatch(
            r"hybridmem serves \S+ to MCP clients at (http://127\.0\.0\.1:\d+/mcp); Ctrl-C ends it\n",
            server.stderr.readline(),
        )
        assert found is not None
        address = found[1]
        if token is None:
            made = server.stderr.readline().rpartition(" ")[2].strip()
            assert len(made) > 40
            assert post(address, headers={"Authorization": f"Bearer {made}"}).status_code != 401
            assert post(address).status_code == 401
        else:
            assert post(address).status_code != 401
        server.send_signal(signal.SIGINT)
        assert server.wait(30) == 0
        assert server.stdout is not None
        assert server.stdout.read() == ""
        assert server.stderr.read() == ""


def test_what_stands_in_the_way_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        with command(tmp_path / "m", "--port", port) as server:
            out, err = server.communicate(timeout=60)
    assert (server.returncode, out) == (2, "")
    assert err.startswith(f"error: the server cannot listen on 127.0.0.1:{port} (Address already in use): ")
    assert err.count("\n") == 1
    with command(tmp_path / "m", token="short") as server:
        out, err = server.communicate(timeout=60)
    assert (server.returncode, out) == (2, "")
    assert err.startswith("error: the token must have 16 or more letters")
