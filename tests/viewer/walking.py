"""A walk over every route of the portal, as anybody, with the parameters of one team or another filled in."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from litestar.testing import TestClient

from tests.viewer.things import keep_nothing
from tests.viewer.world import OURS, THEIRS, World
from viewer.web.access import cookie_name

TEAM, CLUB = "team", "club"
KIND = {
    "organization_slug": CLUB,
    "device_id": CLUB,
    "run_id": CLUB,
    "season_id": CLUB,
    "venue_id": CLUB,
    "invitation_id": CLUB,
    "team_id": TEAM,
    "player_id": TEAM,
    "game_id": TEAM,
    "match_session": TEAM,
    "clip_id": TEAM,
    "join_request_id": TEAM,
    "entry_id": TEAM,
    "removal_id": TEAM,
    "share_id": TEAM,
    "user_id": TEAM,
}
"""Whose a path parameter is: a thing of the whole club, or of a team."""
HARMLESS = {
    "path": "panorama.mp4",
    "track": "3",
    "upload": "0" * 32,
    "version": "0",
    "package_session": OURS,
    "sheet": "players.csv",
    "secret": "s" * 32,
    "token": "t" * 32,
    "signature": "s" * 32,
    "reader": "1",
    "kind": "job",
    "what": "disable",
}
"""Parameters that name nothing of anybody's by themselves."""


def values(world: World, whose: str) -> dict[str, str]:
    """Path parameters that name things of our U12 (""), of our U14 ("u14_"), or of the other club ("their_")."""
    ids, theirs = world.ids, whose == "their_"
    numbered = ("device", "game", "clip", "entry", "run", "season", "venue", "invitation", "removal", "share")
    found = {f"{name}_id": str(ids.get(whose + name, ids[name])) for name in (*numbered, "passkey", "export")}
    return {
        **HARMLESS,
        **found,
        "work_id": str(ids["job"]),
        "organization_slug": "hillside-united" if theirs else "riverside-rovers",
        "team_id": str(ids[{"": "u12", "u14_": "u14", "their_": "their_u12"}[whose]]),
        "player_id": str(ids[{"": "robin", "u14_": "alex", "their_": "sam"}[whose]]),
        "user_id": str(world.users[f"{whose}parent"]),
        "join_request_id": str(ids[f"{whose}request"]),
        "match_session": THEIRS if theirs else OURS,
    }


def fitting(world: World, path: str, named: dict[str, str], whose: str = "") -> dict[str, str]:
    """The same, with the user whom the path is about."""
    who = "admin" if "/people/admins/" in path else "coach" if "/people/teams/" in path else "parent"
    ours = {"admin": "club_admin", "coach": "coach", "parent": "parent"}[who]
    return {**named, "user_id": str(world.users.get(whose + who, world.users[ours]))}


def routes(world: World) -> list[tuple[str, str, dict]]:
    """Method, path with its parameters in braces, and what the route asks for."""
    found = []
    for route in world.app.routes:
        path = re.sub(r":\w+}", "}", route.path_format)
        for handler in route.route_handlers:
            if "access" in handler.opt:
                found += [(method, path, handler.opt) for method in sorted(handler.http_methods) if method != "OPTIONS"]
    return sorted(found, key=lambda r: (r[1], r[0]))


def parameters(path: str) -> list[str]:
    return re.findall(r"{(\w+)}", path)


def filled(path: str, named: dict[str, str]) -> str:
    return re.sub(r"{(\w+)}", lambda found: named[found[1]], path)


def kind_of(path: str) -> str | None:
    kinds = {KIND[name] for name in parameters(path) if name in KIND}
    return CLUB if CLUB in kinds else TEAM if kinds else None


class Walker:
    """Asks as anybody, over one client that keeps no cookie of its own."""

    def __init__(self, world: World, client: TestClient, strong: bool) -> None:
        self.world, self.client, self.name = world, client, cookie_name(world.portal)
        self.keys = {who: world.sign_in(who, strong=strong) for who in world.users}

    def ask(self, who: str | None, method: str, path: str, form: dict[str, str] | None = None, **headers: str):
        if who is not None:
            headers["Cookie"] = f"{self.name}={self.keys[who]}"
        answer = self.client.request(method, path, data=form, headers={**headers, "Tus-Resumable": "1.0.0"})
        self.client.cookies.clear()
        assert answer.status_code < 500, (who, method, path, answer.status_code)
        return answer


@contextmanager
def walking(world: World, monkeypatch, *, strong: bool = True) -> Iterator[Walker]:
    """A walker over the world, whose forms change nothing for good."""
    with TestClient(world.app, raise_server_exceptions=False) as client:
        client.follow_redirects = False
        walker = Walker(world, client, strong)
        keep_nothing(monkeypatch)
        yield walker
