"""Routes for devices: tus 1.0 at `/api/v1/uploads`, and what has become of a package."""

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

from litestar import HttpMethod, MediaType, Request, Response, get, route
from litestar.datastructures import State
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.types import ControllerRouterHandler
from sqlalchemy import select

from viewer.devices.models import Device
from viewer.games.intake import KIND, package_path, queue_intake
from viewer.jobs.models import Job
from viewer.web.access import DEVICE
from viewer.web.portal import Portal, portal_of
from wire.durable import publish
from wire.errors import BadId
from wire.ids import session_id
from wire.tus.errors import UploadRefused
from wire.tus.protocol import TusProtocol, TusRequest
from wire.tus.store import Upload, UploadStore

MOST_BYTES = 64 << 30
PATH = "/api/v1/uploads"
log = logging.getLogger("viewer.uploads")


def receiver(portal: Portal) -> TusProtocol:
    """The tus protocol over the portal's upload folder; a whole package becomes a job for the worker."""
    store = UploadStore(portal.settings.uploads, time.time_ns, secrets.token_bytes)

    def queue(upload: Upload) -> None:
        record = upload.record
        publish(upload.path, package_path(portal.settings, record.id))
        with portal.database.writing() as session:
            queue_intake(session, record.id, record.metadata["session"], int(record.who), portal.clock())
        portal.wake()
        log.info("package received session=%s upload=%s bytes=%d", record.metadata["session"], record.id, record.length)

    async def on_complete(upload: Upload) -> None:
        await asyncio.to_thread(queue, upload)

    return TusProtocol(store, PATH, on_create=_check, on_complete=on_complete, max_bytes=MOST_BYTES)


def _check(metadata: Mapping[str, str], _length: int | None, _who: str) -> None:
    if metadata.get("kind") != "match-package":
        raise UploadRefused(400, "only kind=match-package is taken here")
    try:
        session_id(metadata.get("session", ""))
    except BadId as fault:
        raise UploadRefused(400, str(fault)) from fault


_METHODS = [HttpMethod.POST, HttpMethod.HEAD, HttpMethod.PATCH, HttpMethod.DELETE, HttpMethod.OPTIONS]


@route(PATH, http_method=_METHODS, opt=DEVICE, request_max_body_size=None, status_code=200)
async def take_uploads(request: Request[Device, Any, Any], state: State) -> Response[bytes]:
    """Making a resumable upload; every request carries the device key."""
    return await _answered(request, state, "")


@route(f"{PATH}/{{upload:str}}", http_method=_METHODS, opt=DEVICE, request_max_body_size=None, status_code=200)
async def take_upload(request: Request[Device, Any, Any], state: State, upload: FromPath[str]) -> Response[bytes]:
    """Going on with a resumable upload."""
    return await _answered(request, state, upload)


async def _answered(request: Request[Device, Any, Any], state: State, upload: str) -> Response[bytes]:
    receiving: TusProtocol = state.receiver
    answer = await receiving.handle(
        TusRequest(request.method, upload, dict(request.headers), _body(request), str(request.user.id))
    )
    media_type = answer.headers.pop("Content-Type", MediaType.TEXT)
    return Response(answer.body, status_code=answer.status, headers=answer.headers, media_type=media_type)


@get("/api/v1/packages/{package_session:str}", opt=DEVICE, sync_to_thread=True)
def package_state(request: Request[Device, Any, Any], state: State, package_session: FromPath[str]) -> dict[str, Any]:
    """What has become of this device's newest package of a session: waiting, leased, done or failed, and why."""
    portal = portal_of(state)
    with portal.database.reading() as session:
        jobs = session.scalars(
            select(Job).where(Job.kind == KIND, Job.subject == package_session).order_by(Job.id.desc())
        ).all()
    own = [job for job in jobs if job.payload["device"] == request.user.id]
    if not own:
        raise NotFoundException("This device has not brought a package of this session.")
    url = f"{portal.settings.url}/matches/{package_session}"
    return {"session": package_session, "state": own[0].state, "fault": own[0].fault, "url": url}


async def _body(request: Request[Any, Any, Any]) -> AsyncIterator[bytes]:
    async for chunk in request.stream():
        yield chunk


ROUTES: list[ControllerRouterHandler] = [take_uploads, take_upload, package_state]
