"""The made-up TeamSnap as a service: signing in (OAuth 2 with PKCE) and Collection+JSON, with all that goes wrong."""

import asyncio
import base64
import hashlib
import html
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from simulator.teamsnap.people import OWNER, Record, Records, made_up

CLIENT, SECRET = "touchline-demo", "never-a-secret"
_KIND = "application/vnd.collection+json"
_PLURALS = {
    "team": "teams",
    "member": "members",
    "contact": "contacts",
    "member_email_address": "member_email_addresses",
    "contact_email_address": "contact_email_addresses",
    "event": "events",
    "location": "locations",
    "opponent": "opponents",
    "availability": "availabilities",
}
_TYPES = {plural: kind for kind, plural in _PLURALS.items()}


@dataclass
class _Asked:
    redirect: str
    state: str
    challenge: str


@dataclass
class FakeTeamSnap:
    """Its records may be changed while it runs (`member(101_000)["first_name"] = …`), and so may its moods.

    `page_size` things are on a page; `statuses` are answered instead of the next questions, one each (429 with
    `retry_after`); `forbidden` holds (team, plural) that are answered by 404; tokens last `lasting_s` (None: it does
    not say), `refreshing` tells whether they can be refreshed. `asked` lists the paths that were asked for.
    """

    records: Records = field(default_factory=lambda: made_up(date(2026, 9, 12)))
    page_size: int = 20
    statuses: list[int] = field(default_factory=list)
    retry_after: str | None = "1"
    forbidden: set[tuple[int, str]] = field(default_factory=set)
    lasting_s: int | None = 7200
    refreshing: bool = True
    clock: Callable[[], float] = time.time
    asked: list[str] = field(default_factory=list)
    refreshed: int = 0
    url: str = ""
    _open: dict[str, _Asked] = field(default_factory=dict)
    _codes: dict[str, _Asked] = field(default_factory=dict)
    _access: dict[str, float | None] = field(default_factory=dict)
    _refresh: set[str] = field(default_factory=set)

    def team(self, number: int) -> Record:
        """A team."""
        return self.records["team"][number]

    def member(self, number: int) -> Record:
        """A member."""
        return self.records["member"][number]

    def event(self, number: int) -> Record:
        """A game or a training."""
        return self.records["event"][number]

    def end_tokens(self) -> None:
        """Let every access token be over at once."""
        self._access.clear()

    def end_everything(self) -> None:
        """Forget everybody who was let in, as when an owner ends an app's access."""
        self._access.clear()
        self._refresh.clear()

    @property
    def tokens(self) -> int:
        """How many tokens are good."""
        return len(self._access) + len(self._refresh)

    def app(self) -> web.Application:
        """Its web application."""
        app = web.Application()
        app.add_routes(
            [
                web.get("/oauth/authorize", self._authorize),
                web.get("/oauth/decide", self._decide),
                web.post("/oauth/token", self._token),
                web.post("/oauth/revoke", self._revoke),
                web.get("/v3/", self._guarded(self._root)),
                web.get("/v3/me", self._guarded(self._me)),
                web.get("/v3/bulk_load", self._guarded(self._bulk_load)),
                web.get("/v3/{plural}/search", self._guarded(self._search)),
                web.get("/v3/{plural}/{number:\\d+}", self._guarded(self._one)),
            ]
        )
        return app

    # ------------------------------------------------------------------------------------------ signing in

    async def _authorize(self, request: web.Request) -> web.Response:
        asked = request.query
        if asked.get("client_id") != CLIENT or asked.get("response_type") != "code":
            return web.Response(status=400, text="This app is not known here.")
        if asked.get("code_challenge_method") != "S256" or not asked.get("state"):
            return web.Response(status=400, text="state and code_challenge (S256) are missing.")
        key = secrets.token_urlsafe(16)
        self._open[key] = _Asked(asked["redirect_uri"], asked["state"], asked["code_challenge"])
        scope = html.escape(asked.get("scope", ""))
        page = (
            '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
            "<title>TeamSnap (made up)</title><body style='font:1.1rem system-ui;max-width:32rem;margin:4rem auto'>"
            f"<h1>TeamSnap (made up)</h1><p>Touchline wants to <b>{scope}</b> your teams, members and schedules.</p>"
            f"<p><a href='/oauth/decide?request={key}&allow=1'>Allow</a> · "
            f"<a href='/oauth/decide?request={key}'>Deny</a></p></body></html>"
        )
        return web.Response(text=page, content_type="text/html")

    async def _decide(self, request: web.Request) -> web.Response:
        asked = self._open.pop(request.query.get("request", ""), None)
        if asked is None:
            return web.Response(status=400, text="This question is over.")
        answer = {"state": asked.state, "error": "access_denied"}
        if request.query.get("allow"):
            code = secrets.token_urlsafe(16)
            self._codes[code] = asked
            answer = {"state": asked.state, "code": code}
        raise web.HTTPFound(f"{asked.redirect}?{urlencode(answer)}")

    async def _token(self, request: web.Request) -> web.Response:
        form = await request.post()
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            return web.json_response({"error": "invalid_client"}, status=401)
        if form.get("grant_type") == "refresh_token":
            if form.get("refresh_token") not in self._refresh:
                return web.json_response({"error": "invalid_grant"}, status=400)
            # A token to refresh with is good once.
            self._refresh.discard(str(form["refresh_token"]))
            self.refreshed += 1
            return web.json_response(self._new_tokens())
        asked = self._codes.pop(str(form.get("code")), None)
        verifier = hashlib.sha256(str(form.get("code_verifier")).encode()).digest()
        challenge = base64.urlsafe_b64encode(verifier).decode().rstrip("=")
        if asked is None or asked.redirect != form.get("redirect_uri") or asked.challenge != challenge:
            return web.json_response({"error": "invalid_grant"}, status=400)
        return web.json_response(self._new_tokens())

    def _new_tokens(self) -> dict[str, Any]:
        access = secrets.token_urlsafe(24)
        self._access[access] = None if self.lasting_s is None else self.clock() + self.lasting_s
        answer: dict[str, Any] = {"access_token": access, "token_type": "bearer", "scope": "read"}
        if self.lasting_s is not None:
            answer["expires_in"] = self.lasting_s
        if self.refreshing:
            answer["refresh_token"] = secrets.token_urlsafe(24)
            self._refresh.add(answer["refresh_token"])
        return answer

    async def _revoke(self, request: web.Request) -> web.Response:
        token = str((await request.post()).get("token"))
        self._access.pop(token, None)
        self._refresh.discard(token)
        return web.json_response({})

    # ------------------------------------------------------------------------------------------ reading

    def _guarded(self, answer: Callable[[web.Request], web.Response]) -> Callable[[web.Request], Any]:
        async def guarded(request: web.Request) -> web.Response:
            self.asked.append(request.path_qs)
            scheme, _, token = request.headers.get("Authorization", "").partition(" ")
            ends = self._access.get(token, 0.0)
            if scheme != "Bearer" or (ends is not None and ends <= self.clock()):
                return self._fault(401, "Unauthorized")
            if _KIND not in request.headers.get("Accept", ""):
                return self._fault(406, "Ask for Collection+JSON")
            if self.statuses:
                return self._fault(self.statuses.pop(0), "Not now")
            return answer(request)

        return guarded

    def _fault(self, status: int, words: str) -> web.Response:
        body = {"collection": {"version": "1.0", "error": {"title": words, "code": str(status), "message": words}}}
        headers = {"Retry-After": self.retry_after} if status == 429 and self.retry_after else {}
        return web.json_response(body, status=status, headers=headers, content_type=_KIND)

    def _root(self, _request: web.Request) -> web.Response:
        links = [{"rel": "me", "href": f"{self.url}/v3/me"}]
        links += [{"rel": plural, "href": f"{self.url}/v3/{plural}"} for plural in _TYPES]
        queries = [
            {
                "rel": "bulk_load",
                "href": f"{self.url}/v3/bulk_load",
                "data": [{"name": "team_id", "value": None}, {"name": "types", "value": None}],
            }
        ]
        return self._collection("/v3/", [], links=links, queries=queries)

    def _me(self, _request: web.Request) -> web.Response:
        links = [{"rel": "teams", "href": f"{self.url}/v3/teams/search?user_id={OWNER}"}]
        me = {
            "id": OWNER,
            "type": "user",
            "first_name": "Dana",
            "last_name": "Doyle",
            "email": "dana.doyle@example.org",
        }
        data = [{"name": name, "value": value} for name, value in me.items()]
        item = {"href": f"{self.url}/v3/users/{OWNER}", "data": data, "links": links}
        return self._collection("/v3/me", [item])

    def _search(self, request: web.Request) -> web.Response:
        kind = _TYPES.get(request.match_info["plural"])
        team, user = request.query.get("team_id"), request.query.get("user_id")
        if kind is None or (team is None) == (user is None):
            return self._fault(400 if kind else 404, "Ask by team_id, teams by user_id")
        if team is not None and (int(team), _PLURALS[kind]) in self.forbidden:
            return self._fault(404, "The resource you requested does not exist or you are not authorized to view it.")
        wanted = [
            (number, record)
            for number, record in sorted(self.records[kind].items())
            if team is None or record.get("team_id") == int(team)
        ]
        page = int(request.query.get("page_number", 1))
        some = wanted[(page - 1) * self.page_size : page * self.page_size]
        links = []
        if page * self.page_size < len(wanted):
            following = request.url.update_query(page_number=str(page + 1))
            links = [{"rel": "next", "href": f"{self.url}{following.path_qs}"}]
        items = [self._item(kind, number, record) for number, record in some]
        return self._collection(request.path_qs, items, links=links)

    def _one(self, request: web.Request) -> web.Response:
        kind, number = _TYPES.get(request.match_info["plural"], ""), int(request.match_info["number"])
        record = self.records.get(kind, {}).get(number)
        if record is None:
            return self._fault(404, "The resource you requested does not exist or you are not authorized to view it.")
        return self._collection(request.path_qs, [self._item(kind, number, record)])

    def _bulk_load(self, request: web.Request) -> web.Response:
        team, kinds = int(request.query["team_id"]), request.query["types"].split(",")
        items = [
            self._item(kind, number, record)
            for kind in kinds
            for number, record in sorted(self.records.get(kind, {}).items())
            if team in (record.get("team_id"), number if kind == "team" else None)
        ]
        return self._collection(request.path_qs, items)

    def _item(self, kind: str, number: int, record: Record) -> dict[str, Any]:
        values = {"id": number, "type": kind, **record}
        links = []
        if kind == "team":
            rels = [plural for plural in _TYPES if plural != "teams"]
            links = [{"rel": rel, "href": f"{self.url}/v3/{rel}/search?team_id={number}"} for rel in rels]
        return {
            "href": f"{self.url}/v3/{_PLURALS[kind]}/{number}",
            "data": [{"name": name, "value": value} for name, value in values.items()],
            "links": links,
        }

    def _collection(self, path: str, items: list[dict[str, Any]], **more: Any) -> web.Response:
        template = {"data": [{"name": "type", "value": None}]}
        body = {"version": "3.0", "href": f"{self.url}{path}", "items": items, "template": template, **more}
        return web.json_response({"collection": body}, content_type=_KIND)


def run_fake(port: int, fake: FakeTeamSnap | None = None) -> None:
    """Serve on the loopback address until the process ends."""
    asyncio.run(_serve(fake or FakeTeamSnap(), port, threading.Event(), asyncio.Event()))


@contextmanager
def running_fake(fake: FakeTeamSnap | None = None) -> Iterator[FakeTeamSnap]:
    """Serve from a thread while the block runs, on a free port; `url` says where."""
    fake = fake or FakeTeamSnap()
    up, loop = threading.Event(), asyncio.new_event_loop()
    stop = asyncio.Event()

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(_serve(fake, 0, up, stop))
        loop.close()

    thread = threading.Thread(target=run, name="fake-teamsnap", daemon=True)
    thread.start()
    if not up.wait(20):
        raise RuntimeError("the made-up TeamSnap did not start")
    try:
        yield fake
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(20)


async def _serve(fake: FakeTeamSnap, port: int, up: threading.Event, stop: asyncio.Event) -> None:
    runner = web.AppRunner(fake.app(), shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    fake.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    up.set()
    await stop.wait()
    await runner.cleanup()
