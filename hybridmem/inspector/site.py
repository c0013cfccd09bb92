"""What all pages share: the memory, the frame, the links, and the forms that change something."""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from hybridmem.core.errors import HybridMemError, InvalidInput, NotFound, StoreBusy
from hybridmem.core.records import MAX_TEXT
from hybridmem.inspector import access, words
from hybridmem.inspector.reading import Readings
from hybridmem.inspector.review_counts import ReviewCounts
from hybridmem.maintenance.secrets import SecretCounts
from hybridmem.memory import HybridMemory

HERE = Path(__file__).parent
STATIC = HERE / "static"
LARGEST_FORM = 12 * MAX_TEXT + 10_000
"""Most bytes of a form: the longest memory with four escaped bytes per character, and the other fields."""
NAMESPACES_IN_MENU = 20
NAVIGATION = (
    ("overview", "/", "What it knows"),
    ("search", "/search", "Search"),
    ("ask", "/ask", "Ask"),
    ("timeline", "/timeline", "Timeline"),
    ("graph", "/graph", "Graph"),
    ("skills", "/skills", "Skills"),
    ("review", "/review", "Review"),
    ("dreams", "/dreams", "Dreams"),
    ("adapters", "/adapters", "Adapters"),
)

Fields = Mapping[str, str]


@dataclass(frozen=True)
class Site:
    """One inspector. Pages are functions of a `Visit`."""

    memory: HybridMemory
    token: str
    edit: bool = False
    asking: threading.Lock = field(default_factory=threading.Lock)
    """The language model answers one question at a time."""

    secrets: SecretCounts = field(default_factory=lambda: SecretCounts(every=60.0))
    """How many memories hold one, which no page of many memories counts anew for each visit."""
    reviews: ReviewCounts = field(default_factory=ReviewCounts)
    """How many facts wait for a person's word."""
    readings: Readings = field(default_factory=Readings)
    """What is being read for a review."""

    @functools.cached_property
    def templates(self) -> Environment:
        environment = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        environment.filters |= words.FILTERS
        return environment

    @functools.cached_property
    def assets(self) -> str:
        """A digest of the style and the scripts, so that browsers may cache them until they change."""
        digest = hashlib.sha256()
        for path in sorted(STATIC.iterdir()):
            digest.update(path.read_bytes())
        return digest.hexdigest()[:12]

    def shows(self, path: str, page: Callable[[Visit], Response]) -> Route:
        """A route that only reads."""

        def endpoint(request: Request) -> Response:
            return page(Visit(self, request))

        return Route(path, endpoint, methods=["GET"])

    def changes(self, path: str, act: Callable[[Visit, Fields], Response], *, most_fields: int = 20) -> Route:
        """A route that writes: it accepts only forms of this inspector's pages."""

        async def endpoint(request: Request) -> Response:
            fields = await _fields(request, most_fields)
            if not access.is_own_form(self.token, fields):
                raise Refused(
                    "This form is not of this inspector, or of an earlier start: go back and reload the page."
                )
            return await run_in_threadpool(act, Visit(self, request, fields.get("ns")), fields)

        return Route(path, endpoint, methods=["POST"])


@dataclass(frozen=True)
class Visit:
    """One request, its memory, and the means to answer it."""

    site: Site
    request: Request
    namespace: str | None = None
    """The namespace in a form; without it, the address names one."""

    @functools.cached_property
    def memory(self) -> HybridMemory:
        named = self.namespace or self.request.query_params.get("ns")
        return self.site.memory.at(named) if named else self.site.memory

    def asked(self, name: str, default: str = "") -> str:
        """A parameter of the address, stripped of space."""
        return self.request.query_params.get(name, default).strip()

    def number(self, name: str, default: int, *, least: int = 0, most: int = 2**62) -> int:
        """An integer parameter of the address. Raises `InvalidInput`."""
        given = self.asked(name)
        if not given:
            return default
        try:
            value = int(given)
        except ValueError:
            raise InvalidInput(f"{name} is {given!r}: write a whole number") from None
        if not least <= value <= most:
            raise InvalidInput(f"{name} is {value}: it goes from {least} to {most}")
        return value

    def link(self, path: str, **parameters: Any) -> str:
        """The address of a page for the same namespace."""
        own = {} if self.memory.namespace == self.site.memory.namespace else {"ns": "/".join(self.memory.namespace)}
        given = {name: value for name, value in parameters.items() if value not in (None, "")}
        query = urlencode({**own, **given})
        return f"{path}?{query}" if query else path

    def page(self, template: str, *, title: str, here: str = "", status: int = 200, **values: Any) -> Response:
        """Render a template; `here` is its entry in the navigation."""
        namespaces = self.memory.ledger.namespaces() if status == 200 else []
        html = self.site.templates.get_template(f"{template}.html.jinja").render(
            title=title,
            here=here,
            navigation=NAVIGATION,
            link=self.link,
            namespace="/".join(self.memory.namespace),
            home="/".join(self.site.memory.namespace),
            namespaces=["/".join(each) for each in namespaces[:NAMESPACES_IN_MENU]],
            more_namespaces=len(namespaces) > NAMESPACES_IN_MENU,
            edit=self.site.edit,
            csrf=access.form_token(self.site.token),
            assets=self.site.assets,
            **values,
        )
        return HTMLResponse(html, status_code=status)

    def problem(self, status: int, text: str) -> Response:
        """One clear line in the frame of a page."""
        return self.page(
            "problem", title="Not found" if status == 404 else "That did not work", status=status, text=text
        )


class Refused(HybridMemError):
    """A form that did not come from a page of this inspector."""


def status_of(error: HybridMemError) -> int:
    """The HTTP status for `error`."""
    if isinstance(error, Refused):
        return 403
    if isinstance(error, NotFound):
        return 404
    if isinstance(error, InvalidInput):
        return 400
    return 503 if isinstance(error, StoreBusy) else 409


async def _fields(request: Request, most: int) -> dict[str, str]:
    """The fields of a form, `most` of them. Raises `InvalidInput`."""
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > LARGEST_FORM:
            raise InvalidInput(f"the form has more than {LARGEST_FORM:,} bytes: shorten the text")
    try:
        return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=most))
    except ValueError:
        raise InvalidInput("the form cannot be read: send it from a page of the inspector") from None
