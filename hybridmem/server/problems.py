"""Every refusal in one of two forms: RFC 9457 problem details, or OpenAI's error object under OpenAI's paths.

A refusal says what was wrong and what to do. It never shows a trace or a path of the server's disk.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.responses import Response

from hybridmem.core import errors

PROBLEM_TYPE = "application/problem+json"
OPENAI_PATHS = ("/v1/chat/", "/v1/embeddings", "/v1/models")
UNSERVED_OPENAI_PATHS = tuple(
    f"/v1/{name}"
    for name in (
        "assistants",
        "audio",
        "batches",
        "chatkit",
        "completions",
        "containers",
        "conversations",
        "evals",
        "files",
        "fine_tuning",
        "images",
        "moderations",
        "realtime",
        "responses",
        "threads",
        "uploads",
        "vector_stores",
        "videos",
    )
)
"""Other paths of OpenAI's API: its clients read the refusal in their own form, and are told what there is instead."""
RETRY_SECONDS = 1

_STATUS: tuple[tuple[type[errors.HybridMemError], int], ...] = (
    (errors.EditRefused, 409),
    (errors.InvalidInput, 422),
    (errors.NotFound, 404),
    (errors.DreamBusy, 409),
    (errors.AdapterError, 409),
    (errors.StoreFull, 507),
    (errors.HybridMemError, 503),
)
_OPENAI_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    429: "rate_limit_error",
}


ADVICE: dict[type[errors.HybridMemError], str] = {
    errors.UnknownMemory: "GET /v1/memories lists the ids",
    errors.UnknownBlock: "GET /v1/blocks lists their labels",
    errors.UnknownQuestion: "GET /v1/questions lists the ids",
    errors.UnknownAdapter: "GET /v1/adapters lists them, and a dream makes one",
    errors.TextTooLong: "split it, and send each part",
}
"""What a client can do about an error: requests, and no commands of the server's shell."""


_SHAPE = re.compile(r"[A-Z][A-Za-z]*|.*[\[(].*|int|float|str|bool", re.DOTALL)
"""A step of an error's place that names a class, a type or a function: a branch of the checks, and no field."""


class Refusal(Exception):
    """A refused request, with the text for its sender."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        kind: str = "",
        headers: Mapping[str, str] | None = None,
        errors: Sequence[Mapping[str, str]] = (),
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.kind = kind or _slug(HTTPStatus(status).phrase)
        self.headers = dict(headers or {})
        self.errors = list(errors)
        if status in (429, 503):
            self.headers.setdefault("Retry-After", str(RETRY_SECONDS))


def refusal(error: errors.HybridMemError) -> Refusal:
    """The refusal for `error`. Faults of the folder or a model go to the operator's log, not to the client."""
    status = next(status for kind, status in _STATUS if isinstance(error, kind))
    kind = _slug(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", type(error).__name__))
    if status < 500:
        return Refusal(status, error.advised(ADVICE), kind=kind)
    if isinstance(error, errors.StoreBusy):
        return Refusal(status, "another process holds the memory: try again", kind=kind)
    if isinstance(error, errors.StoreFull):
        return Refusal(status, "the disk of the server is full and nothing was stored: tell its operator", kind=kind)
    return Refusal(status, "the server cannot do this now, and its log says why: tell its operator", kind=kind)


def invalid(error: RequestValidationError) -> Refusal:
    """The refusal for `error`: 400 for malformed JSON, 422 for JSON of another schema."""
    found = error.errors()
    if any(each["type"] == "json_invalid" for each in found):
        return Refusal(400, "the body is not JSON: check its quotes, commas and brackets", kind="malformed-json")
    details = [{"location": _location(each["loc"]), "message": _complaint(each)[:200]} for each in _nearest(found)]
    first = f"{details[0]['location']}: {details[0]['message']}" if details else "it is not of the documented shape"
    return Refusal(422, f"the request is not valid: {first}", kind="invalid-request", errors=details)


def _nearest(found: Sequence[Any]) -> Sequence[Any]:
    """Of errors in a body that may have one of several shapes: those of the shape that it comes nearest to."""
    shapes: dict[str, list[Any]] = {}
    for each in found:
        step = each["loc"][1] if len(each["loc"]) > 1 else ""
        shapes.setdefault(step if isinstance(step, str) and _SHAPE.fullmatch(step) else "", []).append(each)

    def strangers(shape: str) -> int:
        return sum(each["type"] in ("missing", "extra_forbidden") for each in shapes[shape])

    return shapes[min(shapes, key=strangers)] if shapes else found


def _location(steps: Sequence[int | str]) -> str:
    """Where in the request, without the names that the checks have for their own branches."""
    return ".".join(str(step) for step in steps if isinstance(step, int) or not _SHAPE.fullmatch(step))


def _complaint(error: Mapping[str, Any]) -> str:
    """What is wrong, in the words of somebody who sends JSON."""
    kind, given, bounds = error["type"], error.get("input"), error.get("ctx") or {}
    if kind in ("too_long", "string_too_long") and isinstance(given, str):
        return f"it has {len(given):,} characters, above {bounds['max_length']:,}: shorten it"
    if kind in ("too_short", "string_too_short") and given in ("", [], {}, ()):
        return "it is empty"
    if kind == "string_pattern_mismatch" and bounds.get("pattern") == r"\S":
        return "it has no words"
    return str(error["msg"]).removeprefix("Value error, ")


def respond(refused: Refusal, path: str) -> Response:
    """The refusal as a response in the form for `path`."""
    if path.startswith((*OPENAI_PATHS, *UNSERVED_OPENAI_PATHS)):
        status = 400 if refused.status == 422 else refused.status
        kind = _OPENAI_TYPES.get(status, "server_error" if status >= 500 else "invalid_request_error")
        openai_error: dict[str, Any] = {"message": refused.detail, "type": kind, "param": None, "code": refused.kind}
        return Response(_json({"error": openai_error}), status, refused.headers, "application/json")
    problem: dict[str, Any] = {
        "type": f"/docs#{refused.kind}",
        "title": refused.kind.replace("-", " "),
        "status": refused.status,
        "detail": refused.detail,
    }
    if refused.errors:
        problem["errors"] = refused.errors
    return Response(_json(problem), refused.status, refused.headers, PROBLEM_TYPE)


def _json(value: Mapping[str, Any]) -> bytes:
    """`value` as ASCII JSON without characters that a browser could read as a tag: an error may quote the request."""
    text = json.dumps(value)
    for sign in "<>&":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text.encode()


def _slug(words: str) -> str:
    return "-".join(re.findall(r"[a-z0-9]+", words.lower()))
