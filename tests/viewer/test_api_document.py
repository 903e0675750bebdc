"""The API's OpenAPI document: true of the routes, and nothing that it allows or that a form could say breaks anything."""

import re

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from litestar.testing import TestClient
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import checks
from schemathesis.config import SchemathesisConfig
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance
from schemathesis.specs.openapi.checks import status_code_conformance as documented_status

from tests.viewer.test_every_route import filled, full, routes, values, walking  # noqa: F401 - fixture
from tests.viewer.things import keep_nothing
from tests.viewer.world import OURS

CHECKS = [checks.not_a_server_error, documented_status, content_type_conformance, response_schema_conformance]
BOUNDED = settings(
    max_examples=12,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def document(world):
    with world.client(html=False) as browser:
        answer = browser.get("/api/v1/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    return answer.json()


def test_the_document_is_valid_and_names_every_route_of_the_api_and_no_other(world, document):
    OpenAPIV31SpecValidator(document).validate()
    told = {
        (method.upper(), re.sub("{.*?}", "{}", path)) for path, item in document["paths"].items() for method in item
    }
    found = {
        (method, re.sub("{.*?}", "{}", path))
        for method, path, _ in routes(world)
        if path.startswith("/api/v1/") or re.search(r"tracks\.json$|/players/{track}$", path)
    }
    # A path answers 405 to the methods of tus that are for its sibling.
    idle = {(m, "/api/v1/uploads") for m in ("HEAD", "PATCH", "DELETE")} | {("POST", "/api/v1/uploads/{}")}
    assert found - told == idle
    assert told <= found


def test_the_document_asks_for_a_key_or_a_sign_in_where_the_routes_do(world, document):
    asked = {
        (method, re.sub("{.*?}", "{}", path)): {"device": [{"device_key": []}], "public": []}.get(
            str(opt["access"]), [{"person": []}]
        )
        for method, path, opt in routes(world)
    }
    for path, item in document["paths"].items():
        for method, operation in item.items():
            assert operation["security"] == asked[method.upper(), re.sub("{.*?}", "{}", path)], (method, path)


@pytest.mark.slow
@pytest.mark.parametrize("who", ["device", "parent", None])
def test_whatever_the_document_allows_gets_an_answer_that_it_documents(full, document, monkeypatch, who):  # noqa: F811
    schema = schemathesis.openapi.from_dict(document, config=SchemathesisConfig())
    schema.app = full.app
    for found in schema.get_all_operations():
        operation = found.ok()
        with walking(full, monkeypatch) as walker:

            @given(operation.as_strategy())
            @BOUNDED
            def ask(case) -> None:
                case.headers = {**(case.headers or {})}
                for name in ("Authorization", "Cookie"):
                    case.headers.pop(name, None)
                case.cookies = {}
                if who == "device":
                    case.headers["Authorization"] = f"Bearer {full.keys['hub']}"
                elif who is not None:
                    case.headers["Cookie"] = f"{walker.name}={walker.keys[who]}"
                if "session" in (case.path_parameters or {}) and case.path_parameters["session"].isalnum():
                    case.path_parameters["session"] = OURS
                answer = case.call(session=walker.client)
                walker.client.cookies.clear()
                case.validate_response(answer, checks=CHECKS)

            ask()


WORD = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["", "\x00", "1", "-1", "9" * 30, "1e400", "nan", "2026-13-40", "true", "yes", "x" * 10_000, "\ud7ff"]),
)


def _fields(page: str) -> set[str]:
    return set(re.findall(r'name="(\w+)"', page))


@pytest.mark.slow
def test_no_form_breaks_anything_whatever_it_says(full, monkeypatch):  # noqa: F811
    here = values(full, "")
    posts = [(path, opt) for method, path, opt in routes(full) if method == "POST" and opt["access"] != "device"]
    names = _names()
    who = ("club_admin", "platform_admin", "parent", None)

    with walking(full, monkeypatch) as walker:

        @given(st.sampled_from(posts), st.sampled_from(who), st.data())
        @settings(BOUNDED, max_examples=400)
        def send(route, person, data) -> None:
            path, _ = route
            pairs = data.draw(st.lists(st.tuples(st.sampled_from(names), WORD), max_size=12))
            kind = data.draw(st.sampled_from(["form", "latin", "bytes", "json", "multipart"]))
            headers = {"Cookie": f"{walker.name}={walker.keys[person]}"} if person else {}
            if kind == "multipart":
                sent = {"files": [(name, (word[:20], word.encode("utf-8", "replace"))) for name, word in pairs]}
            elif kind == "json":
                sent = {"json": dict(pairs)}
            elif kind == "bytes":
                headers["Content-Type"] = "application/x-www-form-urlencoded"
                sent = {"content": data.draw(st.binary(max_size=200))}
            else:
                charset = "utf-8" if kind == "form" else "latin-1"
                headers["Content-Type"] = f"application/x-www-form-urlencoded; charset={charset}"
                sent = {"content": _encoded(pairs, charset)}
            answer = walker.client.post(filled(path, here), headers=headers, **sent)
            walker.client.cookies.clear()
            assert answer.status_code < 500, (person, path, kind, pairs, answer.status_code)

        send()


def _encoded(pairs, charset: str) -> bytes:
    from urllib.parse import urlencode

    return urlencode(pairs, encoding=charset, errors="replace").encode()


def _names() -> list[str]:
    from pathlib import Path

    import viewer

    folder = Path(viewer.__file__).parent / "web" / "templates"
    found = {n for page in folder.rglob("*.html") for n in re.findall(r'name="(\w+)"|\(\w+, "(\w+)", "', page.read_text())}
    return sorted({name for pair in found for name in pair if name} | {"", "__proto__", "id", "role", "user_id"})
