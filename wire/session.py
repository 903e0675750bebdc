"""Sessions and segments as they are handed from node to hub."""

from enum import StrEnum
from typing import Annotated

import msgspec

from wire.errors import BadId
from wire.ids import NodeId, SessionId, node_id, session_id
from wire.message import Message

PlannedMinutes = Annotated[float, msgspec.Meta(gt=0, le=24 * 60)]
"""How long a recording shall last: at most a day."""


class Sync(StrEnum):
    """A camera's part in the synchronisation of a rig: the server tells when it exposes, the clients follow. Start the
    clients first."""

    OFF = "off"
    SERVER = "server"
    CLIENT = "client"


class SegmentState(StrEnum):
    """Where a segment is on its way; a ledger row moves on only after the bytes are durable."""

    OPEN = "open"
    CLOSED = "closed"
    SENT = "sent"
    CONFIRMED = "confirmed"
    DELETED = "deleted"


class SegmentKey(msgspec.Struct, frozen=True, order=True):
    """What names a segment everywhere: session, node, sequence number from 0."""

    session: SessionId
    node: NodeId
    sequence: int

    def __post_init__(self) -> None:
        session_id(self.session)
        node_id(self.node)
        if not 0 <= self.sequence <= 99_999_999:
            raise BadId(f"{self.sequence} is not a segment's sequence number")

    def path(self, suffix: str) -> str:
        """`session/node/00000012.mp4` for the suffix `.mp4`: the segment's place below any store's root."""
        return f"{self.session}/{self.node}/{self.sequence:08d}{suffix}"


class StartRecording(Message, frozen=True, kw_only=True):
    """Asks a node to record; `session` is given by whoever starts the rig, so that its nodes share it.

    `start_ns` is the rig time that counts as the session's zero: the match clock of every `time_s` begins there.
    `planned_minutes` is how long it shall last, as far as anybody knows; `override` names the gates whose failure is
    accepted. A node from before the gates passes over both, and records as it always did.
    """

    KIND = "start-recording"
    VERSION = 1

    session: SessionId
    start_ns: int
    planned_minutes: PlannedMinutes | None = None
    override: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        session_id(self.session)


class SegmentOffer(Message, frozen=True, kw_only=True):
    """What a node promises of one closed segment: sizes and SHA-256 of both files, and the time it spans (node clock).

    `clock_uncertainty_ns` bounds what is known to be left of the offset of its times from the hub's; `clock_offset_ns`
    is what is to be added to them by the word of whom the node's clock follows, None when unknown and from a node that
    does not tell yet. A clock that was set during a recording is in both, since the frames keep the time from before.
    `last` marks the session's final segment.
    """

    KIND = "segment-offer"
    VERSION = 1

    key: SegmentKey
    start_ns: int
    end_ns: int
    frames: int
    video_bytes: int
    video_sha256: str
    tracks_bytes: int
    tracks_sha256: str
    clock_uncertainty_ns: int
    clock_offset_ns: int | None = None
    last: bool


class SegmentReceipt(Message, frozen=True, kw_only=True):
    """The hub's word on an offered segment: which files it still wants, and whether it holds both, verified.

    Only `confirmed` allows the node to delete its copy. `tracks_version` is the newest version of `.tracks` that this
    hub reads; one from before there were two does not tell it.
    """

    KIND = "segment-receipt"
    VERSION = 1

    key: SegmentKey
    video_wanted: bool
    tracks_wanted: bool
    tracks_version: int = 1

    @property
    def confirmed(self) -> bool:
        """Whether the hub holds both files with the promised hashes."""
        return not (self.video_wanted or self.tracks_wanted)


class NodeStatus(Message, frozen=True, kw_only=True):
    """What a node says of itself: its camera, what it records, and what still waits to be handed over.

    Of the running recording, `frames_dropped` are known to be lost, and `frames_unseen` are recorded but not looked at,
    because the detector was too slow. `fault` is what went wrong last, unless an alarm tells it. `alarms` are sentences
    of what needs somebody at the node though it records on: its camera was knocked, its clock was set, its disk is too
    slow, frames are being lost, it has no sound where it should. A node from before `frames_unseen`, `sync` or `alarms`
    tells none.
    """

    KIND = "node-status"
    VERSION = 1

    node: NodeId
    software: str
    width_px: int
    height_px: int
    frames_per_second: float
    recording: SessionId | None
    frames: int
    frames_dropped: int
    frames_unseen: int = 0
    segments_waiting: int
    detector: str
    sync: Sync = Sync.OFF
    fault: str | None = None
    alarms: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        node_id(self.node)
        if self.recording is not None:
            session_id(self.recording)
