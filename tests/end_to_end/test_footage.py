"""The same way with the recorded two-camera clip instead of the simulated match."""

import csv
import json
from pathlib import Path

import av
import numpy as np
import pytest

from wire.clicks import read_clicks
from wire.message import decode
from wire.rig import Rig

pytestmark = [pytest.mark.slow, pytest.mark.footage]

CLICKS = Path(__file__).resolve().parents[1] / "data" / "two_cameras" / "clicks.csv"


@pytest.fixture(scope="module")
def day(demo, footage, tmp_path_factory):
    out = tmp_path_factory.mktemp("footage") / "out"
    run = demo("--footage", str(footage), "--clicks", str(CLICKS), "--pitch", "105x68", "--no-serve", "--out", str(out))
    assert run.returncode == 0, run.stdout + run.stderr
    return out


def test_the_clip_gives_a_panorama_of_its_five_seconds(day):
    with av.open(str(day / "panorama.mp4")) as video:
        frames = [frame.to_ndarray(format="gray") for frame in video.decode(video=0)]
    assert 110 <= len(frames) <= 126
    assert all(frame.std() > 20 for frame in frames)


def test_people_are_tracked_on_the_pitch(day):
    with (day / "tracks.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["kind"] == "player"]
    per_frame = np.bincount([int(row["frame"]) for row in rows])
    assert 14 <= np.median(per_frame) <= 24
    # Five seconds are short: people have to be there from the first second on.
    assert np.median(per_frame[:25]) >= 8
    assert all(abs(float(row["x_m"])) < 57 and abs(float(row["y_m"])) < 38 for row in rows)


def test_the_calibration_puts_the_clicked_points_where_they_were_clicked(day):
    rig = decode((day / "rig.json").read_bytes(), Rig)
    errors = []
    for click in read_clicks(CLICKS.read_text()):
        at = rig.cameras[click.camera].project([[click.x_m, click.y_m, 0.0]])[0]
        errors.append(float(np.hypot(*(at - [click.u_px, click.v_px]))))
    assert np.median(errors) < 6
    assert max(errors) < 25


def test_the_recordings_shift_was_found(day):
    rig = decode((day / "rig.json").read_bytes(), Rig)
    offsets = [camera.clock_offset_ns for camera in rig.cameras]
    # Known to a frame: the right camera's file begins 176 ms from the left's.
    assert abs(abs(offsets[0] - offsets[1]) - 176e6) < 40e6


def test_nodes_and_hub_take_no_more_memory_than_promised(day):
    peaks = {name: mb["peak"] for name, mb in json.loads((day / "costs.json").read_text())["memory_mb"].items()}
    assert max(peaks["node-left"], peaks["node-right"]) < 500
    assert peaks["hub"] < 1500
