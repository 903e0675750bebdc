from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from hub import spells
from hub.calibrate import estimate_clock_offsets, estimate_clocks, with_clock_offsets
from hub.rigs import RigHistory
from wire.ids import session_id
from wire.rig import CameraModel, Rig
from wire.tracks import Kind, SegmentTracks, Tracklet

START = 1_800_000_000_000_000_000
Path = Callable[[np.ndarray], np.ndarray]


def walkers(rng: np.random.Generator, number: int, speed: float = 1.0) -> list[Path]:
    """People who swing about a place, each in an own rhythm."""
    out = []
    for _ in range(number):
        x0, y0 = rng.uniform(-48, 48), rng.uniform(-28, 25)
        ax, ay, w, phase = rng.uniform(2, 6), rng.uniform(1, 4), rng.uniform(0.3, 0.9) * speed, rng.uniform(0, 6)
        out.append(
            lambda t, x0=x0, y0=y0, ax=ax, ay=ay, w=w, p=phase: np.stack(
                [x0 + ax * np.sin(w * t + p), y0 + ay * np.cos(0.7 * w * t + p)], axis=1
            )
        )
    return out


def recorded(
    camera: CameraModel, people: list[Path], *, late_s: float, seconds: float, rng: np.random.Generator
) -> SegmentTracks:
    """What `camera` notes when its clock runs `late_s` behind and its frames fall where they like."""
    true = np.arange(0.013 * len(camera.node), seconds, 0.04)
    rows = []
    for k, path in enumerate(people):
        feet = camera.project(np.hstack([path(true), np.zeros((len(true), 1))]))
        feet = feet + rng.normal(0, 1.5, feet.shape) + rng.normal(0, 1.0, 2)
        for frame in np.flatnonzero(camera.sees(np.nan_to_num(feet, nan=-1.0), 10)):
            u, v = feet[frame]
            if rng.random() < 0.8:
                rows.append((frame, k, u - 12, v - 70, u + 12, v))
    table = np.array(rows).reshape(-1, 6)
    return SegmentTracks(
        session=session_id("s"),
        node=camera.node,
        sequence=0,
        width_px=camera.width_px,
        height_px=camera.height_px,
        detector="motion",
        tracklets=tuple(Tracklet(k, Kind.PERSON) for k in range(len(people))),
        frame_times_ns=(START + (true - late_s) * 1e9).astype(np.int64),
        frame=table[:, 0].astype(np.int64),
        tracklet=table[:, 1].astype(np.int64),
        box=table[:, 2:],
        score=np.ones(len(table)),
    )


@pytest.mark.parametrize("late", [(0.0, 0.0, 0.0), (0.13, 0.0, -0.27), (-1.31, 0.0, 0.9)])
def test_offsets_are_found_to_a_few_milliseconds(mast_rig: Rig, rng: np.random.Generator, late):
    people = walkers(rng, 24)
    tracks = {
        camera.node: [recorded(camera, people, late_s=late[i], seconds=12.0, rng=rng)]
        for i, camera in enumerate(mast_rig.cameras)
    }
    found = estimate_clocks(RigHistory(mast_rig), START, START + 12_000_000_000, lambda node, *_: tracks[node])
    for camera, truth in zip(mast_rig.cameras, late, strict=True):
        estimate = found[camera.node]
        assert estimate.offset_ns / 1e9 == pytest.approx(truth, abs=0.012)
        assert abs(estimate.offset_ns / 1e9 - truth) <= 4 * estimate.uncertainty_ns / 1e9
    assert found[mast_rig.cameras[1].node].offset_ns == 0


def test_a_long_match_is_looked_at_spell_by_spell_and_one_that_tells_nothing_does_no_harm(
    mast_rig: Rig, rng: np.random.Generator, monkeypatch
):
    monkeypatch.setattr(spells, "SPELL_S", 8)
    asked = []

    def moving(people, seconds):
        return [recorded(c, people, late_s=0.2 * i, seconds=seconds, rng=rng) for i, c in enumerate(mast_rig.cameras)]

    playing, resting = moving(walkers(rng, 24), 24.0), moving(walkers(rng, 24, speed=0.0), 24.0)
    nodes = [camera.node for camera in mast_rig.cameras]

    def seen(node, first_ns, last_ns):
        asked.append((first_ns, last_ns))
        whole = (resting if first_ns == START else playing)[nodes.index(node)]
        at = whole.frame_times_ns[whole.frame]
        rows = (at >= first_ns) & (at < last_ns)
        yield replace(
            whole, frame=whole.frame[rows], tracklet=whole.tracklet[rows], box=whole.box[rows], score=whole.score[rows]
        )

    found = estimate_clocks(RigHistory(mast_rig), START, START + 24_000_000_000, seen)
    assert {(last - first) / 1e9 for first, last in asked} == {8.0}
    for i, node in enumerate(nodes):
        assert found[node].offset_ns / 1e9 == pytest.approx(0.2 * (i - 1), abs=0.02)


def test_people_who_stand_still_tell_nothing_and_the_clocks_are_left_alone(mast_rig: Rig, rng: np.random.Generator):
    people = walkers(rng, 20, speed=0.0)
    tracks = {
        camera.node: [recorded(camera, people, late_s=0.4 * i, seconds=5.0, rng=rng)]
        for i, camera in enumerate(mast_rig.cameras)
    }
    found = estimate_clock_offsets(RigHistory(mast_rig), START, START + 5_000_000_000, lambda node, *_: tracks[node])
    assert set(found.values()) == {0}


def test_without_tracks_nothing_is_claimed(mast_rig: Rig):
    found = estimate_clocks(RigHistory(mast_rig), START, START + 5_000_000_000, lambda *_: ())
    assert {estimate.offset_ns for estimate in found.values()} == {0}


def test_offsets_are_stored_with_their_cameras(mast_rig: Rig):
    rig = with_clock_offsets(mast_rig, {mast_rig.cameras[2].node: 7})
    assert [camera.clock_offset_ns for camera in rig.cameras] == [0, 0, 7]
