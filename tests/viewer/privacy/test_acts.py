"""The audit log's acts: each is listed once, each listed one happens, and none happens that is not listed."""

import ast
from pathlib import Path

import pytest
from sqlalchemy import select

import viewer
from tests.viewer.privacy.test_blur import confirm, opt
from tests.viewer.privacy.test_consent import given
from tests.viewer.privacy.test_shares import shared
from tests.viewer.things import add_things
from tests.viewer.world import OURS
from viewer.audit.acts import Act
from viewer.audit.models import AuditEntry

ROOT = Path(viewer.__file__).parent
SOURCES = {path: ast.parse(path.read_text()) for path in ROOT.rglob("*.py") if "static" not in path.parts}
ASKED_FOR = {"view", "download", "share", "export", "consent", "erase", "delete", "keep", "removal-decide"}


def acts_used() -> set[str]:
    """The members of `Act` that the portal's code names."""
    return {
        node.attr
        for path, tree in SOURCES.items()
        if path.name != "acts.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Act"
    }


def loose_acts() -> list[str]:
    """Calls of `note` and `did` whose act is written as a text."""
    return [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, tree in SOURCES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and getattr(node.func, "id", getattr(node.func, "attr", "")) in ("note", "did")
        and len(node.args) > 1
        and isinstance(node.args[1], ast.Constant)
        and node.args[1].value not in set(Act)
    ]


def test_every_act_that_is_noted_is_listed():
    assert acts_used() <= {act.name for act in Act}
    assert loose_acts() == []


@pytest.mark.parametrize("act", sorted(ASKED_FOR))
def test_views_downloads_shares_exports_and_admins_acts_are_listed(act):
    assert act in set(Act)


PLAYER, MATCH, CLIP = "/players/{player_id:int}", "/matches/{match_session:str}", "/clips/{clip_id:int}/share"
PAPER = {"public": "no", "signed_by": "Ms Example"}
FORMS = {
    f"{PLAYER}/consent": ("parent", "/players/{robin}/consent", {"public": "no"}, Act.CONSENT),
    f"{PLAYER}/consent/paper": ("club_admin", "/players/{robin}/consent/paper", PAPER, Act.CONSENT),
    f"{PLAYER}/export": ("parent", "/players/{robin}/export", {}, Act.EXPORT),
    f"{PLAYER}/erase": ("parent", "/players/{robin}/erase", {"sure": "erase"}, Act.ERASE),
    f"{MATCH}/removal": ("parent", f"/matches/{OURS}/removal", {"words": "Please"}, Act.REMOVAL_ASK),
    f"{MATCH}/players": ("coach", f"/matches/{OURS}/players", {"player": "{robin}", "absent": "yes"}, Act.IDENTIFY),
    f"{MATCH}/keep": ("coach", f"/matches/{OURS}/keep", {}, Act.KEEP),
    "/removals/{removal_id:int}": ("club_admin", "/removals/{removal}", {"outcome": "refuse"}, Act.REMOVAL_DECIDE),
    "/account/export": ("coach", "/account/export", {}, Act.EXPORT),
    "/account/erase": ("parent", "/account/erase", {"sure": "erase"}, Act.ERASE),
    CLIP: ("parent", "/clips/{clip}/share", {"days": "7"}, Act.SHARE),
    "/s/{secret:str}/removal": (None, "", {"contact": "x@example.org", "words": "Please"}, Act.REMOVAL_ASK),
    CLIP + "/{share_id:int}/end": ("parent", "/clips/{clip}/share/{share}/end", {}, Act.SHARE_REVOKE),
}
"""Each form's route: who sends it, where to, with what, and the act that the log names."""


def test_every_form_of_privacy_and_shares_is_tried_for_its_trace():
    from viewer.privacy import controllers as privacy
    from viewer.shares import controllers as shares

    routes = [handler for field in (privacy, shares) for handler in field.ROUTES]
    assert {path for route in routes if "POST" in route.http_methods for path in route.paths} == set(FORMS)


@pytest.mark.parametrize("route", FORMS)
def test_a_form_of_privacy_or_of_shares_leaves_its_trace_with_who_sent_it(world, route):
    who, path, form, act = FORMS[route]
    add_things(world)
    if route.startswith((CLIP, "/s/")):
        confirm(world, "robin", 3)
        given(world, "robin", team=True, highlights=True, public=True)
    path = path or f"{shared(world)}/removal"
    if route.endswith("/players"):
        opt(world, "robin", shown=False)
    with world.database.reading() as session:
        before = set(session.scalars(select(AuditEntry.id)))
    sent = {name: value.format(**world.ids) for name, value in form.items()}
    with world.client(who) as browser:
        answered = browser.post(path.format(**world.ids), data=sent)
    assert answered.status_code in (200, 303), answered.text
    with world.database.reading() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.id.not_in(before))).all()
    # An account that is erased leaves its trace without a name.
    by = None if route == "/account/erase" or who is None else world.users[who]
    assert [(entry.act, entry.actor_id) for entry in entries] == [(act, by)]
