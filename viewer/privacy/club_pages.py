"""Pages for a club's admins: removal requests and the decisions on them."""

from dataclasses import dataclass
from typing import Any

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect, Template

from viewer.clubs.club_pages import club_page, own
from viewer.clubs.clubs import club_named
from viewer.clubs.models import Organization
from viewer.errors import AlreadyDecided
from viewer.games.models import Clip, Recording
from viewer.games.words import day, match_clock
from viewer.privacy.horizon import horizon_of
from viewer.privacy.models import RemovalRequest
from viewer.privacy.removals import PAGE, SAID, Outcome, decide_removal, removals_of
from viewer.web.access import Access, open_to
from viewer.web.forms import Form, Sent
from viewer.web.pages import Asked, Before, actor_of, next_key
from viewer.web.portal import portal_of

CLUB = open_to(Access.CLUB)
CHOICES = {
    Outcome.HIDE_CLIP: "Hide the clip",
    Outcome.DELETE_CLIP: "Delete the clip",
    Outcome.DELETE_RECORDING: "Delete the whole recording",
    Outcome.REFUSE: "Do not remove it",
}


@dataclass(frozen=True)
class Line:
    """A request on the page; `clip` is the clip's time, empty where the whole match is meant.

    `said` is what was decided, `words` what the club wrote with it.
    """

    request: RemovalRequest
    match: str
    day: str
    url: str
    clip: str
    said: str
    words: str
    choices: tuple[tuple[str, str], ...]


@get("/clubs/{organization_slug:str}/removals", opt=CLUB, sync_to_thread=True)
def removals_page(
    request: Asked,
    state: State,
    organization_slug: FromPath[str],
    decided: FromQuery[bool] = False,
    before: Before = None,
) -> Template:
    """The club's open requests, or those that were decided."""
    with portal_of(state).database.reading() as session:
        club = club_named(session, organization_slug)
        rows = removals_of(session, club.id, decided=decided, before_id=before)
        lines = [_line(*row) for row in rows]
    following = next_key(list(rows), PAGE, lambda row: row[0].id)
    # The platform's admin sees no match, and reads nothing of a child.
    context: dict[str, Any] = {"lines": lines, "decided": decided, "next": following, "may_watch": own(request, club)}
    return club_page(request, club, "privacy/removals.html", "/removals", **context)


@post("/removals/{removal_id:int}", opt=CLUB, sync_to_thread=True)
def take_decision(request: Asked, state: State, removal_id: FromPath[int], data: Sent) -> Response[Any]:
    """Do what the club has decided and tell whoever asked."""
    form, portal = Form(data), portal_of(state)
    outcome = form.choice("outcome", list(Outcome))
    words = form.lines("words", 400, needed=False)
    form.check()
    with portal.database.writing() as session:
        row = session.get_one(RemovalRequest, removal_id)
        slug = session.get_one(Organization, session.get_one(Recording, row.recording_id).game.organization_id).slug
        horizon = horizon_of(portal.settings)
        try:
            decide_removal(
                session,
                row,
                Outcome(outcome),
                words,
                actor_of(request),
                portal.clock(),
                horizon,
                portal.settings.url,
            )
        except AlreadyDecided:
            return Redirect(f"/clubs/{slug}/removals?decided=true", status_code=303)
    portal.wake()
    return Redirect(f"/clubs/{slug}/removals?done=saved", status_code=303)


def _line(row: RemovalRequest, recording: Recording, clip: Clip | None) -> Line:
    about_clip = (Outcome.HIDE_CLIP, Outcome.DELETE_CLIP)
    choices = tuple((str(o), words) for o, words in CHOICES.items() if clip is not None or o not in about_clip)
    outcome, _, words = row.outcome.partition(": ")
    said = SAID[Outcome(outcome)] if row.decided_at else ""
    return Line(
        row,
        f"{recording.home} – {recording.away}",
        day(recording.game.starts_at, recording.game.time_zone),
        f"/matches/{recording.session}",
        "" if clip is None else match_clock(clip.start_s),
        said,
        words,
        choices,
    )
