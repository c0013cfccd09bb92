"""Access control: only this machine, with the token that the terminal printed, and read-only by default.

The token arrives once, in the address, and becomes a cookie that no script can read and no other site's page sends. A
web page whose own name points at this machine (DNS rebinding) is refused by that name.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN = "token"  # noqa: S105 - the name of the parameter
STATIC = "/static/"
"""The path of the style and the scripts, which hold nothing private."""
POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


class Access:
    """Wraps the application: refused requests never reach a page."""

    def __init__(self, app: ASGIApp, *, token: str, edit: bool) -> None:
        self._app = app
        self._token = token
        self._edit = edit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers[name] = value
                cached = scope["path"].startswith(STATIC) and message["status"] == 200
                headers["cache-control"] = "private, max-age=31536000, immutable" if cached else "no-store"
            await send(message)

        refused = self._refusal(scope)
        await (refused or self._app)(scope, receive, guarded)

    def _refusal(self, scope: Scope) -> Response | None:
        """The response in place of a page, or None to go on."""
        headers = Headers(scope=scope)
        if not _is_this_machine(headers.get("host", "")):
            return _plain(403, "This address is not this machine's own: open http://127.0.0.1 with the port.")
        if scope["path"].startswith(STATIC):
            return None
        query = dict(parse_qsl(scope["query_string"].decode("latin-1")))
        if TOKEN in query and scope["method"] == "GET":
            return self._start_session(scope["path"], query)
        if not hmac.compare_digest(_cookie(headers, self._token), session(self._token)):
            return _plain(401, "Open the address that `hybridmem inspect` printed: its token lets you in.")
        if scope["method"] == "POST":
            if not self._edit:
                return _plain(403, "This inspector is read-only: start it with `hybridmem inspect --edit`.")
            if not _from_own_page(headers):
                return _plain(403, "This change was asked for by another site's page, and nothing was changed.")
        return None

    def _start_session(self, path: str, query: Mapping[str, str]) -> Response:
        if not hmac.compare_digest(query[TOKEN].encode(), self._token.encode()):
            return _plain(401, "This token is not the present one: open the address that the terminal shows now.")
        rest = urlencode({name: value for name, value in query.items() if name != TOKEN})
        # At most one leading slash: two would name another machine.
        target = re.sub(r"^[/\\]+", "/", path)
        answer = RedirectResponse(f"{target}?{rest}" if rest else target, status_code=303)
        answer.set_cookie(
            cookie_name(self._token), session(self._token).decode(), httponly=True, samesite="strict", path="/"
        )
        return answer


def cookie_name(token: str) -> str:
    """The name of this inspector's own cookie: a browser sends a machine's cookies to all of its ports."""
    return f"hybridmem-{_digest(token, 'name')[:12]}"


def session(token: str) -> bytes:
    """The value of the cookie: it proves the token without holding it."""
    return _digest(token, "session").encode()


def form_token(token: str) -> str:
    """The value in every form that shows that one of our pages sent it (against CSRF)."""
    return _digest(token, "form")


def is_own_form(token: str, fields: Mapping[str, str]) -> bool:
    """Whether a form's `fields` come from a page of this inspector."""
    return hmac.compare_digest(fields.get("csrf", "").encode(), form_token(token).encode())


def _digest(token: str, purpose: str) -> str:
    return hmac.new(token.encode(), purpose.encode(), hashlib.sha256).hexdigest()


def _cookie(headers: Headers, token: str) -> bytes:
    jar: SimpleCookie = SimpleCookie()
    try:
        jar.load(headers.get("cookie", ""))
    except CookieError:
        return b""
    name = cookie_name(token)
    return jar[name].value.encode() if name in jar else b""


def _is_this_machine(host: str) -> bool:
    """Whether a Host header names the loopback interface, with any port: a tunnel may use another one."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _from_own_page(headers: Headers) -> bool:
    """Whether the browser names one of our pages as the sender. If it names none, the form's token decides."""
    origin = headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != headers.get("host"):
        return False
    return headers.get("sec-fetch-site", "same-origin") == "same-origin"


def _plain(status: int, text: str) -> Response:
    page = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f'<title>hybridmem inspector</title><link rel="icon" href="{STATIC}icon.svg">'
        f'<link rel="stylesheet" href="{STATIC}inspector.css"><main class="alone">'
        f"<h1>{'Not yet' if status == 401 else 'Refused'}</h1><p>{text}</p>"
        + ('<p>Opened it just now? <a href="/">Try again</a>.</p>' if status == 401 else "")
        + "</main></html>"
    )
    return Response(page, status_code=status, media_type="text/html")
