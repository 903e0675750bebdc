import asyncio
import errno
import hashlib
import os
import sqlite3
from types import SimpleNamespace

import pytest

from edge.ledger import Ledger, SessionRow
from edge.record.shelf import REFERENCE, TRACKS, VIDEO, Shelf, Shelved
from edge.storage import Level, Storage
from edge.storage.storage import LOW_MINUTES, MARK_BYTES, RESERVE_BYTES, RESERVE_S, SLOW_S
from wire.session import SegmentKey, SegmentOffer, SegmentState

SIZE = 1_000_000
FRAMES = 50


class House:
    """A node's shelf, ledger and storage; a segment takes 1 MB and a file of it a few bytes."""

    def __init__(self, root, log, disk, **options):
        self.root = root
        self.shelf = Shelf(root)
        self.ledger = Ledger(root / "ledger.sqlite")
        self.disk = disk
        self.storage = Storage(self.shelf, self.ledger, log, statvfs=disk, **options)

    def session(self, name="s1", width=1920, height=1080):
        self.ledger.begin_session(
            SessionRow(
                session=name, node="left", start_ns=0, width_px=width, height_px=height, frames_per_second=25.0,
                detector="motion",
            )
        )  # fmt: skip

    def segment(self, sequence, *states, name="s1", size=SIZE):
        key = SegmentKey(name, "left", sequence)
        self.ledger.open_segment(key, sequence)
        for suffix in (VIDEO, TRACKS):
            self.shelf.path(key, suffix).parent.mkdir(parents=True, exist_ok=True)
            self.shelf.path(key, suffix).write_text("video")
        sha256 = hashlib.sha256(b"video").hexdigest()
        self.ledger.close_segment(
            SegmentOffer(
                key=key, start_ns=sequence, end_ns=sequence + 1, frames=FRAMES, video_bytes=size - 100,
                video_sha256=sha256, tracks_bytes=100, tracks_sha256=sha256, clock_uncertainty_ns=0, last=False,
            )
        )  # fmt: skip
        for state in states:
            self.ledger.move(key, state)
        return key

    def there(self):
        """The sequences whose two files are there, and of which only one is."""
        found = [path.name.split(".")[0] for path in (self.root / "segments").rglob("*.*")]
        return {int(name) for name in found if found.count(name) == 2}, {n for n in found if found.count(n) == 1}

    def states(self):
        return [row.state for row in self.ledger.segments()]


@pytest.fixture
def make_house(tmp_path, log, disk):
    made = []

    def make(**options):
        made.append(House(tmp_path, log, options.pop("statvfs", disk), **options))
        return made[-1]

    yield make
    for house in made:
        house.ledger.close()


@pytest.fixture
def house(make_house):
    made = make_house()
    made.session()
    return made


CONFIRMED = SegmentState.CONFIRMED


def test_minutes_left_follow_from_the_bytes_of_the_last_segments(house, disk):
    house.storage.expect(1920 * 1080 * 25)
    for sequence in range(40):
        # Only the last 30 count: those before were ten times as large.
        house.segment(sequence, size=SIZE if sequence >= 10 else 10 * SIZE)
    state = house.storage.state()
    # A megabyte every two seconds.
    assert state.bytes_per_second == pytest.approx(500_000)
    assert state.minutes_left == pytest.approx((disk.free - RESERVE_BYTES) / 500_000 / 60, abs=0.1)
    assert state.level is Level.OK
    assert state.sentence == f"the disk has room for {state.minutes_left:.0f} more minutes"


def test_another_cameras_pixels_are_reckoned_with(house):
    house.segment(0)
    house.storage.expect(4 * 1920 * 1080 * 25)
    assert house.storage.state().bytes_per_second == pytest.approx(4 * 500_000)


def test_a_node_that_starts_again_is_taken_to_record_what_it_did_last(make_house, log):
    made = make_house()
    made.session("s1")
    made.session("s2", width=4056, height=2160)
    again = Storage(made.shelf, made.ledger, log, statvfs=made.disk)
    made.segment(0, name="s2")
    assert again.state().bytes_per_second == pytest.approx(500_000)
    assert made.storage.state().bytes_per_second == pytest.approx(500_000 * 1920 * 1080 * 30 / (4056 * 2160 * 25))


def test_before_anything_was_recorded_the_guess_is_good_quality(make_house):
    made = make_house()
    assert made.storage.state().bytes_per_second == pytest.approx(10e6 / 8, rel=0.01)
    made.storage.expect(640 * 360 * 25)
    assert made.storage.state().bytes_per_second == pytest.approx(640 * 360 * 25 * 0.16 / 8)


def test_what_may_be_deleted_counts_as_room_and_what_may_not_does_not(house, disk):
    house.storage.expect(1920 * 1080 * 25)
    for sequence in range(4):
        house.segment(sequence, *([CONFIRMED] if sequence < 3 else []))
    state = house.storage.state()
    assert state.deletable_bytes == 3 * SIZE
    assert state.minutes_left == pytest.approx((disk.free + 3 * SIZE - RESERVE_BYTES) / 500_000 / 60, abs=0.1)


def test_of_a_disk_that_nodes_share_each_promises_its_part_of_the_free_room(make_house, disk):
    minutes = {}
    for nodes in (1, 2, 3):
        house = make_house(nodes=nodes)
        if nodes == 1:
            house.session()
            for sequence in range(31):
                house.segment(sequence, *([CONFIRMED] if sequence < 30 else []))
        house.storage.expect(1920 * 1080 * 25)
        # Its own confirmed segments, a minute of them, are room of which the others know nothing.
        minutes[nodes] = house.storage.state().minutes_left - 1
    alone = (disk.free - RESERVE_BYTES) / 500_000 / 60
    assert minutes == {nodes: pytest.approx(alone / nodes, abs=0.1) for nodes in (1, 2, 3)}


def test_a_shared_disk_without_its_reserve_is_as_full_for_each_of_its_nodes(make_house, disk):
    house = make_house(nodes=2)
    house.session()
    for sequence in range(4):
        house.segment(sequence, CONFIRMED)
    house.storage.expect(1920 * 1080 * 25)
    deletable = house.storage.state().deletable_bytes
    for missing, level in ((deletable - 8192, Level.LOW), (deletable + 8192, Level.FULL)):
        disk.free = RESERVE_BYTES - missing
        assert house.storage.state().level is level
    # On a tiny one, what comes in ten seconds comes from both.
    disk.whole = 100 << 20
    disk.free = int(1.5 * RESERVE_S * 500_000) - deletable
    assert house.storage.state().level is Level.FULL


@pytest.mark.parametrize(
    ("minutes", "level"), [(LOW_MINUTES + 1, Level.OK), (LOW_MINUTES - 1, Level.LOW), (0.1, Level.LOW), (0, Level.FULL)]
)
def test_the_level_follows_the_minutes(house, disk, minutes, level):
    house.segment(0)
    house.storage.expect(1920 * 1080 * 25)
    disk.free = RESERVE_BYTES + 4096 * round(minutes * 60 * 500_000 / 4096)
    state = house.storage.state()
    assert state.level is level
    if level is not Level.OK:
        assert "let the hub take" in state.sentence


def test_a_disk_that_cannot_be_asked_says_why(house, disk):
    house.segment(0, CONFIRMED)
    disk.fault = OSError(errno.EIO, "Input/output error")
    state = house.storage.tend()
    assert (state.level, state.minutes_left) == (Level.UNKNOWN, 0)
    assert "Input/output error" in state.sentence
    assert house.states() == [CONFIRMED]


class FillingDisk:
    """A disk that has a megabyte more for every segment that is gone from `house`."""

    def __init__(self, free, whole=100 << 30):
        self.free, self.whole, self.house = free, whole, None

    def __call__(self, _path):
        gone = self.house.ledger.count(SegmentState.DELETED)
        return SimpleNamespace(f_frsize=1, f_blocks=self.whole, f_bavail=self.free + gone * SIZE)


def test_below_the_mark_confirmed_segments_go_oldest_first_and_no_more_than_needed(make_house):
    disk = FillingDisk(MARK_BYTES - 2 * SIZE - 1)
    house = disk.house = make_house(statvfs=disk)
    house.session()
    for sequence in range(6):
        house.segment(sequence, *([CONFIRMED] if sequence != 1 else []))
    house.storage.tend()
    assert house.states() == [SegmentState.DELETED, SegmentState.CLOSED, *[SegmentState.DELETED] * 2, *[CONFIRMED] * 2]
    assert house.there() == ({1, 4, 5}, set())


def test_of_a_small_disk_a_tenth_is_kept_free(make_house):
    disk = FillingDisk(90 << 20, whole=1000 << 20)
    house = disk.house = make_house(statvfs=disk)
    house.session()
    for sequence in range(20):
        house.segment(sequence, CONFIRMED)
    house.storage.tend()
    assert house.states().count(SegmentState.DELETED) == 11


def test_above_the_mark_nothing_goes(house):
    for sequence in range(3):
        house.segment(sequence, CONFIRMED)
    house.storage.tend()
    assert house.states() == [CONFIRMED] * 3


def test_unconfirmed_video_stays_however_full_the_disk_is(house, disk):
    disk.free = 0
    for sequence, state in enumerate([None, SegmentState.SENT, None, None]):
        house.segment(sequence, *([state] if state else []))
    state = house.storage.tend()
    assert state.level is Level.FULL
    assert house.there() == ({0, 1, 2, 3}, set())


def test_deleting_after_confirmation_needs_no_mark(make_house):
    house = make_house(delete_confirmed=True)
    house.session()
    for sequence in range(4):
        house.segment(sequence, *([CONFIRMED] if sequence != 1 else []))
    house.storage.tend()
    # The newest of a running session may have to be offered again as its last.
    assert house.states() == [SegmentState.DELETED, SegmentState.CLOSED, SegmentState.DELETED, CONFIRMED]
    assert house.there() == ({1, 3}, set())


def test_deleting_all_confirmed_is_an_action_and_tells_how_many(house):
    for sequence in range(4):
        house.segment(sequence, *([CONFIRMED] if sequence != 1 else []))
    house.ledger.finish_session("s1")
    assert house.storage.delete_all_confirmed() == 2
    # Finishing made the newest one the last, which the hub has to hear of before it counts as confirmed again.
    assert house.there() == ({1, 3}, set())
    assert house.storage.delete_all_confirmed() == 0


def test_a_recording_that_finds_the_disk_full_gets_the_room_of_a_minute_if_there_is_any(house):
    assert not house.storage.make_room()
    for sequence in range(40):
        house.segment(sequence, *([CONFIRMED] if sequence != 3 else []))
    assert house.storage.make_room()
    assert house.there()[0] == {3, *range(31, 40)}
    assert house.storage.make_room()
    # The newest of a running session stays.
    assert house.there()[0] == {3, 39}
    assert not house.storage.make_room()


@pytest.mark.parametrize(
    ("whole", "reserve"), [(100 << 30, RESERVE_BYTES), (1 << 30, 0.02 * (1 << 30)), (100 << 20, RESERVE_S * 500_000)]
)
def test_of_a_small_disk_a_fiftieth_is_kept_in_reserve_but_what_comes_in_ten_seconds_at_least(
    house, disk, whole, reserve
):
    house.segment(0)
    house.storage.expect(1920 * 1080 * 25)
    disk.whole = whole
    for free, level in ((reserve + 8192, Level.LOW), (reserve - 8192, Level.FULL)):
        disk.free = int(free)
        assert house.storage.state().level is level


@pytest.mark.parametrize(
    "fault", [OSError(errno.EROFS, "Read-only file system"), sqlite3.OperationalError("database or disk is full")]
)
def test_what_cannot_be_deleted_is_logged_and_the_others_go(house, log_text, monkeypatch, fault):
    keys = [house.segment(sequence, CONFIRMED) for sequence in range(3)]
    honest = house.shelf.delete

    def broken(ledger, key):
        if key == keys[0]:
            raise fault
        honest(ledger, key)

    monkeypatch.setattr(house.shelf, "delete", broken)
    assert house.storage.delete_all_confirmed() == 1
    assert "event=segment-not-deleted session=s1 segment=0" in log_text.getvalue()


def test_files_that_a_cut_left_of_deleted_segments_are_swept_and_no_others(house):
    keys = [house.segment(sequence, CONFIRMED) for sequence in range(3)]
    # The cut came after the row, once before both files and once between them.
    for key in keys[:2]:
        house.ledger.move(key, SegmentState.DELETED)
    house.shelf.path(keys[1], VIDEO).unlink()
    strange = [
        house.root / "segments" / name
        for name in ("s1/left/00000009.mp4", "s1/left/notes.txt", "s1/letter.txt", "s2/left/00000001.mp4")
    ]
    for path in strange:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("somebody's")
    assert house.storage.sweep() == 3
    assert house.there() == ({2}, {"00000009", "notes", "letter", "00000001"})
    assert all(path.exists() for path in strange)
    assert house.storage.sweep() == 0


def test_sweeping_leaves_no_empty_folders_behind(house):
    house.ledger.move(house.segment(0, CONFIRMED), SegmentState.DELETED)
    house.storage.sweep()
    assert list((house.root / "segments").iterdir()) == []


def test_a_sessions_picture_goes_with_its_last_segment_and_not_before(house):
    picture = house.shelf.about("s1", REFERENCE)
    picture.parent.mkdir(parents=True)
    picture.write_text("children")
    keys = [house.segment(sequence, CONFIRMED) for sequence in range(2)]
    house.storage.delete_all_confirmed()
    assert picture.exists()
    house.ledger.finish_session("s1")
    assert picture.exists()
    house.ledger.move(keys[1], CONFIRMED)
    house.storage.delete_all_confirmed()
    assert not picture.exists()


def test_a_picture_whose_deletion_a_cut_prevented_goes_at_the_next_start(house):
    picture = house.shelf.about("s1", REFERENCE)
    picture.parent.mkdir(parents=True)
    picture.write_text("children")
    house.ledger.move(house.segment(0, CONFIRMED), SegmentState.DELETED)
    house.storage.sweep()
    assert picture.exists()
    house.ledger._db.execute("update sessions set finished = 1")
    house.storage.sweep()
    assert not picture.exists()


@pytest.fixture
def bad_sector(monkeypatch):
    """Makes a file, or the list of a folder, one that the disk cannot read."""

    def strike(path):
        fault = OSError(errno.EIO, "Input/output error", str(path))
        for module, name in ((os, "unlink"), (os, "stat"), (os, "scandir")):
            honest = getattr(module, name)

            def broken(asked, *args, honest=honest, **options):
                if str(asked) == str(path):
                    raise fault
                return honest(asked, *args, **options)

            monkeypatch.setattr(module, name, broken)

    return strike


def test_a_leftover_that_the_disk_does_not_let_go_of_keeps_nothing_else(house, bad_sector, log_text):
    keys = [house.segment(sequence, CONFIRMED) for sequence in range(3)]
    for key in keys:
        house.ledger.move(key, SegmentState.DELETED)
    stuck = house.shelf.path(keys[1], VIDEO)
    bad_sector(stuck)
    assert house.storage.sweep() == 5
    assert house.there() == (set(), {"00000001"})
    assert f'event=file-not-swept path={stuck} fault="Input/output error"' in log_text.getvalue()


@pytest.mark.parametrize("folder", ["segments", "segments/s1", "segments/s1/left", "sessions"])
def test_a_folder_that_the_disk_cannot_list_is_told_and_the_others_are_swept(house, bad_sector, folder, log_text):
    house.session("s2")
    for name in ("s1", "s2"):
        house.ledger.move(house.segment(0, CONFIRMED, name=name), SegmentState.DELETED)
    (house.root / "sessions").mkdir()
    bad_sector(house.root / folder)
    assert house.storage.sweep() == {"segments": 0, "sessions": 4}.get(folder, 2)
    assert f"event=file-not-swept path={house.root / folder} " in log_text.getvalue()


def test_a_picture_that_the_disk_does_not_let_go_of_keeps_no_other(house, bad_sector, log_text):
    house.session("s2")
    pictures = [house.shelf.about(name, REFERENCE) for name in ("s1", "s2")]
    for picture in pictures:
        picture.parent.mkdir(parents=True)
        picture.write_text("children")
        house.ledger.finish_session(picture.parent.name)
    bad_sector(pictures[0])
    house.storage.sweep()
    assert [picture.name for picture in (house.root / "sessions").rglob("*.jpg")] == [REFERENCE]
    assert not pictures[1].exists()
    assert f"event=file-not-swept path={pictures[0]} " in log_text.getvalue()


def test_where_nothing_was_recorded_there_is_nothing_to_tell_of(house, log_text):
    assert house.storage.sweep() == 0
    assert not log_text.getvalue()


def test_the_slowest_of_the_last_closings_is_told(house):
    assert house.storage.state().slowest_close_s is None
    house.shelf.shelved.extend([Shelved(0.1, 0.2), Shelved(0.4, SLOW_S + 0.1), Shelved(0.3, 0.5)])
    state = house.storage.state()
    assert (state.slowest_sync_s, state.slowest_close_s, state.slow) == (0.4, SLOW_S + 0.1, True)
    house.shelf.shelved.extend([Shelved(0.01, 0.02)] * 30)
    assert not house.storage.state().slow


async def test_the_storage_tells_for_ever_and_logs_what_changes(house, disk, log_text, monkeypatch, eventually):
    monkeypatch.setattr("edge.storage.storage._TEND_EVERY_S", 0)
    told = []
    task = asyncio.create_task(house.storage.run(told.append))
    await eventually(lambda: len(told) > 3)
    disk.free = 0
    await eventually(lambda: told[-1].level is Level.FULL)
    disk.free = 50 << 30
    await eventually(lambda: told[-1].level is Level.OK)
    task.cancel()
    events = [line for line in log_text.getvalue().splitlines() if "event=storage " in line]
    assert [line.split("level=")[1].split()[0] for line in events] == ["ok", "full", "ok"]


async def test_a_fault_of_the_storage_does_not_end_its_watch(house, log_text, monkeypatch, eventually):
    monkeypatch.setattr("edge.storage.storage._TEND_EVERY_S", 0)
    told = []
    honest = house.ledger.deletable_bytes
    faults = iter([OSError("disk I/O error")])
    monkeypatch.setattr(house.ledger, "deletable_bytes", lambda: _raise_next(faults) or honest())
    task = asyncio.create_task(house.storage.run(told.append))
    await eventually(lambda: told)
    task.cancel()
    assert 'event=storage-fault fault="OSError: disk I/O error"' in log_text.getvalue()


def _raise_next(faults):
    for fault in faults:
        raise fault
