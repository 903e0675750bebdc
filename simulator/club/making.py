"""The whole club: people, games, recordings, and what is under way; or the sign-ins of one that is there already."""

from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from simulator.club import matches
from simulator.club.footage import Footage
from simulator.club.people import ADDRESS, Made, current_players, make_people
from simulator.club.plan import DOMAIN, KEPT_OPEN, NAME, ClubPlan, plan_club
from simulator.club.removing import demo_clubs, remove_clubs
from simulator.club.snapping import app_at, look_at_teamsnap
from simulator.club.work import Hands
from simulator.console import Console
from simulator.demo.portal import SignIn, pronounceable
from simulator.errors import BadOptions
from simulator.teamsnap import running_fake
from viewer.accounts.models import Role, User
from viewer.accounts.people import make_user
from viewer.clubs.joining import ask
from viewer.clubs.models import Organization
from viewer.clubs.people import invite_as
from viewer.clubs.rosters import slug_of
from viewer.jobs.duties import Tools
from viewer.mail.models import Mail

WHO = ("admin", "coach", "manager", "parent", "player")
OPERATOR = f"operator@{DOMAIN}"


def make_club(tools: Tools, seed: int, footage: list[Footage], console: Console) -> bool:
    """Make the club of `seed`, with recordings where there is footage; False when a demo club is there already.

    Whatever goes wrong, nothing of it stays. Raises `BadOptions` when a club that is no demo has its name.
    """
    with tools.database.reading() as session:
        if demo_clubs(session):
            return False
        if session.scalar(select(Organization.id).where(Organization.slug == slug_of(NAME))) is not None:
            raise BadOptions(f"this portal has a club called {NAME} that no demo made: use another portal")
    try:
        _make(tools, seed, footage, console)
    except BaseException:
        remove_clubs(tools.database, tools.settings, tools.media)
        raise
    return True


def sign_ins(tools: Tools, *, operator: bool) -> list[SignIn]:
    """Fresh passwords for those who are told how to sign in; with `operator`, an admin of the platform too."""
    now, found = tools.clock(), []
    with tools.database.writing() as session:
        for who in WHO:
            user = session.scalars(select(User).where(User.mail == f"{who}@{DOMAIN}")).one()
            found.append(SignIn(who, user.mail, pronounceable()))
            make_user(session, user.mail, user.name, found[-1].password, now)
        if operator:
            found.append(SignIn("platform admin", OPERATOR, pronounceable()))
            make_user(session, OPERATOR, "Quentin Kask", found[-1].password, now, Role.PLATFORM_ADMIN)
    return found


def _make(tools: Tools, seed: int, footage: list[Footage], console: Console) -> None:
    now = tools.clock()
    plan = plan_club(seed, now)
    hands = Hands(tools)
    console.step(f"{NAME}: people, rosters and two seasons of games.")
    with tools.database.writing() as session:
        made = make_people(session, plan, now, seed)
    devices = matches.make_devices(hands, made, plan, now)
    if footage:
        console.step("The portal takes the recorded matches in.")

        def tell(done: int, count: int) -> None:
            console.progress(done / count, f"{done} of {count} matches")

        sessions = matches.bring_in(hands, made, devices, footage, seed, now, tell)
        matches.people_look(hands, made, plan, footage, sessions, now)
    matches.spoil_one(hands, devices, seed, now)
    console.step("Invitations, requests, a look at the made-up TeamSnap, and mail.")
    _under_way(hands, made, plan, now)
    _snap(hands, made, now)
    with tools.database.reading() as session:
        mails = session.scalars(select(Mail.id).where(Mail.recipient.endswith(f"@{DOMAIN}")).order_by(Mail.id)).all()
    hands.mails(mails)


def _under_way(hands: Hands, made: Made, plan: ClubPlan, now: datetime) -> None:
    database, url = hands.tools.database, hands.tools.settings.url
    for at, words in enumerate(("I am the father of the new boy in goal.", "My niece plays with you, number 7.")):
        team = made.teams[3 - at, True]
        ask(database, made.users[f"asks {at}"], team.code or "", words, ADDRESS, now - timedelta(minutes=40))
    with database.writing() as session:
        _invite(session, made, plan, now, url)


def _invite(session: Session, made: Made, plan: ClubPlan, now: datetime, url: str) -> None:
    admin, coach = made.actor("admin"), made.actor("coach")
    yesterday = now - timedelta(days=1)
    invite_as(session, f"new.coach@{DOMAIN}", Role.COACH, yesterday, admin, url, team_id=made.teams[0, True].id)
    lonely = [c for c in current_players(plan, KEPT_OPEN) if not made.parents[id(c)]] or current_players(
        plan, KEPT_OPEN
    )
    child = made.players[id(lonely[0])]
    invite_as(session, f"grandmother@{DOMAIN}", Role.PARENT, now - timedelta(hours=5), coach, url, player_id=child.id)
    helped = made.teams[KEPT_OPEN, True].id
    invite_as(session, f"helping.hand@{DOMAIN}", Role.MANAGER, now - timedelta(days=3), coach, url, team_id=helped)


def _snap(hands: Hands, made: Made, now: datetime) -> None:
    # The very records that `python -m simulator.teamsnap` has, so that a later look finds nothing else.
    with running_fake() as fake:
        app = app_at(fake.url)
        tools = replace(hands.tools, settings=replace(hands.tools.settings, teamsnap=app))
        look_at_teamsnap(Hands(tools), made, app, now)
