"""Every route as everybody, towards their own team, another team and another club: who may not, learns nothing."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.viewer.world import OURS, THEIRS, World
from viewer.web.access import Access

LISTED = Path(__file__).parent / "routes.txt"
TEAM, CLUB = "team", "club"
KIND = {
    "organization_slug": CLUB,
    "device_id": CLUB,
    "team_id": TEAM,
    "player_id": TEAM,
    "game_id": TEAM,
    "match_session": TEAM,
    "clip_id": TEAM,
}
"""Whose a path parameter is: a thing of the whole club, or of a team."""
HARMLESS = {"path": "panorama.mp4", "track": "3", "upload": "0" * 32, "version": "0", "package_session": OURS}
"""Parameters that name nothing of anybody's by themselves."""
ALLOWED = {
    (Access.MEMBER, TEAM): {"club_admin", "coach", "manager", "parent", "kims_parent", "player"},
    (Access.MEMBER, CLUB): {"club_admin"},
    (Access.FAMILY, TEAM): {"parent", "player"},
    (Access.STAFF, TEAM): {"club_admin", "coach", "manager"},
    (Access.STAFF, CLUB): {"club_admin"},
    (Access.COACH, TEAM): {"club_admin", "coach"},
    (Access.COACH, CLUB): {"club_admin"},
    (Access.CLUB, TEAM): {"club_admin", "platform_admin"},
    (Access.CLUB, CLUB): {"club_admin", "platform_admin"},
    (Access.PLATFORM, None): {"platform_admin"},
}
"""Whom our U12, its player Robin, and our club open to."""
NAMES = re.compile(rb"Robin|Kim|Riverside|Hillside|Strange|Example|\.example\.org")


def values(world: World, whose: str) -> dict[str, str]:
    """Path parameters that name things of our U12, or of the other club's."""
    ours = whose == "ours"
    return {
        **HARMLESS,
        "organization_slug": "riverside-rovers" if ours else "hillside-united",
        "device_id": str(world.ids["device" if ours else "their_device"]),
        "team_id": str(world.ids["u12" if ours else "their_u12"]),
        "player_id": str(world.ids["robin" if ours else "sam"]),
        "game_id": str(world.ids["game" if ours else "their_game"]),
        "match_session": OURS if ours else THEIRS,
        "clip_id": str(world.ids["clip" if ours else "their_clip"]),
    }


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


def everybody(world: World) -> dict[str, object]:
    return {who: world.client(who) for who in world.users}


def test_every_route_is_listed_with_what_it_asks_for(world):
    now = "".join(f"{m:7}{p:70}{o['access']}{' proven' if o['proven'] else ''}\n" for m, p, o in routes(world))
    assert now == LISTED.read_text(), (
        "routes or what they ask for changed: look at each, then write tests/viewer/routes.txt"
    )


def test_every_path_parameter_is_known_to_these_tests(world):
    named = {name for _, path, _ in routes(world) for name in parameters(path)}
    assert named <= values(world, "ours").keys()


@pytest.mark.slow
def test_nobody_reaches_anything_but_public_routes(world):
    with world.client(html=False) as browser:
        for method, path, opt in routes(world):
            answer = browser.request(method, filled(path, values(world, "ours")), headers={"Tus-Resumable": "1.0.0"})
            refused = answer.status_code == 401
            assert refused is (opt["access"] != Access.PUBLIC), (method, path, answer.status_code)
            assert not refused or not NAMES.search(answer.content), (method, path)


@pytest.mark.slow
def test_a_device_key_opens_what_is_for_devices_and_a_cookie_does_not(world):
    key = {"Authorization": f"Bearer {world.keys['hub']}", "Tus-Resumable": "1.0.0"}
    with world.client(html=False) as device, world.client("club_admin", html=False) as person:
        for method, path, opt in routes(world):
            where = filled(path, values(world, "ours"))
            if opt["access"] == Access.DEVICE:
                assert device.request(method, where, headers=key).status_code not in (401, 403, 500), (method, path)
                assert person.request(method, where).status_code == 401, (method, path)
            elif opt["access"] != Access.PUBLIC:
                assert device.request(method, where, headers=key).status_code == 401, (method, path)


@pytest.mark.slow
def test_things_open_to_whom_they_should_and_are_not_there_for_anybody_else(world):
    for who in world.users:
        if who.startswith("their_"):
            continue
        with world.client(who, html=False) as browser:
            for method, path, opt in routes(world):
                _check_route(world, browser, who, method, path, opt)


def _check_route(world, browser, who, method, path, opt) -> None:
    kind = kind_of(path)
    if opt["access"] in (Access.PUBLIC, Access.DEVICE) or path in ("/sign-out",):
        return
    own = browser.request(method, filled(path, values(world, "ours")))
    assert own.status_code != 500, (who, method, path)
    if opt["access"] in (Access.HALF, Access.SIGNED_IN):
        assert own.status_code not in (401, 403), (who, method, path)
        return
    if who in ALLOWED[opt["access"], kind]:
        assert own.status_code not in (401, 403, 404), (who, method, path, own.status_code)
    else:
        assert own.status_code in (403, 404), (who, method, path, own.status_code)
        assert not NAMES.search(own.content), (who, method, path)
    if kind is not None and who != "platform_admin":
        other = browser.request(method, filled(path, values(world, "theirs")))
        assert other.status_code == 404, (who, method, path, other.status_code)
        assert not NAMES.search(other.content), (who, method, path)


@pytest.mark.slow
@pytest.mark.parametrize("who", ["coach", "club_admin", "platform_admin"])
def test_without_the_second_factor_admins_and_coaches_reach_only_what_sets_it_up(world, who):
    with world.client(who, strong=False, html=False) as browser:
        for method, path, opt in routes(world):
            if opt["access"] in (Access.PUBLIC, Access.DEVICE, Access.HALF):
                continue
            answer = browser.request(method, filled(path, values(world, "ours")))
            assert answer.status_code == 403, (method, path, answer.status_code)
            assert not NAMES.search(answer.content)


@pytest.mark.slow
def test_made_up_and_foreign_numbers_in_any_mixture_open_nothing(world):
    here, there = values(world, "ours"), values(world, "theirs")
    aimed = [(m, p) for m, p, _ in routes(world) if any(name in KIND for name in parameters(p))]
    clients = {}

    @settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
    @given(
        st.sampled_from(aimed),
        st.sampled_from(["club_admin", "coach", "manager", "parent", "player"]),
        st.data(),
    )
    def ask(route, who, data) -> None:
        method, path = route
        named = [name for name in parameters(path) if name in KIND]
        foreign = data.draw(st.sets(st.sampled_from(named), min_size=1))
        made_up = st.one_of(
            st.integers(-(2**70), 2**70).map(str), st.sampled_from(["0", "-1", "1e3", "%00", "..", "'", "x" * 300])
        )
        chosen = {**here, **{n: data.draw(st.one_of(st.just(there[n]), made_up)) for n in foreign}}
        if any(chosen[n] == here[n] for n in foreign) or filled(path, chosen).count("//"):
            return
        answer = clients[who].request(method, filled(path, chosen))
        assert answer.status_code in (400, 404, 405), (who, method, filled(path, chosen), answer.status_code)
        assert not NAMES.search(answer.content)

    managers = {who: world.client(who, html=False) for who in ("club_admin", "coach", "manager", "parent", "player")}
    try:
        clients.update({who: manager.__enter__() for who, manager in managers.items()})
        ask()
    finally:
        for manager in managers.values():
            manager.__exit__(None, None, None)
