"""The table of the node's routes: each is typed, guarded and described, and nothing is served that is not in it."""

import re
from http import HTTPStatus
from pathlib import Path

import msgspec
import pytest
from aiohttp.test_utils import TestClient, TestServer
from openapi_spec_validator import OpenAPIV31SpecValidator

from edge.api import Served, application, node_routes
from edge.api.access import COOKIE, PIN_FILE, Access, OperatorPin
from edge.api.openapi import describe
from wire.message import Message

TOKEN = "open-sesame"
PIN = "374 910"
PAGE = {"GET /", *(f"GET /static/{name}" for name in ("node.css", "node.js", "api.js", "live.js", "show.js"))}
OPEN = {"GET /api/v1/status", "GET /api/v1/openapi.json", "GET /api/v1/docs", "POST /api/v1/sign-in", *PAGE}
OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}
API = (Path(__file__).parents[3] / "docs" / "api.md").read_text()


NOTHING = dict.fromkeys(Served.__dataclass_fields__)
TABLE = node_routes(Served(**NOTHING))


def named(route) -> str:
    return f"{route.method} {route.path}"


def asked_of(path: str) -> str:
    """A path that fits a route's."""
    return re.sub(r"{\w+}", "1", path)


@pytest.fixture(scope="module")
def access(tmp_path_factory):
    pin = OperatorPin(tmp_path_factory.mktemp("pin") / PIN_FILE)
    pin.set(PIN)
    return Access(TOKEN, pin, lambda: 0.0)


@pytest.fixture
def cookie(access):
    """What an operator has who signed in."""
    return {"Cookie": f"{COOKIE}={access.sign_in(PIN)}"}


@pytest.fixture
async def client(access, log):
    """A node whose every part is missing: whoever gets past the guard gets an answer that is none."""
    async with TestClient(TestServer(application(Served(**{**NOTHING, "access": access, "log": log})))) as made:
        yield made


@pytest.mark.parametrize("route", TABLE, ids=named)
def test_every_route_says_what_it_is_for_what_it_takes_and_what_it_gives(route):
    assert route.summary
    assert route.takes is None or (issubclass(route.takes, Message) and route.takes.KIND)
    if isinstance(route.gives, str):
        assert re.fullmatch(r"[a-z]+/[a-z.+-]+(; .+)?", route.gives)
    elif route.gives is not None:
        assert msgspec.json.schema(route.gives)
    assert not (route.method == "GET" and (route.takes or route.gives is None))


@pytest.mark.parametrize("route", TABLE, ids=named)
def test_every_route_is_documented(route):
    assert f"`{named(route)}`" in API


def test_no_route_of_the_node_is_documented_that_is_not_there():
    node = API.split("## Node")[1].split("## Hub")[0]
    assert set(re.findall(r"^\| `([A-Z*]+ /[^`]*)`", node, re.MULTILINE)) == {named(route) for route in TABLE}


def test_what_is_served_is_the_table_and_nothing_else(client):
    served = {f"{route.method} {route.resource.canonical}" for route in client.server.app.router.routes()}
    assert {route for route in served if not route.startswith("HEAD ")} == {named(route) for route in TABLE}
    assert {route.replace("HEAD ", "GET ") for route in served if route.startswith("HEAD ")} <= {
        named(route) for route in TABLE
    }


def test_only_what_tells_nothing_of_anybody_is_open():
    assert {named(route) for route in TABLE if route.open} == OPEN


GUARDED = [route for route in TABLE if not route.open]


@pytest.mark.parametrize("route", GUARDED, ids=named)
@pytest.mark.parametrize("given", [None, "", "Bearer wrong", "open-sesame", "Bearer open-sesame2", "Bearer \u00e9"])
async def test_without_the_token_nothing_else_is_answered(client, route, given):
    headers = {} if given is None else {"Authorization": given}
    answer = await client.request(route.method, asked_of(route.path), headers=headers)
    assert answer.status == 401
    assert await answer.text() == "this needs the rig's token, or an operator who has signed in"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/nothing"), ("POST", "/api/v1/status"), ("DELETE", "/api/v1/docs"), ("GET", "/api/v1/docs/x")],
)
async def test_what_is_not_there_is_refused_like_what_is(client, method, path):
    assert (await client.request(method, path)).status == 401


@pytest.mark.parametrize("route", GUARDED, ids=named)
async def test_with_the_token_every_route_is_reached(client, route):
    answer = await client.request(
        route.method, asked_of(route.path), headers={"Authorization": f"Bearer {TOKEN}"}, data=b"{}"
    )
    assert answer.status not in (401, 404, 405)


@pytest.mark.parametrize("route", GUARDED, ids=named)
async def test_a_signed_in_operator_reaches_every_route_from_the_nodes_own_page(client, cookie, route):
    answer = await client.request(route.method, asked_of(route.path), headers={**cookie, **OWN_PAGE}, data=b"{}")
    assert answer.status not in (401, 404, 405)


@pytest.mark.parametrize("route", [route for route in GUARDED if route.method != "GET"], ids=named)
@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}])
async def test_another_sites_page_changes_nothing_in_an_operators_name(client, cookie, route, headers):
    answer = await client.request(route.method, asked_of(route.path), headers={**cookie, **headers}, data=b"{}")
    assert answer.status == 401


async def test_the_description_is_sound_openapi(client):
    document = await (await client.get("/api/v1/openapi.json")).json()
    OpenAPIV31SpecValidator(document).validate()
    assert document["openapi"] == "3.1.0"
    operations = {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }
    assert set(operations) == {named(route) for route in TABLE}
    assert {name for name, operation in operations.items() if "security" not in operation} == OPEN


def test_a_message_is_described_as_it_travels():
    described = describe(TABLE, "touchline")
    body = described["paths"]["/api/v1/record/start"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["kind"] == {"const": "start-recording"}
    assert body["properties"]["body"] == {"$ref": "#/components/schemas/StartRecording"}
    fields = described["components"]["schemas"]["StartRecording"]
    assert {"session", "start_ns"} == set(fields["required"])
    refused = described["paths"]["/api/v1/record/start"]["post"]["responses"]
    assert list(refused) == ["200", "400", "401", "409"]
    assert set(refused["401"]["content"]) == {"text/plain"}
    report = refused["409"]["content"]["application/json"]["schema"]
    assert report["properties"]["kind"] == {"const": "gate-report"}


def test_what_may_be_asked_for_in_a_query_is_typed():
    paths = describe(TABLE, "touchline")["paths"]
    [planned] = paths["/api/v1/gates"]["get"]["parameters"]
    assert (planned["name"], planned["in"], planned.get("required", False)) == ("planned_minutes", "query", False)
    assert planned["schema"] == {"type": "number", "exclusiveMinimum": 0, "maximum": 1440}
    [lines] = paths["/api/v1/logs"]["get"]["parameters"]
    assert lines["schema"] == {"type": "integer", "minimum": 1, "maximum": 500}
    for route in TABLE:
        assert not route.query or HTTPStatus.BAD_REQUEST in route.refusals


async def test_the_page_shows_every_route_and_needs_nothing_from_elsewhere(client):
    answer = await client.get("/api/v1/docs")
    assert answer.content_type == "text/html"
    shown = await answer.text()
    for route in TABLE:
        assert f"<code>{named(route)}</code>" in shown
    assert not re.findall(r"(?:src|href)=\"(?!/api/v1/|/static/|#)", shown)
    assert "http" not in shown.replace("HTTP", "")
    assert "closed | confirmed | deleted | open | sent" in shown
    assert "a list of <a href" in shown
    assert "<code>?lines=</code>" in shown
    for anchor in re.findall(r'href="#(\w+)"', shown):
        assert f'id="{anchor}"' in shown
