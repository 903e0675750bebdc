"""The room that a node keeps for its ledger, on a real disk that is full."""

import asyncio
import os

import pytest

from edge.cli import main
from edge.errors import LedgerFault
from edge.ledger import NAME, Ledger
from edge.record.shelf import VIDEO, Shelf
from edge.storage import Level, Storage, ballast, trim_ballast
from wire.session import SegmentKey, SegmentOffer, SegmentState

KEY = SegmentKey("s1", "left", 0)


def free(folder):
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize


def there(folder):
    return (folder / ballast.NAME).exists()


def test_the_ballast_holds_real_room_and_gives_it_back(small_disk):
    before = free(small_disk.path)
    assert not trim_ballast(small_disk.path)
    assert before - free(small_disk.path) == ballast.BYTES
    small_disk.fill()
    assert free(small_disk.path) == 0
    assert trim_ballast(small_disk.path)
    assert free(small_disk.path) == ballast.BYTES
    assert not trim_ballast(small_disk.path), "there is nothing more to give up"


def test_it_is_laid_in_once_and_again_where_a_cut_left_half_of_it(small_disk):
    trim_ballast(small_disk.path)
    first = (small_disk.path / ballast.NAME).stat()
    trim_ballast(small_disk.path)
    assert (small_disk.path / ballast.NAME).stat() == first
    os.truncate(small_disk.path / ballast.NAME, 4096)
    room = free(small_disk.path)
    trim_ballast(small_disk.path)
    assert room - free(small_disk.path) == ballast.BYTES - 4096


def test_between_little_room_and_plenty_it_stays_as_it_is(small_disk, monkeypatch):
    monkeypatch.setattr(ballast, "PLENTY_BYTES", 1 << 30)
    trim_ballast(small_disk.path)
    assert not there(small_disk.path)
    monkeypatch.setattr(ballast, "PLENTY_BYTES", 1)
    trim_ballast(small_disk.path)
    monkeypatch.setattr(ballast, "PLENTY_BYTES", 1 << 30)
    assert not trim_ballast(small_disk.path)
    assert there(small_disk.path)


def test_a_disk_that_cannot_be_asked_changes_nothing(tmp_path):
    assert not trim_ballast(tmp_path / "nowhere")


def test_a_ledger_that_a_full_disk_keeps_shut_opens_once_the_ballast_is_given_up(small_disk):
    Ledger(small_disk.path / NAME).close()
    trim_ballast(small_disk.path)
    small_disk.fill()
    with pytest.raises(LedgerFault):
        Ledger(small_disk.path / NAME)
    trim_ballast(small_disk.path)
    Ledger(small_disk.path / NAME).close()


def test_a_full_disk_keeps_nobody_from_carrying_its_video_away(small_disk, tmp_path, capsys):
    Ledger(small_disk.path / NAME).close()
    trim_ballast(small_disk.path)
    small_disk.fill()
    assert main(["export", "--data", str(small_disk.path), "--to", str(tmp_path), "--token", "t" * 32]) == 0
    assert "0 of 0 segments" in capsys.readouterr().out


@pytest.fixture
def keep(session_row):
    """Enters a confirmed segment of a finished session into a ledger, and leaves a video of it on the shelf."""

    def enter(ledger, shelf):
        ledger.begin_session(session_row(width_px=1920, height_px=1080))
        ledger.open_segment(KEY, 0)
        ledger.close_segment(
            SegmentOffer(
                key=KEY, start_ns=0, end_ns=1, frames=50, video_bytes=2 << 20, video_sha256="0" * 64, tracks_bytes=5,
                tracks_sha256="0" * 64, clock_uncertainty_ns=0, last=True,
            )
        )  # fmt: skip
        ledger.finish_session(KEY.session)
        ledger.move(KEY, SegmentState.CONFIRMED)
        shelf.path(KEY, VIDEO).parent.mkdir(parents=True)
        shelf.path(KEY, VIDEO).write_text("video")

    return enter


async def test_a_running_node_whose_disk_is_filled_can_still_delete_what_is_confirmed(
    small_disk, log, log_text, keep, eventually
):
    ledger, shelf, states = Ledger(small_disk.path / NAME), Shelf(small_disk.path), []
    keep(ledger, shelf)
    trim_ballast(small_disk.path)
    small_disk.fill()
    storage = Storage(shelf, ledger, log, delete_confirmed=True)
    assert storage.delete_all_confirmed() == 0
    assert ledger.state(KEY) is SegmentState.CONFIRMED

    async def told(state):
        states.append(state)

    running = asyncio.create_task(storage.run(told))
    await eventually(lambda: states)
    running.cancel()
    assert ledger.state(KEY) is SegmentState.DELETED
    assert not shelf.path(KEY, VIDEO).exists()
    assert states[0].level is Level.FULL
    assert "event=ballast-given-up" in log_text.getvalue()
    ledger.close()


async def test_a_running_node_lays_it_in(small_disk, ledger, log, eventually):
    running = asyncio.create_task(Storage(Shelf(small_disk.path), ledger, log).run(lambda _state: asyncio.sleep(0)))
    await eventually(lambda: there(small_disk.path))
    running.cancel()
