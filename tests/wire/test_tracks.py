"""`.tracks` of both versions: what goes in comes out, what is damaged is refused, and who is older is told so."""

import contextlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from wire.columns import pack, unpack_columns, unpack_head
from wire.errors import MalformedMessage, NewerVersion, WireError
from wire.ids import node_id, session_id
from wire.tracks import (
    Kind,
    OldTracksHead,
    SegmentTracks,
    Tracklet,
    TracksHead,
    decode_tracks,
    encode_tracks,
    read_tracks_head,
)

SESSION, NODE = session_id("0000000001-aa"), node_id("left")
VERSIONS = st.sampled_from([1, 2])
GOLDEN = Path(__file__).with_name("version-1.tracks")
"""Written by version 1 itself, of `SEEN`."""
ZERO_NS = 1_700_000_000_123_456_789
SEEN = SegmentTracks(
    session=session_id("1700000000-0123456789"),
    node=NODE,
    sequence=12,
    width_px=1920,
    height_px=1080,
    detector="onnx",
    tracklets=(Tracklet(4, Kind.PERSON, (93, 140, 120)), Tracklet(7, Kind.BALL), Tracklet(9, Kind.PERSON)),
    frame_times_ns=ZERO_NS + np.array([0, 40_000_001, 79_999_998, 120_000_000]),
    frame=np.array([0, 1, 2, 1, 3, 3]),
    tracklet=np.array([4, 4, 4, 7, 7, 9]),
    box=np.array(
        [
            [100, 200, 140.5, 300.5],
            [102.25, 200.5, 142.75, 301],
            [104.375, 201, 144.875, 301.5],
            [-3.5, 500, 8.5, 512],
            [900, 20, 912, 32],
            [1900.25, 1000, 1930.25, 1079.75],
        ]
    ),
    score=np.array([204, 204, 204, 51, 51, 255]) / 255,
)


@st.composite
def segment_tracks(draw):
    n = draw(st.integers(0, 12))
    m = draw(st.integers(0, 60)) if n else 0
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    pairs = sorted({(int(rng.integers(0, 9)), int(rng.integers(0, n))) for _ in range(m)})
    ids = np.array([p[0] for p in pairs], np.int64)
    corner = rng.uniform(-50, 4000, (len(pairs), 2))
    colour = st.none() | st.tuples(*[st.integers(0, 255)] * 3)
    known = draw(st.permutations(sorted({*ids.tolist(), *draw(st.sets(st.integers(0, 2**31 - 1), max_size=3))})))
    return SegmentTracks(
        session=SESSION,
        node=NODE,
        sequence=3,
        width_px=4056,
        height_px=2160,
        detector="onnx",
        tracklets=tuple(Tracklet(i, draw(st.sampled_from(Kind)), draw(colour)) for i in known),
        frame_times_ns=1_700_000_000_000_000_000 + np.cumsum(rng.integers(1, 10**9, n)),
        frame=np.array([p[1] for p in pairs], np.int64),
        tracklet=ids,
        box=np.concatenate([corner, corner + rng.uniform(1, 300, (len(pairs), 2))], axis=1),
        score=rng.uniform(0, 1, len(pairs)),
    )


def assert_same(one: SegmentTracks, other: SegmentTracks) -> None:
    for name, value in vars(one).items():
        np.testing.assert_array_equal(getattr(other, name), value, err_msg=name)


@given(segment_tracks(), VERSIONS)
def test_tracks_survive_within_a_quarter_pixel(tracks, version):
    raw = encode_tracks(tracks, version)
    back = decode_tracks(raw)
    assert read_tracks_head(raw).detections == len(tracks.frame)
    np.testing.assert_array_equal(back.frame_times_ns, tracks.frame_times_ns)
    np.testing.assert_array_equal(back.frame, tracks.frame)
    np.testing.assert_array_equal(back.tracklet, tracks.tracklet)
    np.testing.assert_allclose(back.box, tracks.box, atol=0.13)
    np.testing.assert_allclose(back.score, tracks.score, atol=0.5 / 255 + 1e-9)
    assert (back.tracklets, back.node, back.detector) == (tracks.tracklets, tracks.node, tracks.detector)
    assert all(type(tracklet.kind) is Kind for tracklet in back.tracklets)


@given(segment_tracks(), st.data(), VERSIONS)
def test_no_edge_of_any_box_moves_by_more_than_an_eighth_of_a_pixel(tracks, data, version):
    boxes = data.draw(hnp.arrays(np.float64, tracks.box.shape, elements=st.floats(-1e6, 1e6)))
    back = decode_tracks(encode_tracks(replace(tracks, box=boxes), version))
    assert np.abs(back.box - boxes).max(initial=0.0) <= 0.125 + 1e-6


@given(segment_tracks())
def test_both_versions_say_the_same_to_the_last_bit(tracks):
    assert_same(decode_tracks(encode_tracks(tracks, 1)), decode_tracks(encode_tracks(tracks, 2)))


@given(segment_tracks(), st.randoms(use_true_random=False))
def test_the_order_of_the_detections_does_not_matter(tracks, random):
    rows = list(range(len(tracks.frame)))
    random.shuffle(rows)
    mixed = {name: getattr(tracks, name)[np.array(rows, np.int64)] for name in ("frame", "tracklet", "box", "score")}
    assert encode_tracks(replace(tracks, **mixed)) == encode_tracks(tracks)


@given(segment_tracks(), st.integers(0, 400), st.integers(0, 255), VERSIONS)
def test_a_damaged_tracks_file_is_refused_or_differs_but_never_crashes(tracks, at, value, version):
    raw = bytearray(encode_tracks(tracks, version))
    raw[at % len(raw)] = value
    with contextlib.suppress(WireError):
        decode_tracks(bytes(raw))


@given(segment_tracks(), st.data(), VERSIONS)
def test_a_tracks_file_that_was_cut_is_refused(tracks, data, version):
    raw = encode_tracks(tracks, version)
    with pytest.raises(MalformedMessage):
        decode_tracks(raw[: data.draw(st.integers(0, len(raw) - 1))])


def test_a_file_that_version_1_wrote_is_read_as_it_was_meant():
    assert_same(decode_tracks(GOLDEN.read_bytes()), SEEN)
    assert_same(decode_tracks(encode_tracks(SEEN)), SEEN)


def test_what_is_written_for_a_reader_of_version_1_is_what_version_1_wrote():
    shapes = [(4, "u4"), *[(6, "u4")] * 6, (6, "u1")]
    (head, body), (golden, meant) = (
        unpack_head(b"TLtk", raw, OldTracksHead) for raw in (encode_tracks(SEEN, 1), GOLDEN.read_bytes())
    )
    assert head == golden
    for column, other in zip(unpack_columns(body, shapes), unpack_columns(meant, shapes), strict=True):
        np.testing.assert_array_equal(column, other)


def test_a_program_that_knows_only_version_1_is_told_to_be_updated():
    with pytest.raises(NewerVersion, match=r"version 2, .* up to version 1: update it first"):
        unpack_head(b"TLtk", encode_tracks(SEEN), OldTracksHead)


def test_a_newer_reader_gets_the_newest_there_is():
    assert encode_tracks(SEEN, 99) == encode_tracks(SEEN)
    assert read_tracks_head(encode_tracks(SEEN)).VERSION == TracksHead.VERSION == 2


@given(st.permutations(range(1000)), st.randoms(use_true_random=False))
def test_a_tracklet_costs_no_more_than_a_few_bytes(ids, random):
    def seen(n):
        lab = [tuple(random.randrange(256) for _ in range(3)) for _ in range(n)]
        return replace(SEEN, tracklets=tuple(Tracklet(i, Kind.PERSON, c) for i, c in zip(ids[:n], lab, strict=True)))

    assert len(encode_tracks(seen(60))) - len(encode_tracks(seen(0))) < 60 * 6


def packed(*, tracklets=1, detections=1, kind=0, identity=0, score=0) -> bytes:
    """A file of one tracklet with one detection, or one whose head or columns say otherwise."""
    head = TracksHead(
        session=SESSION,
        node=NODE,
        sequence=0,
        width_px=2,
        height_px=2,
        frames=1,
        detections=detections,
        tracklets=tracklets,
        first_frame_ns=0,
        detector="motion",
    )
    known = [np.array([value], np.uint8) for value in (kind, 0, 0, 0, 0)]
    one = np.zeros(1, np.uint32)
    rows = np.array([0, 0, 0, 0, 0, score], np.uint32)
    return pack(b"TLtk", head, [one, *known, one, np.array([identity], np.uint32), rows])


def test_the_least_file_is_read():
    back = decode_tracks(packed(kind=1, score=2 * 255))
    assert (back.tracklets, back.score.tolist()) == ((Tracklet(0, Kind.BALL),), [1.0])


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"tracklets": -1}, "absurd"),
        ({"detections": -1}, "absurd"),
        ({"tracklets": 1 << 40}, "absurd"),
        ({"detections": 1 << 40}, "absurd"),
        ({"tracklets": 2}, "do not match"),
        ({"detections": 2}, "do not match"),
        ({"kind": 7}, "no known kind"),
        ({"identity": 1}, "negative"),
        ({"score": 1}, "out of its range"),
        ({"score": 2 * 256}, "out of its range"),
    ],
    ids=str,
)
def test_a_file_that_says_what_cannot_be_is_refused_with_the_reason(wrong, says):
    with pytest.raises(MalformedMessage, match=says):
        decode_tracks(packed(**wrong))
