"""Segments on a stick: from the node's command to the hub's command and back, with the true ledgers on both sides."""

import asyncio
import os
import shutil
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest
from aiohttp import web

from edge.cli import main as edge_main
from edge.errors import NoRoom, StickFault
from edge.offload import Hub, bring_receipts, export, take_receipts
from edge.record.shelf import TRACKS, VIDEO
from edge.storage import Storage
from hub.api import SessionsApi, plain_errors
from hub.cli import main as hub_main
from hub.ingest import Ingest, ingest_routes
from hub.marks import MarkBook
from hub.messages import SessionPlan, SessionRequest
from hub.sessions import Sessions
from wire.ids import node_id, session_id
from wire.marks import Mark, NodeMarks
from wire.match import MatchSheet, Team
from wire.pitch import Pitch
from wire.proof import seal, unseal
from wire.session import SegmentOffer, SegmentState
from wire.stick import RECEIPTS, StickReceipts, marks_path

TOKEN = "open-sesame"
SESSION, LEFT = session_id("s1"), node_id("left")

pytestmark = pytest.mark.parametrize("station", [1], indirect=True)


@pytest.fixture
def stick(tmp_path) -> Path:
    folder = tmp_path / "stick"
    folder.mkdir()
    return folder


@asynccontextmanager
async def hub_in(folder, clock, log, *, takes_marks):
    """The hub's ingest behind a server, with its sessions where it `takes_marks`; `confirmed` notes each segment once
    it is, and `known` the notes of the marks by then."""
    confirmed, known = [], []
    sessions = Sessions(folder / "sessions")
    book = MarkBook(sessions)
    sheet = MatchSheet(title="A v B", pitch=Pitch(), home=Team("A"), away=Team("B"))
    sessions.begin(SessionPlan(session=SESSION, start_ns=0, nodes=(LEFT,), request=SessionRequest(sheet=sheet)))

    async def note(key, offer):
        confirmed.append((key.sequence, offer.last))
        known.append([mark.note for mark in book.of(key.session)])

    ingest = Ingest(folder, TOKEN, clock.now_ns, note)
    app = web.Application(middlewares=[plain_errors(log)])
    app.add_routes(ingest_routes(ingest))
    if takes_marks:
        app.add_routes(SessionsApi(sessions, book, None, TOKEN, clock.now_ns, bytes, print).routes())
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    ingest.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    ingest.confirmed, ingest.known, ingest.book = confirmed, known, book
    ingest.path = lambda key, suffix: folder / "segments" / key.path(suffix)
    yield ingest
    await runner.cleanup()
    ingest.close()


@pytest.fixture
async def true_hub(tmp_path, clock, log):
    async with hub_in(tmp_path / "hub", clock, log, takes_marks=True) as hub:
        yield hub


@pytest.fixture
async def older_hub(tmp_path, clock, log):
    async with hub_in(tmp_path / "hub", clock, log, takes_marks=False) as hub:
        yield hub


def carry_away(station, stick, *options: str) -> int:
    data = str(station.shelf.root)
    return edge_main(["export", "--data", data, "--to", str(stick), "--token", TOKEN, *options])


async def take_in(stick, hub, token: str = TOKEN) -> int:
    return await asyncio.to_thread(hub_main, ["import", str(stick), "--hub", hub.url, "--token", token])


def waiting(station) -> list:
    return station.ledger.segments(SegmentState.CLOSED, SegmentState.SENT)


def copied(station, stick) -> list:
    told = []
    marks = station.ledger.marks(SESSION)
    assert export(waiting(station), marks, station.shelf, TOKEN, stick, told.append) == []
    return told


async def test_segments_go_by_stick_and_their_receipts_come_back(station, stick, true_hub, log, log_text, capsys):
    for sequence in range(3):
        station.close_segment(sequence, last=sequence == 2)
    assert carry_away(station, stick) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "100 %  3 of 3 segments"
    assert station.states() == [SegmentState.CLOSED] * 3, "to be on a stick is not to be confirmed"
    assert await take_in(stick, true_hub) == 0
    assert station.same_bytes(true_hub.path)
    assert true_hub.confirmed == [(0, False), (1, False), (2, True)]
    assert carry_away(station, stick) == 0
    assert "3 segments are confirmed by the hub's receipts" in capsys.readouterr().out
    assert station.states() == [SegmentState.CLOSED] * 3, "only the node itself writes its ledger"
    take_receipts(station.shelf.root, station.ledger, TOKEN, log)
    assert station.states() == [SegmentState.CONFIRMED] * 3
    assert log_text.getvalue().count("event=segment-confirmed") == 3
    assert not list((station.shelf.root / "receipts").iterdir())


async def test_the_node_enters_receipts_although_no_hub_is_in_reach(station, stick, true_hub, hub, log):
    station.close_segment(0, last=True)
    station.ledger.finish_session("s1")
    carry_away(station, stick)
    await take_in(stick, true_hub)
    bring_receipts(stick, station.shelf.root, TOKEN)
    await hub.stop()
    async with Hub(hub.url, TOKEN) as nobody:
        offloader = station.offloader(
            nobody,
            carried=lambda: take_receipts(station.shelf.root, station.ledger, TOKEN, log),
        )
        assert await offloader.hand_over() == set()
    assert station.states() == [SegmentState.CONFIRMED]
    Storage(station.shelf, station.ledger, log, delete_confirmed=True).tend()
    assert station.states() == [SegmentState.DELETED]


async def test_what_came_by_stick_and_what_came_by_line_is_held_once(station, stick, true_hub):
    for sequence in range(2):
        station.close_segment(sequence)
    carry_away(station, stick)
    async with Hub(true_hub.url, TOKEN) as there:
        assert not await station.offloader(there).hand_over()
    for _ in range(2):
        assert await take_in(stick, true_hub) == 0
    assert true_hub.confirmed == [(0, False), (1, False)]
    assert len(unseal((stick / RECEIPTS).read_bytes(), StickReceipts, TOKEN).confirmed) == 2


async def test_a_segment_that_became_the_last_since_is_not_confirmed_by_an_older_receipt(station, stick, true_hub, log):
    for sequence in range(2):
        station.close_segment(sequence)
    carry_away(station, stick)
    await take_in(stick, true_hub)
    station.ledger.finish_session("s1")
    bring_receipts(stick, station.shelf.root, TOKEN)
    take_receipts(station.shelf.root, station.ledger, TOKEN, log)
    assert station.states() == [SegmentState.CONFIRMED, SegmentState.CLOSED]
    carry_away(station, stick)
    await take_in(stick, true_hub)
    bring_receipts(stick, station.shelf.root, TOKEN)
    take_receipts(station.shelf.root, station.ledger, TOKEN, log)
    assert station.states() == [SegmentState.CONFIRMED] * 2
    assert true_hub.confirmed == [(0, False), (1, False), (1, True)]


def test_only_the_session_asked_for_is_copied(station, stick, capsys):
    station.close_segment(0)
    assert carry_away(station, stick, "--session", "s2") == 2
    assert "recorded no session s2" in capsys.readouterr().err
    assert list(stick.iterdir()) == []
    assert carry_away(station, stick, "--session", "s1") == 0
    assert (stick / station.key(0).path(".offer")).exists()


def test_an_export_that_was_cut_is_gone_on_with(station, stick, monkeypatch):
    for sequence in range(3):
        station.close_segment(sequence)
    honest, written = os.replace, []

    def cut(source, target):
        if len(written) == 4:
            raise KeyboardInterrupt
        written.append(Path(target).name)
        honest(source, target)

    with monkeypatch.context() as patch:
        patch.setattr("edge.offload.stick.os.replace", cut)
        with pytest.raises(KeyboardInterrupt):
            copied(station, stick)
    assert not list(stick.rglob("*.new"))
    before = {path: path.stat().st_ino for path in stick.rglob("*") if path.is_file()}
    assert len(before) == 4
    assert [(now.segments, now.of_segments) for now in copied(station, stick)] == [(0, 3), (1, 3), (2, 3), (3, 3)]
    assert {path: path.stat().st_ino for path in before} == before, "what stood there whole is not written again"
    assert station.same_bytes(lambda key, suffix: stick / key.path(suffix))


def test_what_was_damaged_on_the_stick_is_written_again(station, stick):
    key = station.close_segment(0)
    copied(station, stick)
    path = stick / key.path(VIDEO)
    path.write_bytes(bytes(path.stat().st_size))
    copied(station, stick)
    assert station.same_bytes(lambda key, suffix: stick / key.path(suffix))


def test_a_stick_that_does_not_keep_what_is_written_is_told(station, stick, monkeypatch):
    key = station.close_segment(0)
    honest = os.posix_fadvise

    def forget(fd, *arguments):
        os.pwrite(fd, b"\0" * 100, 1000)
        honest(fd, *arguments)

    monkeypatch.setattr("edge.offload.stick.os.posix_fadvise", forget)
    with pytest.raises(StickFault, match=r"did not keep 00000000\.mp4 as it was written"):
        copied(station, stick)
    assert not (stick / key.path(".offer")).exists()
    assert not list(stick.rglob("*.mp4*"))


def test_a_stick_without_room_is_told_before_anything_is_written(station, stick, monkeypatch):
    station.close_segment(0)
    usage = shutil.disk_usage(stick)._replace(free=10 << 20)
    monkeypatch.setattr("edge.offload.stick.shutil.disk_usage", lambda _: usage)
    with pytest.raises(NoRoom, match=r"0\.0 GB free but 0\.0 GB are needed: take a larger stick"):
        copied(station, stick)
    assert list(stick.iterdir()) == []


def test_a_full_stick_with_everything_on_it_needs_no_more_room(station, stick, monkeypatch):
    station.close_segment(0)
    copied(station, stick)
    usage = shutil.disk_usage(stick)._replace(free=0)
    monkeypatch.setattr("edge.offload.stick.shutil.disk_usage", lambda _: usage)
    copied(station, stick)


@pytest.mark.parametrize(
    ("prepare", "says"),
    [
        (lambda stick: stick.rmdir(), "is the stick plugged in and mounted?"),
        (lambda stick: (stick / "s1").write_text("in the way"), "cannot be written"),
    ],
)
def test_a_stick_that_is_no_use_is_one_sentence(station, stick, capsys, prepare, says):
    station.close_segment(0)
    prepare(stick)
    assert carry_away(station, stick) == 2
    told = capsys.readouterr().err
    assert says in told
    assert told.count("\n") == 1


def test_a_folder_without_a_nodes_data_is_one_sentence(tmp_path, stick, station, capsys):
    assert edge_main(["export", "--data", str(tmp_path / "none"), "--to", str(stick), "--token", TOKEN]) == 2
    assert "there is no node's data in" in capsys.readouterr().err
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("missing", [True, False])
def test_a_segment_damaged_on_the_node_is_named_and_does_not_hold_up_the_others(station, stick, capsys, missing):
    path = station.shelf.path(station.close_segment(0), TRACKS)
    station.close_segment(1)
    if missing:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[:-1])
    assert carry_away(station, stick) == 1
    assert "segment s1/left/00000000 is damaged or gone on this node's disk" in capsys.readouterr().err
    assert [path.name for path in stick.rglob("*.offer")] == ["00000001.offer"]


async def test_an_offer_that_was_not_sealed_with_the_token_is_left_out(station, stick, true_hub, capsys):
    for sequence in range(2):
        station.close_segment(sequence)
    copied(station, stick)
    place = stick / station.key(0).path(".offer")
    place.write_bytes(seal(unseal(place.read_bytes(), SegmentOffer, TOKEN), "another-token"))
    assert await take_in(stick, true_hub) == 1
    assert "is not an offer of this rig's node" in capsys.readouterr().err
    assert true_hub.confirmed == [(1, False)]


async def test_an_offer_in_another_segments_place_is_left_out(station, stick, true_hub, capsys):
    for sequence in range(2):
        station.close_segment(sequence)
    copied(station, stick)
    shutil.copy(stick / station.key(1).path(".offer"), stick / station.key(0).path(".offer"))
    assert await take_in(stick, true_hub) == 1
    assert "is the offer of another segment" in capsys.readouterr().err
    assert true_hub.confirmed == [(1, False)]


async def test_a_file_damaged_on_the_stick_is_left_out_and_gets_no_receipt(station, stick, true_hub, capsys):
    for sequence in range(2):
        station.close_segment(sequence)
    copied(station, stick)
    path = stick / station.key(0).path(VIDEO)
    path.write_bytes(bytes(path.stat().st_size))
    assert await take_in(stick, true_hub) == 1
    assert "does not have the SHA-256 that was offered" in capsys.readouterr().err
    receipts = unseal((stick / RECEIPTS).read_bytes(), StickReceipts, TOKEN)
    assert [offer.key.sequence for offer in receipts.confirmed] == [1]


async def test_a_wrong_token_imports_nothing(station, stick, true_hub, capsys):
    station.close_segment(0)
    copied(station, stick)
    assert await take_in(stick, true_hub, "wrong") == 1
    assert true_hub.confirmed == []
    assert hub_main(["import", str(stick), "--hub", true_hub.url, "--token", ""]) == 2
    assert "a rig needs a token" in capsys.readouterr().err


async def test_without_a_running_hub_the_import_says_so_and_keeps_earlier_receipts(
    station, stick, true_hub, capsys, unused_tcp_port
):
    station.close_segment(0)
    copied(station, stick)
    await take_in(stick, true_hub)
    earlier = (stick / RECEIPTS).read_bytes()
    true_hub.url = f"http://127.0.0.1:{unused_tcp_port}"
    assert await take_in(stick, true_hub) == 2
    assert "does not answer" in capsys.readouterr().err
    assert (stick / RECEIPTS).read_bytes() == earlier


def receipts_of(station, **changes) -> StickReceipts:
    return StickReceipts(
        confirmed=tuple(msgspec.structs.replace(row.offer, **changes) for row in station.ledger.segments())
    )


def test_receipts_of_another_hub_are_refused(station, stick, capsys):
    station.close_segment(0)
    (stick / RECEIPTS).write_bytes(seal(receipts_of(station), "another-token"))
    assert carry_away(station, stick) == 2
    assert "is not a receipt of this rig's hub" in capsys.readouterr().err
    assert not (station.shelf.root / "receipts").exists()


def test_what_an_older_hubs_receipts_confirm_is_not_copied_again(station, stick):
    station.close_segment(0, offset_ns=200_000)
    station.close_segment(1, offset_ns=300_000)
    first, _ = receipts_of(station, clock_offset_ns=None).confirmed
    (stick / RECEIPTS).write_bytes(seal(StickReceipts(confirmed=(first,)), TOKEN))
    assert carry_away(station, stick) == 0
    assert [path.name for path in stick.rglob("*.offer")] == ["00000001.offer"]


@pytest.mark.parametrize("changes", [{"video_sha256": "0" * 64}, {"tracks_bytes": 1}, {"last": True}])
def test_a_receipt_for_other_bytes_confirms_nothing(station, log, changes):
    station.close_segment(0)
    folder = station.shelf.root / "receipts"
    folder.mkdir()
    (folder / "x").write_bytes(seal(receipts_of(station, **changes), TOKEN))
    take_receipts(station.shelf.root, station.ledger, TOKEN, log)
    assert station.states() == [SegmentState.CLOSED]


def test_a_faulty_receipt_is_logged_and_the_others_are_taken(station, log, log_text):
    station.close_segment(0)
    folder = station.shelf.root / "receipts"
    folder.mkdir()
    (folder / "a").write_bytes(b"junk")
    (folder / "b").write_bytes(seal(receipts_of(station), TOKEN))
    take_receipts(station.shelf.root, station.ledger, TOKEN, log)
    assert station.states() == [SegmentState.CONFIRMED]
    assert log_text.getvalue().count("event=receipts-not-taken") == 1
    assert list(folder.iterdir()) == [], "what will never be right is not read again and again"


def test_receipts_that_an_export_is_writing_are_taken_when_they_are_whole(station, stick, log, log_text, monkeypatch):
    station.close_segment(0)
    (stick / RECEIPTS).write_bytes(seal(receipts_of(station), TOKEN))
    folder, honest, seen = station.shelf.root / "receipts", os.fsync, []

    def meanwhile(fd):
        honest(fd)
        seen.extend(path.suffix for path in folder.iterdir())
        take_receipts(station.shelf.root, station.ledger, TOKEN, log)

    with monkeypatch.context() as running:
        running.setattr(os, "fsync", meanwhile)
        bring_receipts(stick, station.shelf.root, TOKEN)
    assert ".new" in seen
    assert station.states() == [SegmentState.CONFIRMED]
    assert "receipts-not-taken" not in log_text.getvalue()
    assert not list(folder.iterdir())


def test_what_a_running_node_handed_over_and_deleted_meanwhile_is_missed_by_nobody(station, stick, monkeypatch, capsys):
    key = station.close_segment(0)
    station.ledger.finish_session("s1")

    def late(rows, *arguments):
        station.ledger.move(key, SegmentState.CONFIRMED)
        station.shelf.delete(station.ledger, key)
        return export(rows, *arguments)

    monkeypatch.setattr("edge.cli.export", late)
    assert carry_away(station, stick) == 0
    assert capsys.readouterr().err == ""


def mark(station, note: str, session: str = SESSION, time_ns: int = 7) -> Mark:
    made = Mark(session=session_id(session), node=LEFT, time_ns=time_ns, note=note)
    station.ledger.mark(made)
    return made


async def test_marks_go_by_stick_and_are_known_before_a_segment_is_confirmed(station, stick, true_hub):
    marks = [mark(station, "goal", time_ns=7), mark(station, "save", time_ns=9)]
    station.close_segment(0, last=True)
    for _ in range(2):
        assert carry_away(station, stick) == 0
        assert await take_in(stick, true_hub) == 0
        assert true_hub.book.of(SESSION) == marks
    assert true_hub.confirmed == [(0, True)]
    assert true_hub.known == [["goal", "save"]]


async def test_a_later_export_brings_the_marks_up_to_date(station, stick, true_hub):
    station.close_segment(0)
    mark(station, "goal")
    carry_away(station, stick)
    await take_in(stick, true_hub)
    marks = [mark(station, "no goal"), mark(station, "save", time_ns=9)]
    assert carry_away(station, stick) == 0, "now nothing of the session waits to be copied"
    assert await take_in(stick, true_hub) == 0
    assert [mark.note for mark in true_hub.book.of(SESSION)] == ["goal"]
    for _ in range(2):
        assert carry_away(station, stick, "--session", SESSION) == 0
        assert await take_in(stick, true_hub) == 0
        assert true_hub.book.of(SESSION) == marks


def test_marks_that_stand_on_the_stick_already_are_not_written_again(station, stick):
    station.close_segment(0)
    mark(station, "goal")
    copied(station, stick)
    path = stick / marks_path(SESSION, LEFT)
    before = path.stat().st_ino
    copied(station, stick)
    assert path.stat().st_ino == before
    path.write_bytes(path.read_bytes()[:-1])
    copied(station, stick)
    assert [mark.note for mark in unseal(path.read_bytes(), NodeMarks, TOKEN).marks] == ["goal"]


def test_marks_of_a_session_that_is_not_exported_stay_at_the_node(station, stick):
    station.close_segment(0)
    mark(station, "elsewhere", session="s2")
    carry_away(station, stick)
    assert list(stick.rglob("*.marks")) == []


async def test_an_older_hub_gets_the_segments_and_the_marks_are_told_as_left_out(station, stick, older_hub, capsys):
    station.close_segment(0)
    mark(station, "goal")
    carry_away(station, stick)
    assert await take_in(stick, older_hub) == 1
    told = capsys.readouterr().err
    assert "touchline.marks: the hub takes no marks of this session, or is too old to take any" in told
    assert told.count("left out") == 1
    assert older_hub.confirmed == [(0, False)]


async def test_marks_of_a_session_the_hub_does_not_know_are_left_out_in_its_words(station, stick, true_hub, capsys):
    station.close_segment(0)
    path = stick / marks_path(session_id("s2"), LEFT)
    copied(station, stick)
    path.parent.mkdir(parents=True)
    path.write_bytes(seal(NodeMarks(session=session_id("s2"), node=LEFT, marks=()), TOKEN))
    assert await take_in(stick, true_hub) == 1
    assert "this hub has no session s2" in capsys.readouterr().err
    assert true_hub.confirmed == [(0, False)]


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda raw: seal(unseal(raw, NodeMarks, TOKEN), "another-token"), "was not written with the rig's token"),
        (lambda raw: raw.replace(b"goal", b"save"), "was not written with the rig's token"),
        (lambda raw: seal(StickReceipts(confirmed=()), TOKEN), "expected a node-marks, got a stick-receipts"),
        (lambda raw: raw + b" " * (1 << 20), "is too large to be a list of marks"),
        (
            lambda raw: seal(NodeMarks(session=SESSION, node=node_id("right"), marks=()), TOKEN),
            "holds the marks of session s1 and node right",
        ),
    ],
)
async def test_what_is_not_the_nodes_marks_is_left_out_and_the_segments_are_not(
    station, stick, true_hub, capsys, spoil, says
):
    station.close_segment(0)
    mark(station, "goal")
    copied(station, stick)
    path = stick / marks_path(SESSION, LEFT)
    path.write_bytes(spoil(path.read_bytes()))
    assert await take_in(stick, true_hub) == 1
    assert says in capsys.readouterr().err
    assert true_hub.book.of(SESSION) == []
    assert true_hub.confirmed == [(0, False)]


async def test_a_wrong_token_imports_no_marks(station, stick, true_hub):
    station.close_segment(0)
    mark(station, "goal")
    copied(station, stick)
    assert await take_in(stick, true_hub, "wrong") == 1
    path = stick / marks_path(SESSION, LEFT)
    path.write_bytes(seal(unseal(path.read_bytes(), NodeMarks, TOKEN), "wrong"))
    assert await take_in(stick, true_hub, "wrong") == 2, "sealed with the token shown, but it is not the hub's"
    assert true_hub.book.of(SESSION) == []
