"""The peer: Flask under gunicorn that answers the same requests by the same queries and templates as the portal."""

import os
from pathlib import Path
from typing import Any

import numpy as np
from flask import Flask, abort, jsonify, render_template, request
from sqlalchemy import text

import viewer.web
from viewer.accounts.service import signed_in
from viewer.clock import now
from viewer.clubs.rights import Standing, rights_of
from viewer.db import Database
from viewer.games import movement, view
from viewer.games.store import heat_of, recordings_of
from viewer.privacy.blur import open_to
from viewer.web.assets import Assets
from viewer.web.person import Person
from viewer.web.subjects import SUBJECTS

DATABASE = "TOUCHLINE_PEER_DATABASE"
COOKIE = "touchline"


def create() -> Flask:
    """The peer's application, for `gunicorn 'bench.portal.peer:create()'`."""
    app = Flask(__name__, template_folder=str(Path(viewer.web.__file__).parent / "templates"))
    database, assets = Database(os.environ[DATABASE]), Assets()
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals["asset"] = assets.url

    def person(session: Any, match: str | None = None) -> Person:
        sign_in = signed_in(session, request.cookies.get(COOKIE, ""), now())
        if sign_in is None:
            abort(401)
        user, rights = sign_in.user, rights_of(session, sign_in.user)
        if match is not None:
            subject = SUBJECTS["match_session"](session, match)
            if subject is None or rights.standing(subject) is Standing.NOBODY:
                abort(404)
        return Person(
            id=user.id,
            name=user.name,
            mail=user.mail,
            time_zone=user.time_zone,
            rights=rights,
            sign_in=sign_in.key_hash,
            proven_at=sign_in.proven_at,
            strong=sign_in.strong_at is not None,
        )

    @app.get("/")
    def home() -> str:
        with database.reading() as session:
            who = person(session)
            recordings = open_to(session, who.rights, recordings_of(session, who.rights))
            cards = [view.card(recording) for recording in recordings]
        return render_template("home.html", person=who, here="/", cards=cards, older=None)

    @app.get("/matches/<match>/players/<int:track>")
    def movement_of(match: str, track: int) -> Any:
        with database.reading() as session:
            person(session, match)
            seconds = heat_of(session, match, track)
        if seconds is None:
            abort(404)
        return jsonify(track=track, heat=np.round(seconds, 1).tolist(), thirds=movement.thirds(seconds))

    @app.get("/healthz")
    def health() -> Any:
        with database.reading() as session:
            session.execute(text("SELECT 1"))
        return jsonify(status="ok")

    return app
