"""An OpenAI-compatible server behind this one: its answers are passed on, its failures are told as OpenAI's errors."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx

from hybridmem.core.errors import InvalidInput
from hybridmem.server.problems import Refusal

CONNECT_SECONDS = 10.0
READ_SECONDS = 120.0
"""Between two pieces of a response."""
MOST_SHOWN = 1000
"""Characters of an upstream's own message."""


class Upstream:
    """The server at `url` (its ``/v1``). `key` is sent to it and to nobody else, and is in no message and no log.

    It is reached directly: no proxy of the environment is used. Raises `InvalidInput` for what is no URL."""

    def __init__(self, url: str, key: str | None = None) -> None:
        address = urlsplit(url)
        if address.scheme not in ("http", "https") or not address.hostname or address.query or address.fragment:
            raise InvalidInput(f"the upstream {url!r} is no address of a server: write http://127.0.0.1:8000/v1")
        if address.username or address.password:
            raise InvalidInput("the upstream's URL holds a password: put the key into an environment variable")
        if key is not None and not (key.isascii() and key.isprintable()):
            raise InvalidInput("the upstream's key has characters that no key has: look at its environment variable")
        self._client = httpx.AsyncClient(
            base_url=url.rstrip("/") + "/",
            headers={"Authorization": f"Bearer {key}"} if key else {},
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            trust_env=False,
        )

    async def close(self) -> None:
        await self._client.aclose()

    async def get(self, path: str) -> dict[str, Any]:
        """Raises `Refusal`."""
        async with self._send("GET", path, None) as response:
            return await _object(response)

    async def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Raises `Refusal`."""
        async with self._send("POST", path, body) as response:
            return await _object(response)

    @asynccontextmanager
    async def stream(self, path: str, body: Mapping[str, Any]) -> AsyncIterator[AsyncIterator[bytes]]:
        """The pieces of the response as they come; leaving the context ends the request upstream. Raises `Refusal`,
        and so does a piece that does not come."""
        async with self._send("POST", path, body) as response:
            yield _pieces(response)

    @asynccontextmanager
    async def _send(self, method: str, path: str, body: Mapping[str, Any] | None) -> AsyncIterator[httpx.Response]:
        try:
            async with self._client.stream(method, path, json=body) as response:
                if response.status_code >= 400:
                    await response.aread()
                    raise _refusal(response)
                if response.status_code >= 300:
                    raise Refusal(
                        502, "the upstream sends its clients elsewhere: name its own address", kind="upstream"
                    )
                yield response
        except httpx.TimeoutException:
            raise Refusal(504, "the upstream did not answer in time: try again", kind="upstream-timeout") from None
        except httpx.HTTPError as error:
            # The error's text may name an address, which is the operator's and not the client's.
            reason = type(error).__name__
            raise Refusal(502, f"the upstream cannot be reached ({reason}): try again", kind="upstream") from None


async def _pieces(response: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for piece in response.aiter_bytes():
            yield piece
    except httpx.TimeoutException:
        raise Refusal(504, "the upstream fell silent in the middle of its answer", kind="upstream-timeout") from None
    except httpx.HTTPError:
        raise Refusal(502, "the upstream broke off in the middle of its answer", kind="upstream") from None


async def _object(response: httpx.Response) -> dict[str, Any]:
    try:
        told = json.loads(await response.aread())
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise Refusal(502, "the upstream's answer is no JSON object", kind="upstream")
    return told


def _refusal(response: httpx.Response) -> Refusal:
    """The upstream's own status, but for those that are between it and this server."""
    status = response.status_code
    if status in (401, 403):
        return Refusal(
            502, "the upstream refused this server's key: tell its operator", kind="upstream-refused-the-key"
        )
    try:
        told = response.json()
    except ValueError:
        told = None
    error = told.get("error") if isinstance(told, dict) else None
    message = error.get("message") if isinstance(error, dict) else error
    detail = message[:MOST_SHOWN] if isinstance(message, str) else f"the upstream answered with status {status}"
    headers = {"Retry-After": response.headers["retry-after"]} if "retry-after" in response.headers else {}
    known = {400, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504}
    code = error.get("code") if isinstance(error, dict) else None
    kind = code if isinstance(code, str) and code.isascii() else "upstream"
    return Refusal(status if status in known else 502, detail, kind=kind, headers=headers)
