"""The OpenAPI document: FastAPI's own, with every refusal in its real form."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from hybridmem.core.filters.schema import filter_schema
from hybridmem.server.middleware import OPEN_PATHS
from hybridmem.server.problems import OPENAI_PATHS, PROBLEM_TYPE
from hybridmem.server.types import FILTERS

PROBLEM = {
    "type": "object",
    "description": "RFC 9457 problem details.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["location", "message"],
                "properties": {"location": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
OPENAI_ERROR = {
    "type": "object",
    "description": "OpenAI's error object.",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}
_FILTERS_REFERENCE = f"#/components/schemas/{FILTERS}"
REFUSALS = {
    "400": "The body is not JSON, or the client left in its middle.",
    "401": "No token, or an unknown one.",
    "403": "The token may not do this, or not in this namespace.",
    "404": "Nothing in this namespace has that name.",
    "408": "The body did not arrive in time.",
    "409": "It cannot be done as things stand.",
    "413": "The body is too large.",
    "421": "The server answers to another host name.",
    "422": "The request is not of this shape.",
    "429": "Too many requests of this token are open.",
    "500": "A fault of the server, which its log describes.",
    "502": "The upstream failed.",
    "503": "The server has its hands full, or cannot use the memory now.",
    "504": "The upstream did not answer in time.",
    "507": "The disk of the server is full.",
}


def document(app: FastAPI) -> dict[str, Any]:
    """The schema of `app`, made once."""
    if app.openapi_schema:
        return app.openapi_schema
    schema = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    schemas = schema["components"]["schemas"]
    _refer_to_filters(schema)
    schemas |= {"Problem": PROBLEM, "OpenAIError": OPENAI_ERROR, FILTERS: filter_schema(_FILTERS_REFERENCE)}
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schema["components"]["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer"}}
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            _refusals(path, operation)
    app.openapi_schema = schema
    return schema


def _refer_to_filters(place: Any) -> None:
    """Put a reference to the one schema of filters wherever `types.Filters` stands."""
    if isinstance(place, list):
        for each in place:
            _refer_to_filters(each)
    elif isinstance(place, dict):
        if place.get("title") == FILTERS and place.get("type") == "object":
            del place["title"], place["type"]
            place["$ref"] = _FILTERS_REFERENCE
        for each in place.values():
            _refer_to_filters(each)


def _refusals(path: str, operation: dict[str, Any]) -> None:
    operation["responses"] = {
        code: response for code, response in operation["responses"].items() if code.startswith("2")
    }
    if path in OPEN_PATHS:
        return
    operation["security"] = [{"bearer": []}]
    is_openai = path.startswith(OPENAI_PATHS)
    name, media = ("OpenAIError", "application/json") if is_openai else ("Problem", PROBLEM_TYPE)
    content = {media: {"schema": {"$ref": f"#/components/schemas/{name}"}}}
    for code, description in REFUSALS.items():
        operation["responses"][code] = {"description": description, "content": content}
        if code in ("429", "503"):
            operation["responses"][code]["headers"] = {
                "Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}
            }
