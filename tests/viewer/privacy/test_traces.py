"""What the erased leave elsewhere: earlier addresses, mails in the outbox, and words to a club."""

import json

import pytest
from sqlalchemy import select

from tests.viewer.world import NOW, OURS, World
from viewer.accounts.credentials import ask_mail_change, confirm_mail_change
from viewer.accounts.models import Role, SignInTry, User
from viewer.accounts.people import make_user
from viewer.audit.log import note
from viewer.audit.models import AuditEntry
from viewer.clubs.actor import Actor
from viewer.clubs.invitations import invite, withdraw
from viewer.clubs.joining import As, admit, decline
from viewer.clubs.models import Invitation, JoinRequest, ParentPlayer, Player, Team
from viewer.clubs.rosters import make_parent
from viewer.games.models import Recording
from viewer.jobs.lease import State
from viewer.mail.models import Mail
from viewer.privacy.consent import answer
from viewer.privacy.erasure import erase_player, erase_user
from viewer.privacy.horizon import horizon_of
from viewer.privacy.models import ConsentRecord, RemovalRequest, Scope
from viewer.privacy.removals import Outcome, ask_removal, decide_removal
from viewer.privacy.traces import ERASED, pseudonym

URL = "https://portal.example.org"
ADMIN = Actor(mail="club_admin@example.org")


def erase_account(world: World, who: str) -> None:
    with world.database.writing() as session:
        user = session.get_one(User, world.users[who])
        erase_user(session, user, ADMIN, NOW, horizon_of(world.portal.settings), world.portal.seal)


def erase(world: World, name: str, by: Actor = ADMIN) -> dict[str, int]:
    with world.database.writing() as session:
        player = session.get_one(Player, world.ids[name])
        return erase_player(session, player, by, NOW, horizon_of(world.portal.settings), world.portal.seal)


def move(world: World, who: str, new: str) -> None:
    """Change somebody's address, the way they do it themselves."""
    with world.database.writing() as session:
        user = session.get_one(User, world.users[who])
        ask_mail_change(session, user, new, NOW, url=URL)
        session.flush()
        mail = session.scalars(select(Mail).where(Mail.recipient == new).order_by(Mail.id.desc())).first()
        secret = mail.text.split("/mail-change/")[1].split()[0]
        confirm_mail_change(session, secret, NOW, url=URL)


def act_as(world: World, who: str) -> None:
    """Somebody consents for Robin, asks for a removal, and takes the log away, under their address of today."""
    with world.database.writing() as session:
        user = session.get_one(User, world.users[who])
        by = Actor(user.id, user.mail, "192.0.2.7")
        answer(session, session.get_one(Player, world.ids["robin"]), {Scope.PUBLIC: True}, by, NOW)
        recording = session.scalars(select(Recording).where(Recording.session == OURS)).one()
        ask_removal(session, recording, None, "Robin cries in it", by, NOW, URL)
        asked = {"act": "view", "actor": user.mail.upper()}
        note(session, "audit-export", "organization", 1, NOW, actor_mail="club_admin@example.org", filter=asked)
        note(session, "sign-in-refused", "account", None, NOW, by="password", mail=user.mail)
        session.add(SignInTry(subject=f"account:{user.mail}", at=NOW))


def everything(world: World) -> str:
    """All that is kept of addresses."""
    with world.database.reading() as session:
        entries = session.scalars(select(AuditEntry)).all()
        requests = session.scalars(select(RemovalRequest)).all()
        told = [
            *((e.actor_mail, e.address, e.detail) for e in entries),
            *((r.given_by_mail, r.source) for r in session.scalars(select(ConsentRecord))),
            *((r.contact, r.words, r.outcome) for r in requests),
            *((m.recipient, m.text) for m in session.scalars(select(Mail))),
            *(t.subject for t in session.scalars(select(SignInTry))),
            *(i.mail for i in session.scalars(select(Invitation))),
        ]
    return json.dumps(told, ensure_ascii=False).lower()


@pytest.mark.parametrize("address", ["later@example.org", "émile.müller@example.org", "o'neil+a_b%c@example.org"])
def test_every_address_that_an_erased_account_ever_had_is_gone_however_deep_it_stood(world, address):
    act_as(world, "parent")
    for new in (address, "last@example.org"):
        move(world, "parent", new)
        act_as(world, "parent")
    act_as(world, "kims_parent")
    said = everything(world)
    for mail in ("parent@example.org", address, "last@example.org"):
        assert f'"{mail}"' in said
    erase_account(world, "parent")
    said = everything(world)
    for mail in ('"parent@example.org', address, "last@example.org"):
        assert mail not in said, mail
    assert said.count('"kims_parent@example.org"') > 4
    # A club can check each address that it is given.
    seal = world.portal.seal
    for mail in ("parent@example.org", address, "last@example.org"):
        assert said.count(pseudonym(seal, mail).lower()) > 4
    assert "192.0.2.7" not in said.replace('["kims_parent@example.org", "192.0.2.7"', "")


def test_an_address_that_somebody_else_has_by_now_stays_theirs(world):
    act_as(world, "parent")
    move(world, "parent", "later@example.org")
    with world.database.writing() as session:
        world.users["heir"] = make_user(session, "parent@example.org", "Heir", None, NOW, Role.PARENT).id
    act_as(world, "heir")
    erase_account(world, "parent")
    with world.database.reading() as session:
        heir = world.users["heir"]
        entries = session.scalars(select(AuditEntry).where(AuditEntry.actor_mail == "parent@example.org")).all()
        assert {entry.actor_id for entry in entries} == {heir}
        records = session.scalars(select(ConsentRecord).order_by(ConsentRecord.id)).all()
        assert [record.given_by_mail == "parent@example.org" for record in records] == [False, True]
        contacts = session.scalars(select(RemovalRequest).order_by(RemovalRequest.id)).all()
        assert [(r.contact == "parent@example.org", r.words) for r in contacts] == [
            (False, ERASED),
            (True, "Robin cries in it"),
        ]
        changed = session.scalars(select(AuditEntry).where(AuditEntry.act == "change-mail")).one()
        assert changed.detail["old"].startswith("erased-")


def test_an_address_that_was_only_asked_for_goes_from_the_askers_acts_alone(world):
    with world.database.writing() as session:
        user = session.get_one(User, world.users["parent"])
        ask_mail_change(session, user, "stranger@example.org", NOW, url=URL)
        note(session, "sign-in-refused", "account", None, NOW, by="password", mail="stranger@example.org")
    erase_account(world, "parent")
    with world.database.reading() as session:
        details = {e.act: e.detail for e in session.scalars(select(AuditEntry))}
        assert details["ask-mail-change"]["to"].startswith("erased-")
        assert details["sign-in-refused"]["mail"] == "stranger@example.org"
        assert session.scalars(select(Mail).where(Mail.recipient == "stranger@example.org")).all() == []


@pytest.mark.parametrize("state", list(State))
def test_no_mail_that_invites_to_an_erased_player_is_sent_or_kept(world, state):
    with world.database.writing() as session:
        for name, role in (("robin", Role.PARENT), ("robin", Role.PLAYER), ("kim", Role.PARENT)):
            mail = f"{role}.of.{name}@example.org"
            made = invite(session, mail, role, now=NOW, url=URL, player_id=world.ids[name])
            if role is Role.PLAYER:
                withdraw(session, made, NOW)
        session.flush()
        for mail in session.scalars(select(Mail)):
            mail.state = state
    erase(world, "robin")
    with world.database.reading() as session:
        assert [mail.recipient for mail in session.scalars(select(Mail))] == ["parent.of.kim@example.org"]


def asked(session, world: World, who: str, team: str) -> JoinRequest:
    request = JoinRequest(
        team_id=world.ids[team], user_id=world.users[who], words=f"Robin's {who}, please", made_at=NOW
    )
    session.add(request)
    session.flush()
    return request


def test_what_was_written_of_an_erased_player_to_join_a_team_is_gone_and_what_was_not_stays(world):
    with world.database.writing() as session:
        players = {name: session.get_one(Player, world.ids[name]) for name in ("robin", "kim")}
        for who, name in (("nobody_in_particular", "robin"), ("u14_parent", "kim")):
            admit(session, asked(session, world, who, "u12"), players[name], As.PARENT, ADMIN, NOW, url=URL)
        decline(session, asked(session, world, "their_parent", "u12"), ADMIN, NOW, url=URL)
        asked(session, world, "nobody_in_particular", "u14")
    erase(world, "robin")
    with world.database.reading() as session:
        words = [request.words for request in session.scalars(select(JoinRequest).order_by(JoinRequest.id))]
    assert words == [
        ERASED,
        "Robin's u14_parent, please",
        "Robin's their_parent, please",
        "Robin's nobody_in_particular, please",
    ]


def test_what_a_family_wrote_to_have_an_erased_player_removed_is_gone_with_the_clubs_answer(world):
    with world.database.writing() as session:
        recording = session.scalars(select(Recording).where(Recording.session == OURS)).one()
        requests = []
        for who in ("parent", "player", "kims_parent"):
            by = Actor(world.users[who], f"{who}@example.org")
            requests.append(ask_removal(session, recording, None, "Robin cries", by, NOW, URL))
        outside = ask_removal(session, recording, None, "Not me", Actor(), NOW, URL, contact="x@example.org")
        for request in (requests[0], requests[2]):
            horizon = horizon_of(world.portal.settings)
            decide_removal(session, request, Outcome.REFUSE, "Robin may stay", ADMIN, NOW, horizon, URL)
        numbers = [request.id for request in (*requests, outside)]
    erase(world, "robin")
    with world.database.reading() as session:
        told = [(session.get_one(RemovalRequest, n).words, session.get_one(RemovalRequest, n).outcome) for n in numbers]
        mails = session.scalars(select(Mail.recipient).where(Mail.key.startswith("removal-decided:"))).all()
    assert told == [(ERASED, "refuse"), (ERASED, ""), ("Robin cries", "refuse: Robin may stay"), ("Not me", "")]
    assert mails == ["kims_parent@example.org"]


def test_the_words_of_an_erased_account_are_gone(world):
    act_as(world, "parent")
    with world.database.writing() as session:
        recording = session.scalars(select(Recording).where(Recording.session == OURS)).one()
        ask_removal(session, recording, None, "From outside", Actor(), NOW, URL, contact="parent@example.org")
        asked(session, world, "parent", "u14")
    erase_account(world, "parent")
    with world.database.reading() as session:
        assert [r.words for r in session.scalars(select(RemovalRequest))] == [ERASED, ERASED]
        assert session.scalars(select(JoinRequest)).all() == []


def test_a_players_own_account_is_erased_with_them(world):
    with world.client("player") as browser:
        browser.get(f"/matches/{OURS}")
        done = browser.post(f"/players/{world.ids['robin']}/erase", data={"sure": "erase"})
        assert done.headers["location"] == "/sign-in"
        assert browser.get("/account").headers["location"].startswith("/sign-in")
    with world.database.reading() as session:
        assert session.get(User, world.users["player"]) is None
        assert session.get_one(Player, world.ids["robin"]).first_name == ERASED
        entries = session.scalars(
            select(AuditEntry).where(AuditEntry.act.in_(("view", "erase"))).order_by(AuditEntry.id)
        ).all()
        assert [entry.act for entry in entries] == ["view", "erase"]
        assert entries[1].detail["account"] == world.users["player"]
        assert {entry.actor_mail for entry in entries} == {pseudonym(world.portal.seal, "player@example.org")}
    assert "player@example.org" not in everything(world)


def test_an_account_that_is_somebody_elses_too_stays_when_its_player_is_erased(world):
    with world.database.writing() as session:
        user = session.get_one(User, world.users["player"])
        make_parent(session, user, session.get_one(Player, world.ids["kim"]), "brother", NOW)
        session.get_one(Player, world.ids["alex"]).user_id = world.users["coach"]
    assert erase(world, "robin")["accounts"] == 0
    assert erase(world, "alex")["accounts"] == 0
    with world.database.reading() as session:
        assert session.get_one(User, world.users["player"]).mail == "player@example.org"
        assert session.get_one(User, world.users["coach"]).name == "Coach"
        assert session.get_one(Player, world.ids["robin"]).user_id is None
        kept = session.scalars(select(ParentPlayer).where(ParentPlayer.user_id == world.users["player"])).all()
        assert [link.player_id for link in kept] == [world.ids["kim"]]
        assert session.get_one(Team, world.ids["u14"]).name == "U14"
