import errno
import hashlib
import os
import threading
from pathlib import Path

import av
import numpy as np
import pytest

from edge.capture import CameraSource
from edge.errors import CameraFault
from edge.record import Patience
from edge.record.looking import Looking
from edge.record.shelf import TRACKS, VIDEO
from wire.tracks import decode_tracks


def shown(path) -> list[tuple[float, np.ndarray]]:
    with av.open(str(path)) as container:
        return [(float(p.time), p.to_ndarray(format="yuv420p")) for p in container.decode(video=0)]


def test_a_whole_session_becomes_segments_that_show_every_frame(rig, video, make_eyes, zero_ns, picture):
    rig.record(CameraSource("file", video).open(zero_ns), make_eyes(), zero_ns)
    rig.wait()
    offers = rig.offers()
    assert [offer.frames for offer in offers] == [50, 50, 25]
    assert [offer.last for offer in offers] == [False, False, True]
    assert rig.closed == 3
    number = 0
    for offer in offers:
        at_zero = shown(rig.shelf.path(offer.key, VIDEO))
        assert [round(at * 90_000) for at, _ in at_zero] == [3600 * k for k in range(offer.frames)]
        for _, planes in at_zero:
            assert np.abs(planes.astype(int) - picture(number)).mean() < 2
            assert np.abs(planes.astype(int) - picture(number + 1)).mean() > 3
            number += 1
    assert number == 125


def test_what_the_ledger_promises_lies_on_the_disk(rig, video, make_eyes, zero_ns):
    rig.record(CameraSource("file", video).open(zero_ns), make_eyes(), zero_ns)
    rig.wait()
    for offer in rig.offers():
        for suffix, size, sha256 in (
            (VIDEO, offer.video_bytes, offer.video_sha256),
            (TRACKS, offer.tracks_bytes, offer.tracks_sha256),
        ):
            raw = rig.shelf.path(offer.key, suffix).read_bytes()
            assert len(raw) == size
            assert hashlib.sha256(raw).hexdigest() == sha256
        assert (offer.start_ns - zero_ns, offer.end_ns - zero_ns) == (
            offer.key.sequence * 2_000_000_000,
            offer.key.sequence * 2_000_000_000 + offer.frames * 40_000_000,
        )
        assert (offer.clock_offset_ns, offer.clock_uncertainty_ns) == (200_000, 1_000_000)
    assert [row.finished for row in rig.ledger.sessions()] == [True]


def test_a_segment_is_durable_by_order_its_video_before_the_eyes_are_asked_and_its_row_last(
    rig, list_camera, frames, make_eyes, zero_ns, monkeypatch
):
    steps = []
    fsync, replace, sight_of, close_segment = os.fsync, os.replace, Looking.sight_of, rig.ledger.close_segment

    def note(step, path):
        if path.is_relative_to(rig.shelf.root):
            steps.append(f"{step} {path.relative_to(rig.shelf.root)}")

    def syncing(fd):
        fsync(fd)
        note("fsync", Path(os.readlink(f"/proc/self/fd/{fd}")))

    def renaming(source, target):
        replace(source, target)
        note("rename to", Path(target))

    def asking(*arguments):
        steps.append("eyes")
        return sight_of(*arguments)

    def entering(offer):
        steps.append("row")
        close_segment(offer)

    monkeypatch.setattr(os, "fsync", syncing)
    monkeypatch.setattr(os, "replace", renaming)
    monkeypatch.setattr(Looking, "sight_of", asking)
    monkeypatch.setattr(rig.ledger, "close_segment", entering)
    rig.record(list_camera(frames(0, 40, 80)), make_eyes(), zero_ns)
    rig.wait()
    assert steps == [
        "fsync open/s1/left/00000000.mp4",
        "fsync .",
        "fsync segments",
        "fsync segments/s1",
        "rename to segments/s1/left/00000000.mp4",
        "fsync segments/s1/left",
        "eyes",
        "fsync open/s1/left/00000000.tracks",
        "rename to segments/s1/left/00000000.tracks",
        "fsync segments/s1/left",
        "row",
    ]


def test_tracks_hold_exact_times_and_what_the_eyes_saw(rig, video, make_eyes, zero_ns):
    eyes = make_eyes()
    rig.record(CameraSource("file", video).open(zero_ns), eyes, zero_ns)
    rig.wait()
    assert eyes.segments == {0: 50, 1: 50, 2: 25}
    tracks = [decode_tracks(rig.shelf.path(offer.key, TRACKS).read_bytes()) for offer in rig.offers()]
    times = np.concatenate([part.frame_times_ns for part in tracks])
    assert (times - zero_ns).tolist() == [n * 40_000_000 for n in range(125)]
    for part in tracks:
        assert part.detector == "one-ball"
        assert (part.width_px, part.height_px) == (320, 180)
        assert part.frame.tolist() == list(range(len(part.frame_times_ns)))
        assert part.box[0].tolist() == [10, 20, 14, 24]


def test_video_starts_with_a_key_frame_and_is_tagged(rig, video, make_eyes, zero_ns):
    rig.record(CameraSource("file", video).open(zero_ns), make_eyes(), zero_ns)
    rig.wait()
    for offer in rig.offers():
        with av.open(str(rig.shelf.path(offer.key, VIDEO))) as container:
            stream = container.streams.video[0]
            packets = [packet for packet in container.demux(stream) if packet.size]
            assert [packet.is_keyframe for packet in packets] == [True] + [False] * (offer.frames - 1)
            assert all(packet.pts == packet.dts for packet in packets)
            coder = stream.codec_context
            assert (coder.name, coder.color_range, coder.colorspace) == ("h264", 1, 1)


def test_segments_are_cut_by_time_and_a_pause_leaves_their_numbers_out(list_camera, rig, frames, make_eyes, zero_ns):
    shots = frames(-30, 10, 1999, 2000, 7999, 8000)
    rig.record(list_camera(shots), make_eyes(), zero_ns)
    rig.wait()
    assert [(offer.key.sequence, offer.frames) for offer in rig.offers()] == [(0, 3), (1, 1), (3, 1), (4, 1)]
    first = rig.offers()[0]
    assert first.start_ns == zero_ns - 30_000_000
    assert [round(at * 1000) for at, _ in shown(rig.shelf.path(first.key, VIDEO))] == [0, 40, 2029]


def test_stopping_keeps_what_was_taken(list_camera, rig, frames, make_eyes, zero_ns, until):
    hold = threading.Event()
    camera = list_camera([*frames(*range(0, 400, 40)), hold])
    recording = rig.record(camera, make_eyes(), zero_ns)
    until(lambda: recording.frames == 10)
    recording.stop()
    rig.wait()
    assert [(offer.frames, offer.last) for offer in rig.offers()] == [(10, True)]
    hold.set()
    assert camera.left.wait(5)


def test_a_camera_that_fails_leaves_its_frames_and_a_sentence(list_camera, rig, frames, make_eyes, zero_ns):
    shots = [*frames(0, 40, 80), CameraFault("the cable came off")]
    recording = rig.record(list_camera(shots), make_eyes(), zero_ns)
    rig.wait()
    assert recording.fault == "the cable came off"
    assert not recording.broken
    assert [(offer.frames, offer.last) for offer in rig.offers()] == [(3, True)]


def test_time_that_runs_backwards_is_a_camera_fault(list_camera, rig, frames, make_eyes, zero_ns):
    recording = rig.record(list_camera(frames(0, 40, 40)), make_eyes(), zero_ns)
    rig.wait()
    assert "frame 2 is not later" in recording.fault
    assert rig.offers()[0].frames == 2


def test_eyes_that_fail_do_not_stop_the_recording(rig, video, make_eyes, zero_ns, log_text):
    recording = rig.record(CameraSource("file", video).open(zero_ns), make_eyes(fails_at=60), zero_ns)
    rig.wait()
    assert [offer.frames for offer in rig.offers()] == [50, 50, 25]
    seen = [len(decode_tracks(rig.shelf.path(o.key, TRACKS).read_bytes()).frame) for o in rig.offers()]
    assert seen == [50, 0, 0]
    assert "a speck of dust" in recording.fault
    assert not recording.broken
    assert "event=eyes-fault session=s1" in log_text.getvalue()


def test_eyes_that_see_the_impossible_are_not_believed(list_camera, rig, frames, make_eyes, zero_ns):
    eyes = make_eyes()
    honest = eyes.close_segment
    eyes.close_segment = lambda sequence: type(s := honest(sequence))(
        s.tracklets, s.frame + 9, s.tracklet, s.box, s.score
    )
    recording = rig.record(list_camera(frames(0, 40)), eyes, zero_ns)
    rig.wait()
    assert "cannot be" in recording.fault
    assert len(decode_tracks(rig.shelf.path(rig.offers()[0].key, TRACKS).read_bytes()).frame) == 0


def test_eyes_that_hang_do_not_hold_up_a_stop_for_long(list_camera, rig, frames, make_eyes, zero_ns, until):
    eyes = make_eyes(blocks_at=2)
    recording = rig.record(list_camera(frames(0, 40, 80)), eyes, zero_ns)
    until(lambda: recording.frames == 3)
    recording.stop()
    rig.wait()
    eyes.released.set()
    assert recording.fault == "the eyes did not answer in time"
    assert [(offer.frames, offer.last) for offer in rig.offers()] == [(3, True)]


@pytest.mark.parametrize("hangs_in", ["look", "close_segment"])
def test_eyes_that_hang_are_given_up_and_the_recording_goes_on(
    rig, video, make_eyes, zero_ns, log_text, monkeypatch, hangs_in
):
    eyes = make_eyes()
    honest = getattr(eyes, hangs_in)

    def hang(at):
        if at == 1 or getattr(at, "index", 0) == 60:
            eyes.released.wait(30)
        return honest(at)

    monkeypatch.setattr(eyes, hangs_in, hang)
    recording = rig.record(CameraSource("file", video).open(zero_ns), eyes, zero_ns, patience=Patience(eyes_s=0.4))
    rig.wait()
    assert not eyes.released.is_set()
    eyes.released.set()
    assert [offer.frames for offer in rig.offers()] == [50, 50, 25]
    seen = [len(decode_tracks(rig.shelf.path(o.key, TRACKS).read_bytes()).frame) for o in rig.offers()]
    assert seen == [50, 0, 0]
    assert recording.fault == "the eyes hang: no answer for 0.4 s, the recording goes on without them"
    assert not recording.broken
    assert rig.ledger.sessions()[0].finished
    assert log_text.getvalue().count("event=eyes-fault") == 1


def test_eyes_that_wait_for_a_camera_do_not_hang(list_camera, rig, frames, make_eyes, zero_ns, until):
    pause = threading.Event()
    shots = frames(0, 40, 80)
    recording = rig.record(
        list_camera([*shots[:2], pause, shots[2]]), make_eyes(), zero_ns, patience=Patience(eyes_s=0.05)
    )
    assert not rig.done(0.5)
    pause.set()
    rig.wait()
    assert recording.fault is None
    assert len(decode_tracks(rig.shelf.path(rig.offers()[0].key, TRACKS).read_bytes()).frame) == 3


def test_slow_eyes_hold_the_camera_back_and_lose_nothing(rig, video, make_eyes, zero_ns, until):
    eyes = make_eyes(blocks_at=5)
    recording = rig.record(CameraSource("file", video).open(zero_ns), eyes, zero_ns)
    until(lambda: eyes.looked == 5 and recording.frames >= 8)
    assert recording.frames <= 10
    eyes.released.set()
    rig.wait()
    assert eyes.looked == recording.frames == 125


def test_a_disk_that_refuses_breaks_the_recording(rig, video, make_eyes, zero_ns):
    (rig.shelf.root / "open").write_text("a file where a folder belongs")
    recording = rig.record(CameraSource("file", video).open(zero_ns), make_eyes(), zero_ns)
    rig.wait()
    assert recording.broken
    assert "cannot write" in recording.fault
    assert not rig.ledger.sessions()[0].finished


def test_cost_is_booked_by_stage(rig, video, make_eyes, zero_ns):
    rig.record(CameraSource("file", video).open(zero_ns), make_eyes(), zero_ns)
    rig.wait()
    report = rig.cost.report("left")
    assert (report.frames, report.segments, report.detections) == (125, 3, 125)
    assert report.video_bytes == sum(offer.video_bytes for offer in rig.offers())
    assert report.tracks_bytes == sum(offer.tracks_bytes for offer in rig.offers())
    assert {"capture", "encode", "write", "place", "look", "close"} == set(report.cpu_s)
    assert all(cpu > 0 for cpu in report.cpu_s.values())
    assert report.peak_memory_bytes > 10 << 20


class WedgedLog:
    """A log that fails at every line."""

    def event(self, *_, **__) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("fails", ["nothing", "disk", "eyes", "camera"])
def test_a_log_that_fails_does_not_keep_a_recording_from_its_end(
    list_camera, make_rig, tmp_path, frames, make_eyes, zero_ns, fails
):
    before = set(threading.enumerate())
    rig = make_rig(tmp_path, WedgedLog())
    hold = threading.Event()
    after = {"disk": hold, "camera": CameraFault("the cable came off")}.get(fails)
    if fails == "disk":
        (rig.shelf.root / "open").write_text("a file where a folder belongs")
    shots = [*frames(*range(0, 400, 40)), *([after] if after else [])]
    recording = rig.record(list_camera(shots), make_eyes(fails_at=2 if fails == "eyes" else None), zero_ns)
    rig.wait()
    assert recording.stopping.is_set()
    assert recording.broken
    hold.set()
    # Their last words belong to this test and not to the next one.
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    rig.ledger.close()
