"""Every route as everybody, towards their own team, another team and another club: who may not, learns nothing."""

import re
from itertools import product
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.viewer.walking import CLUB, KIND, TEAM, filled, fitting, kind_of, parameters, routes, values, walking
from viewer.web.access import Access

LISTED = Path(__file__).parent / "routes.txt"
ALLOWED = {
    (Access.MEMBER, TEAM): {"club_admin", "both_admin", "coach", "manager", "parent", "kims_parent", "player"},
    (Access.FAMILY, TEAM): {"parent", "player"},
    (Access.NEAR, TEAM): {"club_admin", "both_admin", "coach", "manager", "parent", "player"},
    (Access.CARE, TEAM): {"club_admin", "both_admin", "parent", "player"},
    (Access.STAFF, TEAM): {"club_admin", "both_admin", "coach", "manager"},
    (Access.COACH, TEAM): {"club_admin", "both_admin", "coach"},
    (Access.COACH, CLUB): {"club_admin", "both_admin"},
    (Access.CLUB, TEAM): {"club_admin", "both_admin", "platform_admin"},
    (Access.CLUB, CLUB): {"club_admin", "both_admin", "platform_admin"},
    (Access.OWN_CLUB, TEAM): {"club_admin", "both_admin"},
    (Access.OWN_CLUB, CLUB): {"club_admin", "both_admin"},
    (Access.PLATFORM, None): {"platform_admin"},
    (Access.PLATFORM, TEAM): {"platform_admin"},
}
"""Whom our U12, its player Robin, and our club open to."""
OWN = {
    "/clips/{clip_id}/share/{share_id}/end": {"parent", "club_admin", "both_admin"},
    "/account/passkeys/{passkey_id}/remove": {"parent"},
    "/account/passkeys/{passkey_id}/rename": {"parent"},
    "/exports/{export_id}": {"parent"},
}
"""Who has made the thing that the path names, or may end it all the same: nobody else in the same team reaches it."""
NOT_HERE = {
    ("POST", "/clubs/{organization_slug}/imports/teamsnap/connect"),
    ("GET", "/imports/teamsnap/callback"),
    ("POST", "/account/passkeys/options"),
    ("POST", "/matches/{match_session}/players"),
}
"""What nobody meets in this world: it is not registered with TeamSnap, has no name, and hides no player."""
FILLED_IN = {"/teams/{team_id}/requests/{join_request_id}": {"answer": "decline"}}
"""Forms that are refused for what they lack before anybody looks at what the path names."""
FORMS = {
    **FILLED_IN,
    "/players/{player_id}/consent/paper": {"public": "yes", "signed_by": "Somebody"},
    "/players/{player_id}/consent": {"public": "yes"},
    "/removals/{removal_id}": {"outcome": "refuse", "words": "It stays."},
    "/clubs/{organization_slug}/people/invitations": {"mail": "new@example.org", "role": "club_admin"},
}
"""Forms that are taken where an empty one is answered with its page."""
QUERIES = {
    "/clubs/{organization_slug}/people": ("?circle=parents", "?circle=staff"),
    "/clubs/{organization_slug}/removals": ("?decided=true",),
    "/platform/jobs": ("?kind=mail",),
}
"""Other sides of a page that hold other things."""
EXAMPLES = {"/clubs/{organization_slug}/imports/examples/{sheet}", "/join"}
"""What shows by an example how to write a name: the children are made up."""
CHILDREN = re.compile(r"\b(Robin|Kim|Alex|Sam|Jo|Newcomer)\b")
"""First names of every child of the world, and the last name of one who waits to be imported."""
NAMES = re.compile(rb"Robin|Kim|Riverside|Hillside|Strange|Secret|Example|\.example\.org|@")


def test_every_route_is_listed_with_what_it_asks_for(world):
    now = "".join(f"{m:7}{p:70}{o['access']}{' proven' if o['proven'] else ''}\n" for m, p, o in routes(world))
    assert now == LISTED.read_text(), (
        "routes or what they ask for changed: look at each, then write tests/viewer/routes.txt"
    )


def test_every_path_parameter_is_known_to_these_tests(full):
    named = {name for _, path, _ in routes(full) for name in parameters(path)}
    assert named <= values(full, "").keys()
    assert len({frozenset(values(full, whose).items()) for whose in ("", "u14_", "their_")}) == 3


@pytest.mark.slow
def test_nobody_reaches_anything_but_public_routes(full, monkeypatch):
    with walking(full, monkeypatch) as walker:
        for method, path, opt in routes(full):
            answer = walker.ask(None, method, filled(path, values(full, "")))
            refused = answer.status_code == 401
            assert refused is (opt["access"] != Access.PUBLIC), (method, path, answer.status_code)
            assert not refused or not NAMES.search(answer.content), (method, path)


@pytest.mark.slow
def test_a_device_key_opens_what_is_for_devices_and_a_cookie_does_not(full, monkeypatch):
    key = {"Authorization": f"Bearer {full.keys['hub']}"}
    with walking(full, monkeypatch) as walker:
        for method, path, opt in routes(full):
            where = filled(path, values(full, ""))
            if opt["access"] == Access.DEVICE:
                assert walker.ask(None, method, where, **key).status_code not in (401, 403), (method, path)
                assert walker.ask("club_admin", method, where).status_code == 401, (method, path)
            elif opt["access"] != Access.PUBLIC:
                assert walker.ask(None, method, where, **key).status_code == 401, (method, path)


@pytest.mark.slow
def test_things_open_to_whom_they_should_and_are_not_there_for_anybody_else(full, monkeypatch):
    with walking(full, monkeypatch) as walker:
        for method, path, opt in routes(full):
            if opt["access"] not in (Access.PUBLIC, Access.DEVICE):
                for who in full.users:
                    if not who.startswith("their_"):
                        _check_route(full, walker, who, method, path, opt)


def _check_route(world, walker, who, method, path, opt) -> None:
    kind = kind_of(path)
    here, there = (fitting(world, path, values(world, whose), whose) for whose in ("", "their_"))
    own = walker.ask(who, method, filled(path, here))
    told = (who, method, path, own.status_code)
    personal = opt["access"] in (Access.HALF, Access.SET_UP, Access.SIGNED_IN)
    if personal or who in ALLOWED[opt["access"], kind]:
        if who not in OWN.get(path, {who}):
            assert own.status_code == 404, told
        else:
            assert own.status_code not in (401, 403), told
            assert (own.status_code == 404) is ((method, path) in NOT_HERE), told
    else:
        assert own.status_code in (403, 404), told
        assert not NAMES.search(own.content), told
    if path in OWN and personal:
        assert walker.ask(who, method, filled(path, there)).status_code == 404, told
    if kind is not None and who not in ("platform_admin", "both_admin"):
        other = walker.ask(who, method, filled(path, there))
        assert other.status_code == 404, (who, method, path, other.status_code)
        assert not NAMES.search(other.content), (who, method, path)


@pytest.mark.slow
def test_a_thing_below_a_team_or_club_that_it_is_not_of_is_not_there_even_for_whoever_may_see_both(full, monkeypatch):
    asked = 0
    with walking(full, monkeypatch) as walker:
        for method, path, opt in routes(full):
            named = [name for name in parameters(path) if name in KIND]
            if len(named) < 2:
                continue
            sets = {whose: fitting(full, path, values(full, whose), whose) for whose in ("", "u14_", "their_")}
            for others in ("u14_", "their_"):
                for chosen in product(("", others), repeat=len(named)):
                    mixed = {n: sets[whose][n] for n, whose in zip(named, chosen, strict=True)}
                    whole = [{n: of[n] for n in named} for of in sets.values()]
                    # A club has several teams: what differs there by the team alone is no mixture.
                    if mixed in whole or _belongs(mixed, sets, others, named):
                        continue
                    for who in ("club_admin", "both_admin", "platform_admin", "coach"):
                        answer = walker.ask(who, method, filled(path, {**sets[""], **mixed}), FILLED_IN.get(path))
                        # Who is refused at the first name learns nothing about the second.
                        refused = (404,) if who in ALLOWED[opt["access"], kind_of(path)] else (403, 404)
                        assert answer.status_code in refused, (who, method, path, mixed, answer.status_code)
                        assert not NAMES.search(answer.content), (who, method, path, mixed)
                        asked += 1
    assert asked > 100


@pytest.mark.slow
def test_the_platforms_admin_reads_no_childs_name_in_any_answer(full, monkeypatch):
    answered = {200: 0, 303: 0, 422: 0}
    with walking(full, monkeypatch) as walker:
        # The other way round: who runs the club does read them, so that this looks for what is there.
        for page in ("/clubs/riverside-rovers/imports/{run}", "/clubs/riverside-rovers/removals", "/players/{robin}"):
            assert CHILDREN.search(walker.ask("club_admin", "GET", page.format(**full.ids)).text), page
        for method, path, _ in routes(full):
            forms = [None, FORMS[path]] if method == "POST" and path in FORMS else [None]
            if path in EXAMPLES:
                continue
            queries = ("", *(QUERIES.get(path, ()) if method == "GET" else ()))
            for whose, form, query in product(("", "u14_", "their_"), forms, queries):
                where = filled(path, fitting(full, path, values(full, whose), whose)) + query
                answer = walker.ask("platform_admin", method, where, form)
                told = f"{answer.headers.get('location', '')} {answer.text}"
                assert not CHILDREN.search(told), (method, where, form, answer.status_code)
                answered[answer.status_code] = answered.get(answer.status_code, 0) + 1
    assert all(answered[status] > 10 for status in (200, 303, 422)), answered


def _belongs(mixed, sets, others, named) -> bool:
    below_club = others == "u14_" and named[0] == "organization_slug"
    return below_club and (len(named) == 2 or all(mixed[n] == sets[others][n] for n in named[1:]))


@pytest.mark.slow
@pytest.mark.parametrize("who", ["coach", "club_admin", "platform_admin"])
def test_without_the_second_factor_admins_and_coaches_reach_only_what_sets_it_up(full, monkeypatch, who):
    with walking(full, monkeypatch, strong=False) as walker:
        for method, path, opt in routes(full):
            if opt["access"] in (Access.PUBLIC, Access.DEVICE, Access.HALF, Access.SET_UP):
                continue
            answer = walker.ask(who, method, filled(path, values(full, "")))
            assert answer.status_code == 403, (method, path, answer.status_code)
            assert not NAMES.search(answer.content)


@pytest.mark.slow
def test_whoever_has_a_second_factor_replaces_it_with_nothing_but_itself(full, monkeypatch):
    with walking(full, monkeypatch, strong=False) as walker:
        for method, path, opt in routes(full):
            if opt["access"] not in (Access.PUBLIC, Access.DEVICE, Access.HALF):
                answer = walker.ask("parent", method, filled(path, values(full, "")))
                assert answer.status_code == 403, (method, path, answer.status_code)


@pytest.mark.slow
def test_made_up_and_foreign_numbers_in_any_mixture_open_nothing(full, monkeypatch):
    here, there = values(full, ""), values(full, "their_")
    aimed = [found for found in routes(full) if any(name in KIND for name in parameters(found[1]))]
    made_up = st.one_of(
        st.integers(-(2**70), 2**70).map(str), st.sampled_from(["0", "-1", "1e3", "%00", "..%2f", "'", "x" * 300])
    )

    with walking(full, monkeypatch) as walker:

        @settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
        @given(
            st.sampled_from(aimed),
            st.sampled_from(["club_admin", "coach", "manager", "parent", "player"]),
            st.data(),
        )
        def ask(route, who, data) -> None:
            method, path, opt = route
            named = [name for name in parameters(path) if name in KIND]
            foreign = data.draw(st.sets(st.sampled_from(named), min_size=1))
            chosen = {**here, **{n: data.draw(st.one_of(st.just(there[n]), made_up)) for n in foreign}}
            if any(chosen[n] in (here[n], values(full, "u14_")[n]) for n in foreign) or filled(path, chosen).count(
                "//"
            ):
                return
            answer = walker.ask(who, method, filled(path, chosen))
            refused = (400, 404, 405) if who in ALLOWED[opt["access"], kind_of(path)] else (400, 403, 404, 405)
            assert answer.status_code in refused, (who, method, filled(path, chosen), answer.status_code)
            assert not NAMES.search(answer.content)

        ask()
