"""Where a camera's frames come from: its segments as they arrive, or one video file."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from itertools import chain, count
from pathlib import Path

import av

from hub.errors import HubError
from hub.panorama.video import (
    Shot,
    UnsuitableVideo,
    VideoFacts,
    check_upright,
    in_seconds,
    open_video,
    seek_to,
    shot_of,
    whole_frames,
)
from wire.errors import WireError
from wire.rigtime import SECOND
from wire.tracks import decode_tracks


class UnreadableSegment(HubError):
    """A segment that arrived whole but cannot be decoded."""


@dataclass(frozen=True)
class StoredSegment:
    """The two files of a confirmed segment."""

    sequence: int
    video: Path
    tracks: Path


def segment_frames(
    segment: StoredSegment, on_gap: Callable[[HubError], None], hardware: str | None = None
) -> Iterator[Shot]:
    """The frames of a segment with their capture times on the node's clock.

    Raises `UnreadableSegment`; a damaged place in it is told to `on_gap`, and what is whole comes all the same.
    """
    node = segment.tracks.parent.name
    try:
        times = decode_tracks(segment.tracks.read_bytes()).frame_times_ns
    except (WireError, OSError) as fault:
        raise UnreadableSegment(f"{segment.tracks.name} of {node} cannot be read") from fault
    if not len(times):
        return

    def damaged() -> None:
        on_gap(UnreadableSegment(f"{segment.video.name} of {node} is damaged in one place"))

    try:
        with open_video(segment.video, hardware) as container:
            stream = container.streams.video[0]
            # A frame that is lost must not shift the times of those behind it: they go by their place in the file.
            stamps = sorted(packet.pts for packet in container.demux(stream) if packet.pts is not None)
            place = {in_seconds(stamp, stream.time_base): index for index, stamp in enumerate(stamps)}
            container.seek(stamps[0] if stamps else 0, stream=stream)
            for stamp, frame in whole_frames(container, damaged):
                index = place.get(stamp, len(times))
                if index < len(times):
                    check_upright(segment.video, frame)
                    yield shot_of(frame, int(times[index]))
    except (av.FFmpegError, IndexError, OSError) as fault:
        raise UnreadableSegment(f"{segment.video.name} of {node} cannot be decoded") from fault


def stored_frames(
    first_sequence: int,
    segment: Callable[[int], StoredSegment | None],
    wait_settled: Callable[[int], bool],
    size: tuple[int, int],
    on_gap: Callable[[HubError], None],
    hardware: str | None = None,
) -> Iterator[Shot]:
    """All frames of a node from a segment on, as its segments arrive.

    `segment(sequence)` gives a stored segment or None, `wait_settled(sequence)` returns once it is held or will never
    come, False when it lies behind the node's last. A segment that cannot be decoded, or whose pictures are not of
    `size`, is a gap, reported by `on_gap`, never the end.
    """
    for sequence in count(first_sequence):
        if not wait_settled(sequence):
            return
        stored = segment(sequence)
        if stored is None:
            continue
        try:
            for shot in segment_frames(stored, on_gap, hardware):
                found = (shot.picture.width_px, shot.picture.height_px)
                if found != size:
                    raise UnreadableSegment(
                        f"{stored.video.name} of {stored.video.parent.name} has pictures of {found[0]}x{found[1]}, but "
                        f"the camera was calibrated at {size[0]}x{size[1]}"
                    )
                yield shot
        except (UnreadableSegment, UnsuitableVideo) as fault:
            on_gap(fault)


def file_frames(
    facts: VideoFacts, from_ns: int, on_gap: Callable[[HubError], None], hardware: str | None = None
) -> Iterator[Shot]:
    """The frames of a video file, their times counted from its first frame; from some frame on that is not later than
    `from_ns`. Raises `UnsuitableVideo` where the picture changes its size, or the file cannot be read on."""
    path = facts.path

    def damaged() -> None:
        on_gap(UnsuitableVideo(f"{path} is damaged in one place"))

    def read(from_s: Fraction | None) -> Generator[Shot]:
        with open_video(path, hardware) as container:
            if from_s is not None:
                seek_to(container, from_s)
            for stamp, frame in whole_frames(container, damaged):
                if (frame.width, frame.height) != (facts.width_px, facts.height_px):
                    raise UnsuitableVideo(
                        f"{path} changes its picture from {facts.width_px}x{facts.height_px} to "
                        f"{frame.width}x{frame.height}: give one recording per camera"
                    )
                check_upright(path, frame)
                yield shot_of(frame, int((stamp - facts.first_s) * SECOND))

    try:
        if from_ns > 0:
            with closing(read(facts.first_s + Fraction(from_ns, SECOND))) as sought:
                first = next(sought, None)
                # Not every container knows where its key frames are.
                if first is not None and first.time_ns <= from_ns:
                    yield from chain([first], sought)
                    return
        yield from read(None)
    except (av.FFmpegError, OSError) as fault:
        raise UnsuitableVideo(f"{path} cannot be read any further") from fault
