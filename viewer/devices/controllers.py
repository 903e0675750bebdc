"""Routes for hubs themselves: pairing, and a sign of life."""

import logging
from typing import Any

from litestar import Request, post
from litestar.datastructures import State
from litestar.exceptions import PermissionDeniedException, TooManyRequestsException
from litestar.params import JSONBody
from litestar.types import ControllerRouterHandler

from viewer.audit.log import note
from viewer.devices.models import Device
from viewer.devices.pairing import count_pairing_try, pair
from viewer.devices.presence import heard
from viewer.errors import Throttled, WrongCode
from viewer.web.access import DEVICE, PUBLIC
from viewer.web.address import client_address
from viewer.web.portal import portal_of
from wire.pairing import PAIRING, SIGN_OF_LIFE, DeviceState, Heartbeat, Paired, PairingRequest

log = logging.getLogger("viewer.devices")
_SMALL = 4096
"""Bytes that a hub's word may have."""


@post(PAIRING, opt=PUBLIC, request_max_body_size=_SMALL, status_code=201, sync_to_thread=True)
def take_pairing(request: Request[Any, Any, Any], state: State, data: JSONBody[PairingRequest]) -> Paired:
    """Give a hub its device key for a pairing code; the key is told this once."""
    portal, address = portal_of(state), client_address(request)
    now = portal.clock()
    try:
        with portal.database.writing() as session:
            count_pairing_try(session, address, now)
        with portal.database.writing() as session:
            device, key = pair(session, data.code, now)
            device.version, device.seen_at = data.version, now
            club, team = device.organization_id, device.team
            note(session, "pair", "device", device.id, now, organization_id=club, address=address, name=device.name)
    except Throttled as fault:
        log.warning("pairing throttled address=%s", address)
        raise TooManyRequestsException(str(fault), headers={"Retry-After": str(fault.wait_s)}) from fault
    except WrongCode as fault:
        log.warning("pairing refused address=%s", address)
        raise PermissionDeniedException(str(fault)) from fault
    log.info("device paired device=%d name=%r address=%s", device.id, device.name, address)
    return Paired(device=device.name, team=team.name, club=team.organization.name, club_id=club, key=key)


@post(SIGN_OF_LIFE, opt=DEVICE, request_max_body_size=_SMALL, status_code=200, sync_to_thread=True)
def take_heartbeat(request: Request[Device, Any, Any], state: State, data: JSONBody[Heartbeat]) -> DeviceState:
    """A hub is there and says which version it runs; it is told which one it should run, empty for any."""
    portal, device = portal_of(state), request.user
    heard(portal.database, device, data.version, portal.clock())
    return DeviceState(device=device.name, team=device.team.name, wanted_version=device.wanted_version)


ROUTES: list[ControllerRouterHandler] = [take_pairing, take_heartbeat]
