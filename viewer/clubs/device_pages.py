"""Pages on which a club's devices are run. The guard has checked that the reader runs the club."""

from typing import Any

from litestar import Response, get, post
from litestar.datastructures import State
from litestar.params import FromPath
from litestar.response import Redirect, Template
from sqlalchemy.orm import Session

from viewer.audit.acts import Act
from viewer.clubs import clubs, hubs, teams
from viewer.clubs.club_pages import CLUB, club_page
from viewer.clubs.clubs import club_named
from viewer.clubs.hubs import DeviceEntry
from viewer.clubs.models import Organization
from viewer.devices.pairing import GOOD_FOR, new_pairing_code
from viewer.web.forms import Form, Sent
from viewer.web.pages import After, Asked, actor_of, done, next_key, show
from viewer.web.portal import portal_of

_FIELDS = ("name", "team_id", "venue_id", "wanted_version")


@get("/clubs/{organization_slug:str}/devices", opt=CLUB, sync_to_thread=True)
def devices_page(request: Asked, state: State, organization_slug: FromPath[str], after: After = None) -> Template:
    """The club's hubs: what they bring, their version, when they were last heard; and a form for a new one."""
    with portal_of(state).database.reading() as session:
        return _devices(request, session, club_named(session, organization_slug), Form(), after)


@post("/clubs/{organization_slug:str}/devices", opt=CLUB, status_code=200, sync_to_thread=True)
def add_device(request: Asked, state: State, organization_slug: FromPath[str], data: Sent) -> Response[Any]:
    """Add a device; it gets its key by pairing."""
    portal, form = portal_of(state), Form(data)
    with form.taking(), portal.database.writing() as session:
        club = club_named(session, organization_slug)
        entry = _entry(session, club, form)
        device = hubs.save_device(session, club.id, None, entry, portal.clock(), actor_of(request))
        return done(f"/clubs/{organization_slug}/devices/{device.id}", "added")
    with portal.database.reading() as session:
        return _devices(request, session, club_named(session, organization_slug), form, status=422)


def _devices(
    request: Asked, session: Session, club: Organization, form: Form, after: int | None = None, status: int = 200
) -> Template:
    listed = list(hubs.devices_of(session, club.id, after))
    context: dict[str, Any] = {
        "devices": listed,
        "following": next_key(listed, clubs.PAGE, lambda device: device.id),
        "team_options": teams.team_choices(session, club.id),
        "venue_options": clubs.venue_choices(session, club.id),
        "form": form,
    }
    return club_page(request, club, "clubs/devices.html", "/devices", status=status, **context)


@get("/clubs/{organization_slug:str}/devices/{device_id:int}", opt=CLUB, sync_to_thread=True)
def device_page(request: Asked, state: State, organization_slug: FromPath[str], device_id: FromPath[int]) -> Template:
    """One device, to be changed, paired or revoked."""
    with portal_of(state).database.reading() as session:
        club = club_named(session, organization_slug)
        device = hubs.device_in(session, club.id, device_id)
        form = Form({name: getattr(device, name) for name in _FIELDS})
        return _device(request, session, club, device_id, form)


@post("/clubs/{organization_slug:str}/devices/{device_id:int}", opt=CLUB, status_code=200, sync_to_thread=True)
def change_device(
    request: Asked, state: State, organization_slug: FromPath[str], device_id: FromPath[int], data: Sent
) -> Response[Any]:
    """Change a device's name, team, venue or wanted version."""
    portal, form = portal_of(state), Form(data)
    with form.taking(), portal.database.writing() as session:
        club = club_named(session, organization_slug)
        device = hubs.device_in(session, club.id, device_id)
        entry = _entry(session, club, form)
        hubs.save_device(session, club.id, device, entry, portal.clock(), actor_of(request))
        return done(f"/clubs/{organization_slug}/devices/{device_id}", "saved")
    with portal.database.reading() as session:
        return _device(request, session, club_named(session, organization_slug), device_id, form, status=422)


@post("/clubs/{organization_slug:str}/devices/{device_id:int}/pair", opt=CLUB, status_code=200, sync_to_thread=True)
def pair_device(request: Asked, state: State, organization_slug: FromPath[str], device_id: FromPath[int]) -> Template:
    """A code for the hub, shown on this one page alone."""
    portal = portal_of(state)
    now = portal.clock()
    with portal.database.writing() as session:
        club = club_named(session, organization_slug)
        device = hubs.device_in(session, club.id, device_id)
        code = new_pairing_code(session, device, now)
        by = actor_of(request)
        by.did(session, Act.PAIR, "device", device.id, now, organization_id=club.id, name=device.name)
    minutes = int(GOOD_FOR.total_seconds() // 60)
    context: dict[str, Any] = {"device": device, "code": code, "minutes": minutes, "portal_url": portal.settings.url}
    return club_page(request, club, "clubs/pairing.html", "/devices", **context)


@get("/clubs/{organization_slug:str}/devices/{device_id:int}/revoke", opt=CLUB, sync_to_thread=True)
def revoke_page(request: Asked, state: State, organization_slug: FromPath[str], device_id: FromPath[int]) -> Template:
    """Ask whether the device's key shall end."""
    with portal_of(state).database.reading() as session:
        club = club_named(session, organization_slug)
        device = hubs.device_in(session, club.id, device_id)
    words = "Its key ends at once, also for what it is sending now. To use it again, pair it anew."
    context: dict[str, Any] = {"title": f"Revoke {device.name}?", "words": words, "button": "Revoke"}
    return show(request, "confirm.html", "/clubs", fault="", back=f"/clubs/{club.slug}/devices/{device_id}", **context)


@post("/clubs/{organization_slug:str}/devices/{device_id:int}/revoke", opt=CLUB, status_code=200, sync_to_thread=True)
def revoke_device(request: Asked, state: State, organization_slug: FromPath[str], device_id: FromPath[int]) -> Redirect:
    """End the device and its keys."""
    portal = portal_of(state)
    with portal.database.writing() as session:
        device = hubs.device_in(session, club_named(session, organization_slug).id, device_id)
        hubs.end_device(session, device, portal.clock(), actor_of(request))
    return done(f"/clubs/{organization_slug}/devices/{device_id}", "revoked")


def _device(
    request: Asked, session: Session, club: Organization, device_id: int, form: Form, status: int = 200
) -> Template:
    context: dict[str, Any] = {
        "device": hubs.device_in(session, club.id, device_id),
        "team_options": teams.team_choices(session, club.id),
        "venue_options": clubs.venue_choices(session, club.id),
        "form": form,
    }
    return club_page(request, club, "clubs/device.html", "/devices", status=status, **context)


def _entry(session: Session, club: Organization, form: Form) -> DeviceEntry:
    team_id = form.row("team_id", [number for number, _ in teams.team_choices(session, club.id)])
    venue_id = form.row("venue_id", [number for number, _ in clubs.venue_choices(session, club.id)], needed=False)
    entry = DeviceEntry(form.text("name", 100), team_id or 0, venue_id, form.text("wanted_version", 40, needed=False))
    form.check()
    return entry


ROUTES = [devices_page, add_device, device_page, change_device, pair_device, revoke_page, revoke_device]
