"""The stage that joins durable video with its sight, and enters both into the ledger."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Protocol

import numpy as np

from edge.capture import Camera
from edge.cost import Cost
from edge.errors import DiskFull
from edge.ledger import Ledger
from edge.record.feed import Feed
from edge.record.looking import Looking
from edge.record.pulse import Pulse
from edge.record.room import with_room
from edge.record.shelf import Placed, Shelf
from edge.record.stamping import FrameClock
from edge.record.writing import Written
from firmware.log import Log
from wire.ids import NodeId, SessionId
from wire.rigtime import nanoseconds
from wire.session import SegmentKey, SegmentOffer
from wire.tracks import SegmentTracks


class Ending(Protocol):
    """What the last segment has to know of the session."""

    @property
    def stopping(self) -> threading.Event:
        """Set once no more frames are taken."""

    @property
    def ends_well(self) -> bool:
        """Whether the session ends with the frames taken so far, rather than being gone on with."""


class Closing:
    """Takes placed segments, joins each with its sight, makes that durable too, and then the ledger's row."""

    def __init__(
        self,
        *,
        session: SessionId,
        node: NodeId,
        camera: Camera,
        looking: Looking,
        shelf: Shelf,
        ledger: Ledger,
        frame_clock: FrameClock,
        log: Log,
        make_room: Callable[[], bool],
        full: Callable[[DiskFull], None],
        closed: Callable[[SegmentOffer], None],
    ) -> None:
        self.pulse = Pulse()
        self._session = session
        self._node = node
        self._camera = camera
        self._looking = looking
        self._shelf = shelf
        self._ledger = ledger
        self._frame_clock = frame_clock
        self._log = log
        self._make_room = make_room
        self._full = full
        self._closed = closed

    def run(self, placed: Feed[tuple[Written, Placed]], ending: Ending, cost: Cost) -> None:
        """Close segments until `placed` ends; what finds no room on a full disk is told as `full`, and left open for
        `salvage` to close once there is room."""
        meter = cost.meter("close")
        try:
            for written, video in placed:
                meter.begin()
                try:
                    self._close(written, video, ending, cost)
                except DiskFull as fault:
                    self._full(fault)
                finally:
                    meter.read()
        finally:
            placed.close()

    def _close(self, written: Written, video: Placed, ending: Ending, cost: Cost) -> None:
        sight = self._looking.sight_of(written.sequence, written.times_ns, ending.stopping)
        tracks = SegmentTracks(
            session=self._session,
            node=self._node,
            sequence=written.sequence,
            width_px=self._camera.width,
            height_px=self._camera.height,
            detector=self._looking.name,
            tracklets=sight.tracklets,
            frame_times_ns=np.asarray(written.times_ns, np.int64),
            frame=sight.frame,
            tracklet=sight.tracklet,
            box=sight.box,
            score=sight.score,
        )
        stamping = self._frame_clock.read()
        with self.pulse.working():
            close = partial(
                self._shelf.close,
                self._ledger,
                SegmentKey(self._session, self._node, written.sequence),
                video,
                tracks,
                frame_ns=nanoseconds(1 / self._camera.frames_per_second),
                uncertainty_ns=stamping.uncertainty_ns,
                offset_ns=stamping.offset_ns,
                last=written.last and ending.ends_well,
            )
            offer = with_room(close, self._make_room)
        cost.count(
            segments=1,
            detections=len(sight.frame),
            passes=sight.passes,
            video_bytes=offer.video_bytes,
            tracks_bytes=offer.tracks_bytes,
        )
        self._log.event(
            "segment-closed",
            session=self._session,
            segment=written.sequence,
            frames=offer.frames,
            detections=len(sight.frame),
            video_bytes=offer.video_bytes,
            tracks_bytes=offer.tracks_bytes,
            last=offer.last,
        )
        self._closed(offer)
