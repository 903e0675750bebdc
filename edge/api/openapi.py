"""The description of the node's API, OpenAPI 3.1, made from its routes, and the page that shows it."""

import html
import re
from collections.abc import Sequence
from functools import cache
from http import HTTPStatus
from typing import Any

import msgspec
from aiohttp import web

from edge.api.route import Route
from wire.message import Message

DOCUMENT = "/api/v1/openapi.json"
PAGE = "/api/v1/docs"
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 46rem; padding: 1rem; }
section { border-top: 1px solid #ccc; } h2 { font-size: 1rem; } pre { overflow-x: auto; }
@media (prefers-color-scheme: dark) { body { background: #111; color: #eee; } a { color: #8cf; } }
"""


def described(routes: Sequence[Route], software: str) -> list[Route]:
    """The routes, and the two by which a node tells all of them: as a document and as a page."""

    @cache
    def document() -> dict[str, Any]:
        return describe(everything, software)

    async def tell(_request: web.Request) -> bytes:
        return msgspec.json.encode(document())

    async def show(_request: web.Request) -> bytes:
        return page(document()).encode()

    everything = [
        *routes,
        Route("GET", DOCUMENT, "this API as an OpenAPI 3.1 document", tell, gives="application/json", open=True),
        Route("GET", PAGE, "this API as a page to read", show, gives="text/html; charset=utf-8", open=True),
    ]
    return everything


def describe(routes: Sequence[Route], software: str) -> dict[str, Any]:
    """The OpenAPI document of these routes."""
    told = [t for route in routes for t in (route.takes, route.gives, *route.reports.values())]
    types = [t for t in told if t is not None and not isinstance(t, str)]
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    schema_of = dict(zip(map(repr, types), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Touchline camera node", "version": software},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "rig": {"type": "http", "scheme": "bearer", "description": "the rig's token"},
                "operator": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "operator",
                    "description": "a signed-in operator",
                },
            },
        },
    }


def _operation(route: Route, schema_of: dict[str, Any]) -> dict[str, Any]:
    good: dict[str, Any] = {"description": "done"}
    if isinstance(route.gives, str):
        good["content"] = {route.gives: {"schema": {"type": "string", "format": "binary"}}}
    elif route.gives is not None:
        good["content"] = {"application/json": {"schema": _enveloped(route.gives, schema_of)}}
    refusals = dict(route.refusals)
    if not route.open:
        refusals[HTTPStatus.UNAUTHORIZED] = "neither the rig's token nor a signed-in operator"
    responses = {str(int(route.status)): good}
    for code, when in sorted(refusals.items()):
        content: dict[str, Any] = {"text/plain": {"schema": {"type": "string"}}}
        if code in route.reports:
            content["application/json"] = {"schema": _enveloped(route.reports[code], schema_of)}
        responses[str(int(code))] = {"description": when, "content": content}
    named = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"{(\w+)}", route.path)
    ]
    queried = [
        {
            "name": asked.name,
            "in": "query",
            "description": f"{asked.words}: {asked.meaning}",
            "schema": msgspec.json.schema(asked.kind),
        }
        for asked in route.query
    ]
    operation: dict[str, Any] = {"summary": route.summary, "responses": responses}
    if named or queried:
        operation["parameters"] = named + queried
    if route.takes:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _enveloped(route.takes, schema_of)}},
        }
    if not route.open:
        operation["security"] = [{"rig": []}, {"operator": []}]
    return operation


def _enveloped(kind: Any, schema_of: dict[str, Any]) -> dict[str, Any]:
    """A message travels as its kind, its version and its body (`wire.message`)."""
    schema: dict[str, Any] = schema_of[repr(kind)]
    if not (isinstance(kind, type) and issubclass(kind, Message)):
        return schema
    return {
        "type": "object",
        "required": ["kind", "version", "body"],
        "properties": {"kind": {"const": kind.KIND}, "version": {"const": kind.VERSION}, "body": schema},
    }


def page(document: dict[str, Any]) -> str:
    """The document as a page that needs nothing from anywhere else."""
    parts = []
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            codes = "".join(
                f"<li><b>{code}</b> {html.escape(answer['description'])}{_shape(answer)}</li>"
                for code, answer in operation["responses"].items()
            )
            body = operation.get("requestBody")
            asked = "".join(
                f"<p><code>?{html.escape(one['name'])}=</code> {html.escape(one['description'])}</p>"
                for one in operation.get("parameters", ())
                if one["in"] == "query"
            )
            who = "" if "security" in operation else " <em>open to all</em>"
            parts.append(
                f"<section><h2><code>{method.upper()} {html.escape(path)}</code></h2>"
                f"<p>{html.escape(operation['summary'])}{who}</p>"
                + asked
                + (f"<p>takes{_shape(body)}</p>" if body else "")
                + f"<ul>{codes}</ul></section>"
            )
    shapes = "".join(
        f'<section id="{html.escape(name)}"><h2>{html.escape(name)}</h2>'
        f"<p>{html.escape(schema.get('description', ''))}</p><pre>{html.escape(_fields(schema))}</pre></section>"
        for name, schema in sorted(document["components"]["schemas"].items())
    )
    title = f"{html.escape(document['info']['title'])}: API"
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>'
        f'<main><h1>{title}</h1><p><a href="{DOCUMENT}">{DOCUMENT}</a></p>'
        f"{''.join(parts)}<h1>Messages</h1>{shapes}</main></html>"
    )


def _shape(part: dict[str, Any]) -> str:
    """What a body is: a link to its message, else its type; of a sentence nothing needs to be said."""
    kinds = []
    for content, media in part.get("content", {}).items():
        found = re.search(r"#/components/schemas/(\w+)", str(media["schema"]))
        if found:
            many = "a list of " if media["schema"].get("type") == "array" else ""
            kinds.append(f'{many}<a href="#{found.group(1)}">{found.group(1)}</a>')
        elif "format" in media["schema"]:
            kinds.append(f"<code>{html.escape(content)}</code>")
    return f": {', '.join(kinds)}" if kinds else ""


def _fields(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(schema["enum"])
    required = set(schema.get("required", ()))
    return "\n".join(
        f"{name}{'' if name in required else '?'}: {_type_of(kind)}"
        for name, kind in schema.get("properties", {}).items()
    )


def _type_of(kind: dict[str, Any]) -> str:
    if "$ref" in kind:
        return str(kind["$ref"]).rsplit("/", 1)[-1]
    if "anyOf" in kind:
        return " | ".join(_type_of(each) for each in kind["anyOf"])
    if kind.get("type") == "array":
        return f"[{_type_of(kind.get('items') or {})}]"
    return str(kind.get("type") or kind.get("const") or "any")
