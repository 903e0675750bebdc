import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from wire import pitch_tracks
from wire.clicks import Click, clicks_csv, read_clicks
from wire.columns import deltas, undeltas
from wire.errors import BadId, BadPitch, BadTable, MalformedMessage, NewerVersion, WireError
from wire.events import Event, EventType, events_csv
from wire.ids import new_session_id, node_id, session_id
from wire.marks import Mark, MarkRequest, NodeMarks
from wire.match import Clip, MatchPackage, MatchSheet, PackagedFile, PlayerStatistics, Team
from wire.message import Message, decode, encode
from wire.panorama import PanoramaView
from wire.pitch import FORMATS, Pitch, default_pitch, parse_pitch
from wire.pitch_tracks import (
    PitchTracks,
    Role,
    TeamSide,
    Track,
    decode_pitch_tracks,
    encode_pitch_tracks,
    pitch_tracks_csv,
)
from wire.privacy import BlurOrders, HiddenNumbers, HiddenTracks
from wire.proof import HubProof, Sealed
from wire.readiness import Finding, GateReport, SelfTestReport, Verdict
from wire.rig import CameraModel, Lens, Quality, Rig, looking
from wire.session import NodeStatus, SegmentKey, SegmentOffer, SegmentReceipt, StartRecording
from wire.stick import ReceiptsTaken, StickReceipts
from wire.tracks import decode_tracks
from wire.tus.store import UploadRecord

SESSION, NODE = session_id("0000000001-aa"), node_id("left")
KEY = SegmentKey(SESSION, NODE, 7)
SHEET = MatchSheet(title="Reds v Blues", pitch=Pitch(), home=Team("Reds", "#c00000"), away=Team("Blues"))
CAMERA = CameraModel(
    NODE,
    1920,
    1080,
    Lens(1500.0, 960.0, 540.0, -0.25, 0.07),
    looking(-40, -15, 0.5),
    (0.0, -40.0, 7.0),
    12,
)
OFFER = SegmentOffer(
    key=KEY,
    start_ns=1,
    end_ns=2,
    frames=50,
    video_bytes=9,
    video_sha256="00",
    tracks_bytes=1,
    tracks_sha256="ff",
    clock_uncertainty_ns=5,
    clock_offset_ns=-3,
    last=True,
)
MESSAGES = [
    SHEET,
    StartRecording(session=SESSION, start_ns=9, planned_minutes=90, override=("clock",)),
    GateReport(
        node=NODE,
        at_ns=9,
        gates=(Finding(code="disk", verdict=Verdict.FAIL, sentence="full", beep="disk", numbers={"free_bytes": 1.0}),),
        overridden=("clock",),
    ),
    SelfTestReport(
        node=NODE, at_ns=9, seconds=10.0, stages=(Finding(code="camera", verdict=Verdict.PASS, sentence="sees"),)
    ),
    OFFER,
    HubProof(nonce="00", proof="ff"),
    Sealed(text="{}", seal="00"),
    BlurOrders(
        teams=(HiddenNumbers(team="Reds", numbers=("7", "10")),),
        sessions=(HiddenTracks(session=SESSION, tracks_sha256="ff", tracks=(3, 8)),),
    ),
    StickReceipts(confirmed=(OFFER,)),
    MarkRequest(time_ns=9, session=SESSION, note="goal?"),
    Mark(session=SESSION, node=NODE, time_ns=9),
    NodeMarks(session=SESSION, node=NODE, marks=(Mark(session=SESSION, node=NODE, time_ns=9),)),
    ReceiptsTaken(confirmed=(KEY,), passed_over=2),
    SegmentReceipt(key=KEY, video_wanted=True, tracks_wanted=False),
    NodeStatus(
        node=NODE,
        software="0.1.0",
        width_px=2,
        height_px=2,
        frames_per_second=25.0,
        recording=None,
        frames=0,
        frames_dropped=0,
        segments_waiting=0,
        detector="motion",
    ),
    UploadRecord(
        id="ab",
        length=9,
        metadata={"session": "s"},
        who="left",
        created_ns=1,
        expires_ns=2,
        partial=False,
        parts=(),
        completed=True,
    ),
    Rig(pitch=Pitch(), cameras=(CAMERA,), quality=Quality(clicks_px=3.9, trusted=True, notes=("a",))),
    MatchPackage(
        session=SESSION,
        sheet=SHEET,
        start_ns=3,
        duration_s=60.0,
        panorama="panorama.mp4",
        panorama_width_px=10,
        panorama_height_px=4,
        poster="poster.jpg",
        tracks="tracks.bin",
        events=(Event(time_s=1.5, type=EventType.GOAL, x_m=52.0, y_m=0.1, team=TeamSide.HOME, track=3),),
        clips=(Clip("clips/0.mp4", "clips/0.jpg", 0, 0.0, 9.0),),
        statistics=(PlayerStatistics(3, TeamSide.HOME, 120.0, 6.1, 60.0),),
        files=(PackagedFile("panorama.mp4", 5, "ab"),),
        view=PanoramaView(10, 4, 3.5, -1.4, 0.1, (0.0, -44.0, 7.0), 0.4),
    ),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: m.KIND)
def test_every_message_survives_a_round_trip(message):
    assert decode(encode(message), type(message)) == message
    assert decode(encode(message, indent=2), type(message)) == message


def test_every_message_type_is_among_the_ones_tested():
    from wire.pitch_tracks import PitchTracksHead
    from wire.tracks import OldTracksHead, TracksHead

    known = {type(m) for m in MESSAGES} | {TracksHead, OldTracksHead, PitchTracksHead}
    assert {kind for kind in Message.__subclasses__() if kind.__module__.startswith("wire.")} == known


@pytest.mark.parametrize("other", [{"session": "another"}, {"node": "right"}])
def test_a_nodes_marks_of_a_session_are_of_no_other(other):
    strange = Mark(**({"session": SESSION, "node": NODE, "time_ns": 9} | other))
    with pytest.raises(MalformedMessage, match="is not of session 0000000001-aa and node left"):
        NodeMarks(session=SESSION, node=NODE, marks=(strange,))


def test_a_match_package_from_before_the_panoramas_geometry_is_still_read():
    package = next(m for m in MESSAGES if isinstance(m, MatchPackage))
    envelope = msgspec.json.decode(encode(package))
    del envelope["body"]["view"]
    assert decode(msgspec.json.encode(envelope), MatchPackage) == msgspec.structs.replace(package, view=None)


class OldStartRecording(Message, frozen=True, kw_only=True):
    """A start order as nodes and hubs from before the gates know it."""

    KIND, VERSION = "start-recording", 1

    session: str
    start_ns: int


def test_start_orders_pass_between_those_from_before_the_gates_and_after():
    old, new = OldStartRecording(session=SESSION, start_ns=9), StartRecording(session=SESSION, start_ns=9)
    assert decode(encode(old), StartRecording) == new
    ordered = StartRecording(session=SESSION, start_ns=9, planned_minutes=90, override=("clock",))
    assert decode(encode(ordered), OldStartRecording) == old


class OldSegmentOffer(Message, frozen=True, kw_only=True):
    """An offer as nodes and hubs from before the clock's offset know it."""

    KIND, VERSION = "segment-offer", 1

    key: SegmentKey
    start_ns: int
    end_ns: int
    frames: int
    video_bytes: int
    video_sha256: str
    tracks_bytes: int
    tracks_sha256: str
    clock_uncertainty_ns: int
    last: bool


def test_offers_pass_between_those_from_before_the_clocks_offset_and_after():
    old = OldSegmentOffer(**{name: getattr(OFFER, name) for name in OldSegmentOffer.__struct_fields__})
    assert decode(encode(old), SegmentOffer) == msgspec.structs.replace(OFFER, clock_offset_ns=None)
    assert decode(encode(OFFER), OldSegmentOffer) == old


class OldSegmentReceipt(Message, frozen=True, kw_only=True):
    """A receipt as nodes and hubs from before the second version of `.tracks` know it."""

    KIND, VERSION = "segment-receipt", 1

    key: SegmentKey
    video_wanted: bool
    tracks_wanted: bool


def test_receipts_pass_between_those_from_before_tracks_had_two_versions_and_after():
    new = SegmentReceipt(key=KEY, video_wanted=True, tracks_wanted=False, tracks_version=2)
    old = OldSegmentReceipt(key=KEY, video_wanted=True, tracks_wanted=False)
    assert decode(encode(old), SegmentReceipt) == msgspec.structs.replace(new, tracks_version=1)
    assert decode(encode(new), OldSegmentReceipt) == old


@pytest.mark.parametrize("minutes", [0, -1, 1441, "long"])
def test_a_plan_that_no_match_has_is_refused(minutes):
    body = {"session": SESSION, "start_ns": 9, "planned_minutes": minutes}
    with pytest.raises(MalformedMessage):
        decode(msgspec.json.encode({"kind": "start-recording", "version": 1, "body": body}), StartRecording)


def gate(code, verdict):
    return Finding(code=code, verdict=verdict, sentence=f"the {code} is {verdict}")


def test_a_gate_is_closed_when_it_failed_and_nobody_overrode_it():
    gates = (gate("disk", Verdict.FAIL), gate("clock", Verdict.FAIL), gate("supply", Verdict.WARN))
    report = GateReport(node=NODE, at_ns=1, gates=gates, overridden=("clock", "supply", "moon"))
    assert [gate.code for gate in report.closed] == ["disk"]
    assert report.sentence == "the disk is fail (disk)"
    assert GateReport(node=NODE, at_ns=1, gates=gates, overridden=("clock", "disk")).closed == ()


def test_a_self_test_passes_with_a_warning_and_fails_with_a_failure():
    for worst, passed in ((Verdict.PASS, True), (Verdict.WARN, True), (Verdict.FAIL, False)):
        stages = (gate("camera", Verdict.PASS), gate("hub", worst))
        assert SelfTestReport(node=NODE, at_ns=1, seconds=10, stages=stages).passed is passed


def test_a_message_of_another_kind_is_refused():
    with pytest.raises(MalformedMessage, match="expected a rig, got a match-sheet"):
        decode(encode(SHEET), Rig)


def test_a_newer_version_is_refused_with_advice():
    raw = encode(SHEET).replace(b'"version":1', b'"version":2')
    with pytest.raises(NewerVersion, match="update"):
        decode(raw, MatchSheet)


@given(st.binary(max_size=60))
def test_junk_is_refused_as_malformed(junk):
    for read in (lambda raw: decode(raw, Rig), decode_tracks, decode_pitch_tracks):
        with pytest.raises(WireError):
            read(junk)


@given(st.data(), hnp.arrays(np.int64, st.integers(0, 40), elements=st.integers(-(2**30), 2**30 - 1)))
def test_deltas_are_undone_exactly_with_and_without_groups(data, values):
    groups = np.sort(data.draw(hnp.arrays(np.int64, len(values), elements=st.integers(0, 4))))
    np.testing.assert_array_equal(undeltas(deltas(values)), values)
    np.testing.assert_array_equal(undeltas(deltas(values, groups), groups), values)


def test_values_whose_difference_is_no_int32_are_refused_instead_of_stored_wrongly():
    with pytest.raises(MalformedMessage, match="too far apart"):
        deltas(np.array([-(2**30), 2**30], np.int64))


def small_tracks():
    frame = np.array([0, 1, 2, 1, 2], np.int64)
    return PitchTracks(
        start_ns=5,
        frames_per_second=25.0,
        tracks=(Track(1, Role.PLAYER, TeamSide.HOME), Track(4, Role.BALL)),
        frame=frame,
        track=np.array([1, 1, 1, 4, 4], np.int64),
        xy=np.array([[0.004, 1], [2, -3.337], [4, 5], [-52.5, 34], [0, 0]]),
        seen=np.array([1, 0, 1, 1, 1], bool),
    )


def test_pitch_tracks_survive_within_a_centimetre():
    tracks = small_tracks()
    back = decode_pitch_tracks(encode_pitch_tracks(tracks))
    np.testing.assert_allclose(back.xy, tracks.xy, atol=0.0051)
    np.testing.assert_array_equal(back.frame, tracks.frame)
    np.testing.assert_array_equal(back.seen, tracks.seen)
    assert back.tracks == tracks.tracks


def test_pitch_tracks_csv_is_ordered_by_frame_and_names_kind_team_and_state():
    lines = "".join(pitch_tracks_csv(small_tracks())).splitlines()
    assert lines[0] == "frame,id,x_m,y_m,kind,team,state"
    assert lines[1:3] == ["0,1,0.00,1.00,player,home,seen", "1,1,2.00,-3.34,player,home,bridged"]
    assert lines[3] == "1,4,-52.50,34.00,ball,,seen"


def test_a_long_pitch_tracks_csv_comes_in_parts_of_whole_lines(monkeypatch):
    whole = "".join(pitch_tracks_csv(small_tracks()))
    monkeypatch.setattr(pitch_tracks, "_CSV_ROWS", 2)
    parts = list(pitch_tracks_csv(small_tracks()))
    assert [part.count("\n") for part in parts] == [3, 2, 1]
    assert "".join(parts) == whole


def test_events_csv_is_ordered_by_time_and_leaves_unknown_places_empty():
    text = events_csv([Event(time_s=9, type=EventType.CORNER), Event(time_s=1.234, type=EventType.PASS, x_m=1, y_m=2)])
    assert text.splitlines() == ["time_s,type,x_m,y_m,confidence", "1.23,pass,1.00,2.00,1.00", "9.00,corner,,,1.00"]


@given(st.lists(st.builds(Click, st.integers(0, 2), *[st.floats(-5000, 5000)] * 4), min_size=1, max_size=9))
def test_clicks_survive_to_a_thousandth(clicks):
    back = read_clicks(clicks_csv(clicks))
    assert [c.camera for c in back] == [c.camera for c in clicks]
    for a, b in zip(back, clicks, strict=True):
        assert math.isclose(a.u_px, b.u_px, abs_tol=6e-4)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "header"),
        ("camera,x_m\n1,2\n", "missing"),
        ("camera,x_m,y_m,u_px,v_px\n", "no click"),
        ("camera,x_m,y_m,u_px,v_px\n0,1,2,three,4\n", "line 2"),
        ("camera,x_m,y_m,u_px,v_px\n0,1,nan,3,4\n", "finite"),
        ("camera,x_m,y_m,u_px,v_px\n0,1,2,3," + "4" * 200_000, "not a CSV table"),
        ("camera," + "x" * 200_000, "not a CSV table"),
    ],
)
def test_broken_clicks_are_refused_with_the_reason(text, says):
    with pytest.raises(BadTable, match=says):
        read_clicks(text)


@pytest.mark.parametrize("bad", ["", "A", "../x", "a/b", "-a", "a" * 64, "a b"])
def test_ids_that_are_unsafe_in_a_path_are_refused(bad):
    with pytest.raises(BadId):
        session_id(bad)
    with pytest.raises(BadId):
        SegmentKey(SESSION, bad, 1)


def test_session_ids_sort_by_their_start():
    early, late = (new_session_id(t * 10**9, lambda n: b"\xff" * n) for t in (999, 1_000_000_000))
    assert early < late
    assert session_id(late) == late


@pytest.mark.parametrize("bad", ["", "105", "105x", "0x0", "10x10", "105x30", "inf x 3", "500x68"])
def test_impossible_pitches_are_refused(bad):
    with pytest.raises(BadPitch):
        parse_pitch(bad)


@pytest.mark.parametrize("players", sorted(FORMATS))
def test_markings_of_every_form_lie_on_the_pitch_and_end_on_one_another(players):
    pitch = default_pitch(players)
    names = [line.name for line in pitch.lines()] + [arc.name for arc in pitch.arcs()]
    assert len(names) == len(set(names)) == 17 + len(pitch.arcs())
    for line in pitch.lines():
        assert pitch.contains(line.x0, line.y0, 1e-9)
        assert pitch.contains(line.x1, line.y1, 1e-9)
    points = set(pitch.points().values())
    assert len(points) == len(pitch.points())
    for arc in pitch.arcs()[1:]:
        ends = [arc.x + arc.radius * math.cos(a) for a in (arc.start, arc.end)]
        assert np.allclose(np.abs(ends), pitch.half_length - pitch.form.penalty_area_depth)


def test_a_full_pitch_has_the_sizes_of_law_1():
    points = default_pitch(11).points()
    assert points["right penalty area far"] == (36.0, 20.16)
    assert points["left goal post near"] == (-52.5, -3.66)
    assert points["right penalty spot"] == (41.5, 0.0)


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        (StartRecording, "session"),
        (NodeStatus, "node"),
        (NodeStatus, "recording"),
        (GateReport, "node"),
        (SelfTestReport, "node"),
    ],
)
def test_a_message_with_an_id_that_is_none_can_be_neither_made_nor_read(kind, field):
    [good] = [message for message in MESSAGES if type(message) is kind]
    fields = {name: getattr(good, name) for name in kind.__struct_fields__}
    with pytest.raises(BadId):
        kind(**fields | {field: "../up"})
    envelope = {"kind": kind.KIND, "version": kind.VERSION, "body": fields | {field: "../up"}}
    with pytest.raises(MalformedMessage, match=r"is not a (session|node) id"):
        decode(msgspec.json.encode(envelope), kind)
