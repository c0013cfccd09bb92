"""The page that describes the API, made from its schema. It is one file that loads nothing from anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h2 { margin-top: 2.5rem; } h3 { margin: 1.5rem 0 .25rem; font-family: ui-monospace, monospace; font-size: 1rem; }
p { margin: .25rem 0; } code { font-family: ui-monospace, monospace; }
table { border-collapse: collapse; margin: .5rem 0; width: 100%; }
td, th { text-align: left; vertical-align: top; padding: .2rem .75rem .2rem 0; border-bottom: 1px solid #8884; }
"""


def page(schema: Mapping[str, Any]) -> str:
    """`schema` (OpenAPI 3.1) as HTML."""
    body = "\n".join(_body(schema))
    title = escape(schema["info"]["title"])
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>\n'
        f"<body>\n{body}\n</body></html>\n"
    )


def _body(schema: Mapping[str, Any]) -> Iterator[str]:
    info = schema["info"]
    yield f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>"
    yield f"<p>{escape(info.get('description', ''))}</p>"
    yield '<p>The same for programs: <a href="/openapi.json">/openapi.json</a>.</p>'
    tag = None
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            named = operation.get("tags", ["server"])[0]
            if named != tag:
                tag = named
                yield f"<h2>{escape(named)}</h2>"
            yield from _operation(method.upper(), path, operation)
    yield "<h2>Objects</h2>"
    for name, schema_object in schema["components"]["schemas"].items():
        yield f'<h3 id="{escape(name)}">{escape(name)}</h3><p>{escape(schema_object.get("description", ""))}</p>'
        yield from _table(_properties(schema_object))


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> Iterator[str]:
    yield f"<h3>{method} {escape(path)}</h3><p>{escape(operation.get('description', ''))}</p>"
    rows = [
        (f"{each['name']} ({each['in']})", _type(each["schema"]), each.get("description", ""))
        for each in operation.get("parameters", ())
    ]
    if "requestBody" in operation:
        content = operation["requestBody"]["content"]["application/json"]["schema"]
        rows.append(("body", _type(content), ""))
    for status, response in operation["responses"].items():
        types = [_type(media["schema"]) for media in response.get("content", {}).values() if media.get("schema")]
        if status.startswith("2"):
            rows.append((status, ", ".join(types), ""))
    yield from _table(rows)


def _properties(schema_object: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    required = schema_object.get("required", ())
    return [
        (name if name in required else f"{name} (optional)", _type(each), each.get("description", ""))
        for name, each in schema_object.get("properties", {}).items()
    ]


def _table(rows: list[tuple[str, str, str]]) -> Iterator[str]:
    """Rows of (name, type as HTML, description)."""
    if rows:
        cells = "".join(
            f"<tr><td><code>{escape(name)}</code></td><td>{kind}</td><td>{escape(text)}</td></tr>"
            for name, kind, text in rows
        )
        yield f"<table>{cells}</table>"


def _type(schema: Mapping[str, Any]) -> str:
    """A type as HTML, with a link to what it names."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rsplit("/", 1)[-1])
        return f'<a href="#{name}">{name}</a>'
    if "enum" in schema:
        return escape(" | ".join(map(str, schema["enum"])))
    if "const" in schema:
        return escape(repr(schema["const"]))
    for key in ("anyOf", "oneOf"):
        if key in schema and "type" not in schema:
            return " | ".join(_type(each) for each in schema[key])
    kind = schema.get("type", "any")
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return escape(" | ".join(kind) if isinstance(kind, list) else str(kind))
