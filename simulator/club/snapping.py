"""Connecting the club with the made-up TeamSnap, as an admin does in a browser."""

import re
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import httpx
from sqlalchemy import select

from simulator.club.people import Made
from simulator.club.work import Hands
from simulator.errors import ProcessFailed
from simulator.teamsnap.service import CLIENT, SECRET
from viewer.accounts.models import User
from viewer.accounts.service import key_hash, new_sign_in
from viewer.accounts.sign_ins import end_sign_in
from viewer.clubs.models import Organization
from viewer.db import Database
from viewer.imports.duties import SYNC, queue_sync
from viewer.imports.models import OAuthConnection
from viewer.imports.teamsnap.oauth import begin, connect, disconnect, redeem, take_state
from viewer.jobs.models import Job
from viewer.sealing import Seal
from viewer.settings import TeamSnapApp

_PATIENCE_S = 10.0


def app_at(url: str) -> TeamSnapApp:
    """The portal's place at the made-up TeamSnap."""
    return TeamSnapApp(CLIENT, SECRET, url, f"{url}/v3/")


def connect_club(
    database: Database, seal: Seal, club: Organization, admin: User, app: TeamSnapApp, portal_url: str, now: datetime
) -> OAuthConnection:
    """Let the made-up TeamSnap say yes, and keep its tokens; raises `ProcessFailed` when it does not."""
    redirect = f"{portal_url}/imports/teamsnap/callback"
    with database.writing() as session:
        sign_in = key_hash(new_sign_in(session, admin.id, now))
        ask = begin(session, seal, app, club.id, sign_in, redirect, now)
    with httpx.Client(timeout=_PATIENCE_S, trust_env=False) as browser:
        allow = re.search(r"/oauth/decide\?request=[\w-]+&allow=1", browser.get(ask).text)
        if allow is None:
            raise ProcessFailed("the made-up TeamSnap does not know this portal")
        answer = parse_qs(urlsplit(browser.get(f"{app.auth_url}{allow.group()}").headers["location"]).query)
    with database.writing() as session:
        _, verifier = take_state(session, seal, answer["state"][0], sign_in, now)
        end_sign_in(session, admin.id, sign_in)
    tokens = redeem(app, answer["code"][0], verifier, redirect, now)
    with database.writing() as session:
        return connect(session, seal, club.id, tokens, admin.id, now)


def look_at_teamsnap(hands: Hands, made: Made, app: TeamSnapApp, now: datetime) -> None:
    """An import run that waits for the admin; the connection ends with it, for this TeamSnap does."""
    database, seal, admin = hands.tools.database, hands.tools.seal, made.users["admin"]
    row = connect_club(database, seal, made.club, admin, app, hands.tools.settings.url, now)
    with database.writing() as session:
        queue_sync(session, row, now, session.get_one(User, admin.id))
    with database.reading() as session:
        queued = select(Job.key).where(Job.kind == SYNC, Job.subject == str(row.id))
        key = session.scalars(queued.order_by(Job.id.desc()).limit(1)).one()
    hands.job(key, now)
    with database.writing() as session:
        disconnect(session, seal, made.club.id)
