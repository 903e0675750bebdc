import cv2
import numpy as np
import pytest

import bench.panorama_quality
from bench.against_truth import blend_columns
from bench.likeness import likeness, luma
from bench.panorama_quality import compared, even_lit, ours
from bench.samples import Case, drawn
from bench.stitch_peers import Peer, hugin, opencv_parts


@pytest.fixture(scope="module")
def sample():
    return drawn(Case(size=(960, 540)), 11)


def against_truth(sample, shown, there):
    valid = sample.panorama.seen(sample.rig)
    return likeness(shown, there, luma(sample.panorama.picture), valid, blend_columns(sample.rig, sample.panorama))


def test_our_panorama_with_the_true_rig_is_like_the_truth_and_nearly_whole(sample):
    shown, there, spent = ours(even_lit(sample.rig, sample.pictures), sample.pictures, sample.panorama.view)
    like = against_truth(sample, shown, there)
    assert like.psnr > 36
    assert like.seam_psnr > 36
    assert like.covered > 0.998
    assert there.mean() < 0.999
    assert spent > 0


@pytest.mark.parametrize("bands", [0, 4])
def test_opencv_told_the_true_rig_lands_in_our_view_to_a_third_of_a_pixel(sample, bands):
    peer = opencv_parts("parts", sample.rig.cameras, sample.pictures, sample.panorama.view, bands)
    true = luma(sample.panorama.picture)
    assert peer.cpu_s > 0
    # Far things, on which its cylinder and ours agree.
    high = slice(0, 110)
    inner = cv2.erode(peer.there.astype(np.uint8), np.ones((15, 15)))[high] > 0
    assert inner.mean() > 0.3
    soft, soft_true = (cv2.GaussianBlur(x, (0, 0), 1.5)[high] * inner for x in (peer.shown, true))
    moved_px, _ = cv2.phaseCorrelate(soft.astype(np.float64), soft_true.astype(np.float64))
    assert np.hypot(*moved_px) < 0.34
    assert against_truth(sample, peer.shown, peer.there).psnr > 25


def test_hugin_is_left_out_with_a_reason_where_it_is_not_installed(monkeypatch, sample):
    monkeypatch.setenv("PATH", "/nowhere")
    peer = hugin("Hugin", sample.rig.cameras, sample.pictures, sample.panorama)
    assert peer.shown is None
    assert "enblend" in peer.failed


def test_goals_are_missed_aloud(monkeypatch, capsys, sample):
    true = luma(sample.panorama.picture)
    everywhere = np.ones(true.shape, bool)
    rival = Peer("cv2.Stitcher, true lens", true, everywhere, "best alignment", 1e-6)
    monkeypatch.setattr(bench.panorama_quality, "_peers", lambda _: [rival, Peer("nobody", failed="it is not here")])
    missed = compared(sample, 4)
    told = capsys.readouterr().out
    assert any("above cv2.Stitcher" in text for text in missed)
    assert any("cost" in text for text in missed)
    assert all(f"short: {text}" in told for text in missed)
    assert "it is not here" in told
