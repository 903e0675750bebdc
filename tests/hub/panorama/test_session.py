import errno
import shutil
import threading
from fractions import Fraction

import av
import numpy as np
import pytest

from hub.errors import HubError, Interrupted
from hub.panorama.conveyor import CostBook
from hub.panorama.footage import StoredSegment
from hub.panorama.session import SessionPanorama, calm
from hub.panorama.timeline import Arrivals
from hub.panorama.windows import Cadence
from hub.panorama.writer import MASTER, STARTS, PanoramaFolder, window_name
from hub.sessions import SessionFolder
from hub.stitch import plan_panorama
from wire.ids import node_id, session_id
from wire.rigtime import SECOND
from wire.tracks import SegmentTracks, encode_tracks

from .conftest import write_video

SESSION, START = session_id("s"), 1_000 * SECOND
SIZE = (480, 270)


class FakeShelf:
    """Segments of two nodes in a folder, each there once it has been handed over."""

    def __init__(self, root):
        self.root = root
        self.there = {}
        self.lasts = {}
        self.rate = 25

    def hand_over(self, node, sequence, frames=50, size=SIZE, glow=0):
        folder = self.root / node
        folder.mkdir(parents=True, exist_ok=True)
        stored = StoredSegment(sequence, folder / f"{sequence:08d}.mp4", folder / f"{sequence:08d}.tracks")
        first = 2 * self.rate * sequence
        write_video(stored.video, range(first, first + frames), Fraction(self.rate), size=size, glow=glow)
        step = SECOND // self.rate
        times = START - (node == "right") * 120_000_000 + np.arange(first, first + frames, dtype=np.int64) * step
        none = np.zeros(0, np.int64)
        tracks = SegmentTracks(
            SESSION, node_id(node), sequence, *size, "motion", (), times, none, none, np.zeros((0, 4)), none * 0.0
        )
        stored.tracks.write_bytes(encode_tracks(tracks))
        self.there[node, sequence] = (stored, int(times[-1]) + step)

    def held(self, _session, node):
        return frozenset(sequence for name, sequence in self.there if name == node)

    def stored(self, _session, node, sequence):
        found = self.there.get((node, sequence))
        return found[0] if found else None

    def settled(self, _session, node, sequence):
        last = self.lasts.get(node)
        return (node, sequence) in self.there or (last is not None and sequence > last) or self.passed(node, sequence)

    def passed(self, node, sequence):
        return any(name == node and later > sequence for name, later in self.there)

    def last(self, _session, node):
        return self.lasts.get(node)

    def end_ns(self, _session, node):
        return max((end for (name, _), (_, end) in self.there.items() if name == node), default=0)


@pytest.fixture
def shelf(tmp_path):
    return FakeShelf(tmp_path / "segments")


@pytest.fixture
def panorama(shelf, small_rig, tmp_path):
    """Makes the session's panorama in a folder of that name; what is told and how far it came are in its lists."""

    class Made:
        def __init__(self):
            self.chosen, self.told, self.gaps, self.steps, self.arrivals = [], [], [], [], Arrivals()
            self.costs = CostBook()

        def make(self, name="session", done=lambda windows, known: None):
            root = tmp_path / name
            root.mkdir(exist_ok=True)

            def step(windows, known):
                self.steps.append((windows, known))
                done(windows, known)

            self.folder = SessionFolder(root)
            SessionPanorama(
                shelf,
                self.arrivals,
                SESSION,
                START,
                plan_panorama(small_rig, 640),
                self.folder,
                self.costs,
                self.gaps.append,
                self.chosen.append,
                self.told.append,
                step,
                lambda *_: None,
            ).make()
            return self.folder

    return Made()


def whole(shelf, segments=3, last_frames=20):
    for node in ("left", "right"):
        for sequence in range(segments):
            shelf.hand_over(node, sequence, last_frames if sequence == segments - 1 else 50)
        shelf.lasts[node] = segments - 1


def files(folder):
    return {path.name: path.read_bytes() for path in sorted(folder.panorama.glob("*.m4s"))}


def test_each_moment_shows_what_both_cameras_captured_then(shelf, panorama, read_frames):
    whole(shelf)
    folder = panorama.make()
    left, right = read_frames(folder.archive, 0.2), read_frames(folder.archive, 0.8)
    assert left == [index % 70 for index in range(120)]
    # The rig knows that the right node's clock is three frames behind.
    assert right == left
    assert panorama.steps[-1] == (3, 3)
    assert [words.split()[0] for words in panorama.chosen] == ["encoding", "decoding", "stitching"]
    assert not panorama.told
    assert (folder.panorama / MASTER).exists()
    assert not panorama.gaps


def test_what_each_stage_cost_and_how_full_the_belts_were_is_booked(shelf, panorama):
    whole(shelf)
    panorama.make()
    costs = panorama.costs.snapshot()
    assert {name: cost.items for name, cost in costs.items()} == {
        "kernel": 1,
        "decode": 240,
        "stitch": 120,
        "preview": 123,
        "encode": 120,
        "write": 3,
        "archive": 1,
    }
    for stage in ("decode", "stitch", "preview"):
        assert 0 <= costs[stage].fill <= 1
        assert costs[stage].cpu_s > 0


def test_windows_are_made_as_segments_arrive_and_wait_for_those_that_have_not(shelf, panorama):
    for node in ("left", "right"):
        shelf.hand_over(node, 0)
        shelf.hand_over(node, 1)

    def arrive(windows, _known):
        if windows == 1:
            assert not (panorama.folder.panorama / window_name(1)).exists()
            late.start()

    def hand_over():
        whole(shelf)
        panorama.arrivals.notify()

    late = threading.Thread(target=hand_over)
    panorama.make(done=arrive)
    late.join()
    assert [windows for windows, _ in panorama.steps] == [1, 2, 3]


def test_a_hub_that_stops_goes_on_where_it_was_and_ends_with_the_same_windows(shelf, panorama):
    whole(shelf)
    expected = files(panorama.make("whole"))

    def stop(windows, _known):
        if windows == 2:
            panorama.arrivals.stop()

    with pytest.raises(Interrupted):
        panorama.make("cut", stop)
    left = files(panorama.folder)
    assert list(left) == [window_name(0), window_name(1)]
    kept = (panorama.folder.panorama / window_name(0)).stat().st_mtime_ns
    panorama.arrivals = Arrivals()
    assert files(panorama.make("cut")) == expected
    assert (panorama.folder.panorama / window_name(0)).stat().st_mtime_ns == kept


def test_a_run_that_was_stopped_goes_on_with_the_exposures_that_it_knew(shelf, panorama):
    whole(shelf, 4)
    for sequence in (1, 2, 3):
        # The right camera exposes more and more.
        shelf.hand_over("right", sequence, 20 if sequence == 3 else 50, glow=6 * sequence)
    expected = files(panorama.make("whole"))

    def stop(windows, _known):
        if windows == 3:
            panorama.arrivals.stop()

    with pytest.raises(Interrupted):
        panorama.make("cut", stop)
    panorama.arrivals = Arrivals()
    assert files(panorama.make("cut")) == expected
    panorama.arrivals = Arrivals()
    with pytest.raises(Interrupted):
        panorama.make("forgetful", stop)
    shutil.rmtree(panorama.folder.panorama / STARTS)
    panorama.arrivals = Arrivals()
    assert files(panorama.make("forgetful")) != expected


def test_a_full_disk_ends_the_work_at_once_though_segments_are_still_to_come(shelf, panorama, monkeypatch):
    for node in ("left", "right"):
        shelf.hand_over(node, 0)
        shelf.hand_over(node, 1)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(PanoramaFolder, "store", full)
    before = threading.active_count()
    with pytest.raises(OSError, match="No space left"):
        panorama.make()
    assert threading.active_count() == before


def test_a_segment_lost_on_one_side_is_filled_by_the_neighbour_and_told(shelf, panorama, read_frames):
    whole(shelf)
    shelf.there["right", 1][0].video.write_bytes(b"torn")
    folder = panorama.make()
    right = read_frames(folder.archive, 0.8)
    assert right[40] == 40
    assert right[75] == -0 or right[75] < 10, "what nobody sees is a calm near-black"
    assert right[110] == 110 % 70
    assert ["cannot be decoded" in str(gap) for gap in panorama.gaps] == [True]
    assert any("camera right has no picture at 2." in words for words in panorama.told)
    assert any("s neighbours stood in for camera right" in words for words in panorama.told)


def test_a_camera_that_was_lost_does_not_shorten_the_match_and_one_that_stops_a_little_early_does(shelf, panorama):
    whole(shelf)
    del shelf.there["right", 2]
    shelf.lasts["right"] = 1
    panorama.make()
    # The right camera ends at 3.9 s, the left one 0.9 s later: that is one end.
    assert len(files(panorama.folder)) == 2
    del shelf.there["right", 1]
    shelf.lasts["right"] = 0
    panorama.make("lost")
    assert len(files(panorama.folder)) == 3


def test_the_panorama_of_a_session_has_the_cameras_own_frame_rate(shelf, panorama):
    shelf.rate = 50
    for node in ("left", "right"):
        shelf.hand_over(node, 0, 100)
        shelf.hand_over(node, 1, 100)
        shelf.lasts[node] = 1
    panorama.make()
    with av.open(str(panorama.folder.archive)) as video:
        assert video.streams.video[0].average_rate == 25, "every second frame of cameras that are too fast for a hub"
    shelf.rate = 30
    for node in ("left", "right"):
        shelf.hand_over(node, 0, 60)
        shelf.hand_over(node, 1, 60)
    panorama.told.clear()
    panorama.make("thirty")
    with av.open(str(panorama.folder.archive)) as video:
        times = [frame.pts * frame.time_base * 30 for frame in video.decode(video=0)]
    assert times == list(range(120))
    assert not panorama.told


def test_a_session_without_a_picture_fails_in_words(shelf, panorama):
    shelf.lasts = {"left": -1, "right": -1}
    with pytest.raises(HubError, match="no frame that could be stitched"):
        panorama.make()


def test_cameras_too_fast_for_a_hub_give_every_second_frame():
    assert [calm(Cadence(rate)).rate for rate in (25, 30, 50, 60, 100)] == [25, 30, 25, 30, 25]
