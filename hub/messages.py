"""What the hub's own API speaks, besides what crosses machines."""

from enum import StrEnum
from typing import Annotated

import msgspec

from wire.clicks import Click
from wire.ids import NodeId, SessionId
from wire.match import MatchSheet
from wire.message import Message
from wire.session import PlannedMinutes


class Stage(StrEnum):
    """How far a session has come."""

    RECORDING = "recording"
    CALIBRATING = "calibrating"
    STITCHING = "stitching"
    FUSING = "fusing"
    BLURRING = "blurring"
    CUTTING = "cutting clips"
    PACKING = "packing"
    PUSHING = "pushing"
    DONE = "done"
    FAILED = "failed"


class SessionRequest(Message, frozen=True, kw_only=True):
    """Asks the hub to record a match with its nodes.

    `clicks` are points that a person clicked in the cameras' pictures; `lens_degrees` is the lens's horizontal field of
    view as its maker states it, None when unknown. `planned_minutes` and `override` are for the nodes' gates, as in
    `StartRecording`.
    """

    KIND = "session-request"
    VERSION = 1

    sheet: MatchSheet
    clicks: tuple[Click, ...] = ()
    lens_degrees: float | None = None
    planned_minutes: PlannedMinutes | None = None
    override: tuple[str, ...] = ()


class CalibrationRequest(Message, frozen=True, kw_only=True):
    """Asks for another calibration of a recorded session, from what its cameras show `at_s` seconds after its start,
    with these clicks in those pictures; `lens_degrees` is None where the session's own stands."""

    KIND = "calibration-request"
    VERSION = 1

    clicks: tuple[Click, ...] = ()
    lens_degrees: Annotated[float, msgspec.Meta(ge=20, le=140)] | None = None
    at_s: Annotated[float, msgspec.Meta(ge=0, le=86_400)] = 0.0


class SessionPlan(Message, frozen=True, kw_only=True):
    """A session as the hub remembers it: what was asked, when it began (rig time), its nodes from the left, and the
    calibration that was asked for later."""

    KIND = "session-plan"
    VERSION = 1

    session: SessionId
    start_ns: int
    nodes: tuple[NodeId, ...]
    request: SessionRequest
    calibration: CalibrationRequest | None = None


class StageCost(Message, frozen=True, kw_only=True):
    """What one stage of a session cost so far. Of a stage that hands its items on over a belt, `fill` is which share of
    that belt was full, on average, when the next one took from it: near 1 it waits for those behind, near 0 they wait
    for it."""

    KIND = "stage-cost"
    VERSION = 1

    wall_s: float
    cpu_s: float
    items: int
    fill: float | None = None


class SessionProgress(Message, frozen=True, kw_only=True):
    """How far a session has come: windows of the panorama made, of how many known, the cost of each stage, and what was
    odd about the cameras (a lost one, another frame rate), in words."""

    KIND = "session-progress"
    VERSION = 1

    session: SessionId
    stage: Stage
    windows_done: int = 0
    windows_known: int = 0
    note: str = ""
    costs: dict[str, StageCost] = msgspec.field(default_factory=dict)
    warnings: tuple[str, ...] = ()


class BlurredTracks(Message, frozen=True, kw_only=True):
    """Tracks of a session that are to be blurred, or that are, in everything made of it."""

    KIND = "blurred-tracks"
    VERSION = 1

    tracks: tuple[int, ...] = ()
