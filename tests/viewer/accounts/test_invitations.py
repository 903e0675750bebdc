"""Invitations: to exactly one thing, once, for a week, and never by an address alone."""

import base64
import hashlib
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from tests.viewer.world import PASSWORD
from viewer.accounts.models import Role, User
from viewer.clubs.invitations import VALID, invite, open_invitations, withdraw
from viewer.clubs.models import Invitation, Organization, Player, Team
from viewer.clubs.rights import Rights, rights_of
from viewer.errors import BadInvitation

NEW, NAME, CHOSEN = "new.person@example.org", "New Person", "wet boots in autumn"
URL = "http://127.0.0.1:8080"
KINDS = {
    Role.CLUB_ADMIN: ("organization_id", "ours", "clubs"),
    Role.COACH: ("team_id", "u12", "coached"),
    Role.MANAGER: ("team_id", "u12", "managed"),
    Role.PARENT: ("player_id", "kim", "children"),
    Role.PLAYER: ("player_id", "kim", "own"),
}


def invited(world, role=Role.PARENT, mail=NEW, to=None) -> int:
    name, thing, _ = KINDS[role]
    with world.database.writing() as session:
        by = session.get_one(User, world.users["club_admin"])
        given = {name: world.ids[to or thing]}
        return invite(session, mail, role, now=world.clock(), url=URL, by=by, **given).id


def accept(client, link, name=NAME, password=CHOSEN):
    assert client.get(link).headers["location"] == "/invitation"
    return client.post("/invitation", data={"name": name, "password": password})


def rights(world, mail=NEW) -> Rights | None:
    with world.database.reading() as session:
        user = session.scalar(select(User).where(User.mail == mail))
        return rights_of(session, user) if user else None


@pytest.mark.parametrize("role", KINDS)
def test_accepting_makes_an_account_with_exactly_what_was_offered(people, world, role):
    _, thing, link = KINDS[role]
    invited(world, role)
    with world.client() as client:
        client.get(people.link(NEW))
        assert "Riverside Rovers invites you" in client.get("/invitation").text
        answer = accept(client, people.link(NEW))
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        home = client.get("/")
    assert home.status_code == (303 if role in (Role.CLUB_ADMIN, Role.COACH) else 200)
    got = rights(world)
    held = {name: set(getattr(got, name)) for name in ("clubs", "coached", "managed", "children", "own")}
    assert held == {**{name: set() for name in held}, link: {world.ids[thing]}}
    assert got.platform_admin is False
    assert people.acts("accept-invitation")[0].organization_id == world.ids["ours"]


def test_an_account_with_the_address_must_sign_in_before_it_becomes_anything(people, world):
    mail = "nobody_in_particular@example.org"
    invited(world, Role.COACH, mail)
    link = people.link(mail)
    with world.client() as client:
        client.get(link)
        page = client.get("/invitation").text
        assert "Sign in to accept" in page
        assert 'name="password"' not in page
        assert accept(client, link).status_code == 400
        assert rights(world, mail).coached == frozenset()
        assert client.get("/invitation/mine").headers["location"] == "/sign-in?next=/invitation/mine"
        assert client.post("/invitation/mine").headers["location"].startswith("/sign-in")
        signed = client.post("/sign-in", data={"mail": mail, "password": PASSWORD, "next": "/invitation/mine"})
        assert signed.headers["location"] == "/invitation/mine"
        assert "Accept as Nobody In Particular" in client.get("/invitation/mine").text
        assert client.post("/invitation/mine").status_code == 303
    assert rights(world, mail).coached == {world.ids["u12"]}


def test_somebody_signed_in_under_another_address_is_asked_who_accepts(people, world):
    invited(world, Role.PARENT)
    with world.client("manager") as client:
        client.get(people.link(NEW))
        assert client.get("/invitation").headers["location"] == "/invitation/mine"
        assert client.post("/invitation/mine").status_code == 303
    assert rights(world) is None
    assert rights(world, "manager@example.org").children == {world.ids["kim"]}


def test_an_invitation_is_accepted_once(people, world):
    invited(world)
    link = people.link(NEW)
    with world.client() as client:
        assert accept(client, link).status_code == 303
    for who in (None, "u14_parent"):
        with world.client(who) as client:
            client.get(link)
            page = "/invitation/mine" if who else "/invitation"
            assert client.post(page, data={"name": "Another", "password": CHOSEN}).status_code == 410
    assert rights(world, "u14_parent@example.org").children == {world.ids["alex"]}


def test_of_an_invitation_the_database_keeps_a_hash_and_the_mail_its_address(people, world):
    invited(world)
    secret = people.link(NEW).rpartition("/")[2]
    assert len(base64.urlsafe_b64decode(f"{secret}=")) == 256 // 8
    with world.database.reading() as session:
        kept = session.scalars(select(Invitation)).one()
        assert kept.secret_hash == hashlib.sha256(secret.encode()).hexdigest()
        assert secret not in str({c.key: getattr(kept, c.key) for c in Invitation.__table__.columns})


def test_an_invitation_runs_out_after_a_week(people, world):
    assert timedelta(days=7) == VALID
    invited(world)
    world.clock.now += VALID - timedelta(seconds=1)
    with world.client() as client:
        client.get(people.link(NEW))
        assert client.get("/invitation").status_code == 200
        world.clock.now += timedelta(seconds=1)
        assert client.get("/invitation").status_code == 410
        assert accept(client, people.link(NEW)).status_code == 410
    assert rights(world) is None


def test_a_withdrawn_invitation_opens_nothing_and_leaves_the_list(people, world):
    number = invited(world)
    with world.database.writing() as session:
        assert [i.id for i in session.scalars(open_invitations(world.ids["ours"], world.clock()))] == [number]
        withdraw(session, session.get_one(Invitation, number), world.clock())
    with world.database.reading() as session:
        assert session.scalars(open_invitations(world.ids["ours"], world.clock())).all() == []
    with world.client() as client:
        assert accept(client, people.link(NEW)).status_code == 410


def test_inviting_again_ends_the_earlier_link_and_no_other(people, world):
    invited(world)
    first = people.link(NEW)
    invited(world, Role.PARENT, to="robin")
    invited(world)
    with world.client() as client:
        assert accept(client, first).status_code == 410
        assert accept(client, people.link(NEW)).status_code == 303
    with world.database.reading() as session:
        assert len(session.scalars(open_invitations(world.ids["ours"], world.clock())).all()) == 1


def test_a_weak_password_or_no_name_leaves_the_invitation_open(people, world):
    invited(world)
    with world.client() as client:
        assert accept(client, people.link(NEW), password="password1").status_code == 400
        assert accept(client, people.link(NEW), name=" \t ").status_code == 400
        assert accept(client, people.link(NEW)).status_code == 303


def test_a_player_who_has_an_account_is_not_given_another(people, world):
    invited(world, Role.PLAYER, to="robin")
    with world.client() as client:
        assert accept(client, people.link(NEW)).status_code == 410
    assert rights(world) is None
    with world.database.reading() as session:
        assert session.get_one(Player, world.ids["robin"]).user_id == world.users["player"]


def test_a_secret_is_kept_as_a_hash_and_leaves_the_address_at_once(people, world):
    invited(world)
    secret = people.link(NEW).rsplit("/", 1)[1]
    with world.database.reading() as session:
        assert session.scalar(select(func.count()).where(Invitation.secret_hash == secret)) == 0
    with world.client() as client:
        answer = client.get(people.link(NEW))
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert secret not in answer.headers["location"]
        assert "HttpOnly" in answer.headers["set-cookie"]
        assert secret not in client.get("/invitation").text


@pytest.mark.parametrize(
    ("role", "given"),
    [(Role.COACH, {"organization_id": 1}), (Role.PARENT, {"team_id": 1}), (Role.PLATFORM_ADMIN, {}), (Role.COACH, {})],
)
def test_nobody_is_invited_without_saying_to_what(world, role, given):
    with world.database.writing() as session, pytest.raises(BadInvitation):
        invite(session, NEW, role, now=world.clock(), url=URL, **given)


def test_what_is_gone_cannot_be_accepted(people, world):
    invited(world, Role.COACH)
    with world.database.writing() as session:
        session.delete(session.get_one(Organization, session.get_one(Team, world.ids["u12"]).organization_id))
    with world.client() as client:
        assert accept(client, people.link(NEW)).status_code == 410
