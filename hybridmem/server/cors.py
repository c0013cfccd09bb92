"""Which web pages may send requests from a browser: none by default (the CORS protocol of the Fetch standard)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from hybridmem.core.errors import InvalidInput

ANY = "*"


def cors(origins: Sequence[str]) -> dict[str, Any]:
    """The options of Starlette's ``CORSMiddleware`` for `origins`. A token is a header of the script's own, so that
    cookies and the browser's other credentials stay out. Raises `InvalidInput`."""
    return {
        "allow_origins": [checked_origin(origin) for origin in origins],
        "allow_methods": ["GET", "POST", "PUT", "PATCH", "DELETE"],
        "allow_headers": ["*"],
        "expose_headers": ["Retry-After", "Mcp-Session-Id", "WWW-Authenticate"],
    }


def checked_origin(origin: str) -> str:
    """`origin` as browsers send it. Raises `InvalidInput`.

    >>> checked_origin("https://Chat.example/"), checked_origin("*")
    ('https://chat.example', '*')
    """
    if origin == ANY:
        return origin
    parts = urlsplit(origin.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/") or parts.query:
        raise InvalidInput(
            f"{origin!r} is no origin of a web page: write https://chat.example or http://localhost:3000"
        )
    return f"{parts.scheme}://{parts.netloc.lower()}"
