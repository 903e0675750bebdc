"""Recordings of a small rig whose pictures say which frame they are, and the command that stitches them."""

from fractions import Fraction
from types import SimpleNamespace

import pytest

from hub.cli import main
from wire.message import encode

from ..panorama.conftest import read_frames, small_rig, write_video

__all__ = ["read_frames", "small_rig"]

SIZE = (480, 270)


@pytest.fixture
def shot(tmp_path, small_rig):
    """Both cameras record two and a half windows, the right one's clock three frames behind; `stitch` stitches them."""
    (tmp_path / "rig.json").write_bytes(encode(small_rig))
    out = tmp_path / "out"
    out.mkdir()

    def record(name, indices=range(125), rate=Fraction(25), stamps=None, size=SIZE, ending="mp4"):
        return write_video(tmp_path / f"{name}.{ending}", indices, rate, stamps, size)

    def stitch(*words, target="panorama.mp4", videos=None):
        given = [str(video) for video in videos or (tmp_path / "left.mp4", tmp_path / "right.mp4")]
        return main(
            ["stitch", "--rig", str(tmp_path / "rig.json"), *given, "-o", str(out / target), "--width", "640", *words]
        )

    record("left")
    # What the left camera calls 120 ms is the right one's beginning.
    record("right", range(3, 128))
    return SimpleNamespace(folder=tmp_path, out=out, record=record, stitch=stitch, panorama=out / "panorama.mp4")
