"""The API's document is true of its routes, and nothing that it allows, or that a form could say, breaks anything."""

import re
from base64 import b64encode
from pathlib import Path
from urllib.parse import urlencode

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance
from schemathesis.specs.openapi.checks import status_code_conformance as documented_status
from sqlalchemy.orm import Session

from tests.viewer.walking import filled, fitting, routes, values, walking
from tests.viewer.world import OURS
from viewer.devices.models import Device
from viewer.devices.pairing import new_pairing_code
from viewer.games.intake import queue_intake
from viewer.web import app

CHECKS = [checks.not_a_server_error, documented_status, content_type_conformance, response_schema_conformance]
BOUNDED = settings(
    max_examples=12,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")


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
def test_whatever_the_document_allows_gets_an_answer_that_it_documents(full, document, monkeypatch, who):
    schema = schemathesis.openapi.from_dict(document)
    with full.database.writing() as session:
        queue_intake(session, "u" * 32, OURS, full.ids["device"], full.clock())
    with walking(full, monkeypatch) as walker:
        key = {
            "device": {"Authorization": f"Bearer {full.keys['hub']}"},
            "parent": {"Cookie": f"{walker.name}={walker.keys['parent']}"},
        }.get(who, {})
        answered: dict[str, set[int]] = {}

        refused: dict[str, set[int]] = {}

        def ask(case, real: bool, told_of: dict[str, set[int]]) -> None:
            if real:
                _make_real(case, walker)
            asked = case.as_transport_kwargs(base_url="http://testserver.local")
            told = {**asked["headers"], **key}
            if not key:
                told.pop("Authorization", None)
            body = {name: asked[name] for name in ("json", "data", "files", "params") if name in asked}
            if isinstance(body.get("data"), bytes | str):
                body["content"] = body.pop("data")
            answer = walker.client.request(asked["method"], asked["url"], headers=told, **body)
            walker.client.cookies.clear()
            case.validate_response(answer, checks=CHECKS)
            told_of.setdefault(case.operation.definition.raw["operationId"], set()).add(answer.status_code)

        for found in schema.get_all_operations():
            BOUNDED(given(found.ok().as_strategy(), st.booleans(), st.just(answered))(ask))()
            # What the document does not allow stays as it is: made real it would be allowed.
            wrong = found.ok().as_strategy(generation_mode=GenerationMode.NEGATIVE)
            try:
                BOUNDED(given(wrong, st.just(False), st.just(refused))(ask))()
            except Unsatisfiable:
                # Where any text will do, nothing is wrong.
                continue
    # A header may say anything; what a body must not say is refused.
    assert all(max(refused[name]) >= 400 for name in ("pair", "heartbeat")), refused
    opened = {
        operation["operationId"]
        for item in document["paths"].values()
        for operation in item.values()
        if operation["security"] in ([], [{"device_key": []}] if who == "device" else [{"person": []}] if who else [])
    }
    assert opened
    good = {name: any(status < 300 for status in answered[name]) for name in opened}
    assert not [name for name, was in good.items() if not was], answered
    assert not any(status < 300 for name in answered.keys() - opened for status in answered[name])


def _make_real(case, walker) -> None:
    """Let a case name what there is, and be one that the portal takes."""
    named = case.path_parameters or {}
    named |= {"session": OURS} if "session" in named else {}
    named |= {"track": 3} if "track" in named else {}
    if "upload" in named:
        named["upload"] = _upload(walker)
    if case.operation.definition.raw["operationId"] == "make_upload":
        case.headers = {"Tus-Resumable": "1.0.0", **_OF_A_PACKAGE}
    elif case.operation.definition.raw["operationId"] == "go_on_with_upload":
        case.headers, case.body = {"Tus-Resumable": "1.0.0", "Upload-Offset": "0"}, b"the first bytes"
    elif case.operation.definition.raw["operationId"] == "pair":
        # The walk keeps nothing of what requests write, this is to be there.
        with Session(walker.world.database.engine) as session, session.begin():
            device = session.get_one(Device, walker.world.ids["device"])
            case.body = {"code": new_pairing_code(session, device, walker.world.clock())}


_TOLD = {"session": OURS, "kind": "match-package"}
_OF_A_PACKAGE = {
    "Upload-Metadata": ",".join(f"{name} {b64encode(word.encode()).decode()}" for name, word in _TOLD.items()),
    "Upload-Length": "99",
}


def _upload(walker) -> str:
    key = {"Authorization": f"Bearer {walker.world.keys['hub']}", **_OF_A_PACKAGE}
    answer = walker.ask(None, "POST", "/api/v1/uploads", **key)
    assert answer.status_code == 201, answer.text
    return answer.headers["location"].rpartition("/")[2]


WORD = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["", "\x00", "1", "-1", "9" * 30, "1e400", "nan", "2026-13-40", "true", "yes", "x" * 10_000, "\ud7ff"]
    ),
)


@pytest.mark.slow
def test_no_form_breaks_anything_whatever_it_says(full, monkeypatch):
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


def test_a_table_of_acts_that_nobody_can_have_done_is_empty_and_whole(world):
    with world.client("club_admin") as browser:
        answer = browser.get("/clubs/riverside-rovers/audit.csv?act=%00&actor=%00&since=2026-13-01")
    assert answer.status_code == 200


@pytest.mark.slow
def test_no_query_breaks_anything_whatever_it_says(full, monkeypatch):
    asked = [path for method, path, opt in routes(full) if method == "GET" and opt["access"] != "device"]
    names = ["before", "after", "q", "act", "actor", "since", "until", "team", "season", "circle", "kind", "which"]
    names += ["club", "from", "to", "done", "told", "next", "download", "v", "code", "state", "clip", "asked"]
    days = st.sampled_from(["9999-12-31", "0001-01-01", "9223372036854775807", "9223372036854775808", "inf"])

    with walking(full, monkeypatch) as walker:

        @given(
            st.sampled_from(asked),
            st.sampled_from(("club_admin", "platform_admin", "parent", None)),
            st.lists(st.tuples(st.sampled_from(names), WORD | days), max_size=6),
        )
        @settings(BOUNDED, max_examples=400)
        def ask(path, who, pairs) -> None:
            here = filled(path, fitting(full, path, values(full, "")))
            walker.ask(who, "GET", f"{here}?{_encoded(pairs, 'utf-8').decode()}")

        ask()


def _encoded(pairs, charset: str) -> bytes:
    return urlencode(pairs, encoding=charset, errors="replace").encode()


def _names() -> list[str]:
    folder = Path(app.__file__).parent / "templates"
    found = {
        n for page in folder.rglob("*.html") for n in re.findall(r'name="(\w+)"|\(\w+, "(\w+)", "', page.read_text())
    }
    return sorted({name for pair in found for name in pair if name} | {"", "__proto__", "id", "role", "user_id"})
