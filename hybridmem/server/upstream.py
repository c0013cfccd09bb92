"""An OpenAI-compatible server behind this one: passes its answers on, and turns its failures into OpenAI's errors."""

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
"""Longest wait between two chunks of a response."""
MOST_QUOTED = 1000
"""Most characters of an upstream's message in a refusal."""


class Upstream:
    """The server at `url` (its ``/v1``). `key` is sent only to it, and is in no message and no log.

    Proxies from the environment are not used. Raises `InvalidInput` for a malformed URL or key."""

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
        """The chunks of the response as they come; leaving the context ends the request upstream. Raises `Refusal`,
        also while the chunks are read."""
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
            # The error's text may name an address, which is only for the operator.
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
        body = json.loads(await response.aread())
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Refusal(502, "the upstream's answer is no JSON object", kind="upstream")
    return body


def _refusal(response: httpx.Response) -> Refusal:
    """A refusal with the upstream's status, except for those that only concern it and this server."""
    status = response.status_code
    if status in (401, 403):
        return Refusal(
            502, "the upstream refused this server's key: tell its operator", kind="upstream-refused-the-key"
        )
    try:
        body = response.json()
    except ValueError:
        body = None
    error = body.get("error") if isinstance(body, dict) else None
    message = error.get("message") if isinstance(error, dict) else error
    detail = message[:MOST_QUOTED] if isinstance(message, str) else f"the upstream answered with status {status}"
    headers = {"Retry-After": response.headers["retry-after"]} if "retry-after" in response.headers else {}
    known = {400, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504}
    code = error.get("code") if isinstance(error, dict) else None
    kind = code if isinstance(code, str) and code.isascii() else "upstream"
    return Refusal(status if status in known else 502, detail, kind=kind, headers=headers)
