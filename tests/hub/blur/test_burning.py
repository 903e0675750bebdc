"""The blur in every file: nobody is recognised inside of the boxes, and nothing changes outside of them."""

import shutil

import av
import cv2
import numpy as np
import pytest

from hub.blur import Box, boxes_at, burn, mend, obscure
from hub.picture import Picture
from hub.rendering import cut_followed, thumbnail
from tests.hub.blur.conftest import HIDDEN, OTHER, SIZE, SMALL
from wire.pitch_tracks import PitchTracks


def pictures(path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="gray").astype(np.int16) for frame in container.decode(video=0)]


def part(picture: np.ndarray, box, scale: float = 1.0) -> np.ndarray:
    left, top, right, bottom = (round(edge * scale) for edge in box)
    return picture[top:bottom, left:right]


def detail(part: np.ndarray) -> float:
    """How much changes from a pixel to the next: what a face or a number is made of."""
    return float(np.abs(np.diff(part, axis=1)).mean())


@pytest.fixture
def burned(panorama):
    """The panorama's archive as it was and as it is, and what was burned into it."""
    before = pictures(panorama.archive)
    plain = panorama.archive.with_name("plain.mp4")
    shutil.copyfile(panorama.archive, plain)
    windows = {path.name: path.read_bytes() for path in panorama.root.glob("*.m4s")}
    assert burn(panorama.root, panorama.archive, panorama.view, panorama.tracks, [HIDDEN]) == 2
    return panorama, before, plain, windows


def test_the_player_is_unrecognisable_in_the_panorama_and_all_else_is_as_it_was(burned):
    panorama, before, _, _ = burned
    after = pictures(panorama.archive)
    assert len(after) == len(before) == 150
    for frame in (100, 120, 149):
        [box] = boxes_at(panorama.view, panorama.tracks, [HIDDEN], frame / 25)
        shirt, blurred = part(before[frame], box), part(after[frame], box)
        assert detail(shirt) > 10
        assert detail(blurred) < 0.25 * detail(shirt)
        # Whoever knows the shirt does not find it again.
        assert (
            np.corrcoef(shirt.ravel() - cv2.blur(shirt.astype(np.float32), (9, 9)).ravel(), blurred.ravel())[0, 1] < 0.2
        )
        away = np.abs(after[frame] - before[frame])
        part(away, box)[:] = 0
        assert away.mean() < 1.5
        [other] = boxes_at(panorama.view, panorama.tracks, [OTHER], frame / 25)
        assert detail(part(after[frame], other)) > 0.8 * detail(part(before[frame], other))


def test_windows_that_show_nobody_to_blur_stay_the_same_bytes(burned):
    panorama, _, _, windows = burned
    now = {path.name: path.read_bytes() for path in panorama.root.glob("*.m4s")}
    assert [name for name in sorted(now) if now[name] != windows[name]] == ["00000001.m4s", "00000002.m4s"]
    assert sorted(path.name for path in panorama.root.parent.iterdir() if path.is_dir()) == ["panorama"]


def test_preview_and_thumbnail_are_blurred_too(burned):
    panorama, before, _, _ = burned
    scale = SMALL / SIZE[0]
    [box] = boxes_at(panorama.view, panorama.tracks, [HIDDEN], 4.0)
    small = panorama.root / "preview"
    joined = panorama.root.parent / "preview.mp4"
    joined.write_bytes((small / "init.mp4").read_bytes() + (small / "00000002.m4s").read_bytes())
    shown = pictures(joined)[0]
    plain = cv2.resize(before[100].astype(np.float32), shown.shape[::-1], interpolation=cv2.INTER_AREA)
    assert detail(part(shown, box, scale)) < 0.6 * detail(part(plain, box, scale))
    picture = cv2.imread(str(panorama.root / "thumbnails" / "00000002.jpg"), cv2.IMREAD_GRAYSCALE)
    assert picture.shape == (53, 160)
    assert picture.mean() > 50


def test_a_clip_and_a_poster_made_afterwards_show_nobody(burned):
    panorama, _, plain, _ = burned
    [box] = boxes_at(panorama.view, panorama.tracks, [HIDDEN], 4.4)
    centre = ((box.left + box.right) / 2, (box.top + box.bottom) / 2)

    def shown(archive, name: str) -> tuple[float, float]:
        clip, poster = archive.with_name(f"{name}.mp4"), archive.with_name(f"{name}.jpg")
        cut_followed(archive, clip, 4.0, 1.0, SIZE, [(0.0, *centre)])
        thumbnail(archive, poster, 4.4, width=SIZE[0])
        still = cv2.imread(str(poster), cv2.IMREAD_GRAYSCALE).astype(np.int16)
        frame = pictures(clip)[10]
        # The clip shows 70 % of the height, with the player in its middle as far as its edges allow.
        scale = 720 / (0.7 * SIZE[1])
        left = min(max(centre[0] - 0.7 * SIZE[1] * 16 / 18, 0), SIZE[0] - 0.7 * SIZE[1] * 16 / 9)
        top = min(max(centre[1] - 0.35 * SIZE[1], 0), 0.3 * SIZE[1])
        inside = part(frame, (box.left - left, box.top - top, box.right - left, box.bottom - top), scale)
        return detail(inside), detail(part(still, box))

    (clip_before, still_before), (clip_after, still_after) = shown(plain, "before"), shown(panorama.archive, "after")
    assert clip_after < 0.35 * clip_before
    assert still_after < 0.35 * still_before


def test_burning_again_after_a_power_cut_between_the_renames_finds_the_panorama(panorama):
    root = panorama.root
    shutil.copytree(root, root.with_name("panorama.blurred"))
    root.rename(root.with_name("panorama.plain"))
    mend(root)
    assert (root / "panorama.m3u8").exists()
    assert not root.with_name("panorama.plain").exists()
    assert burn(root, panorama.archive, panorama.view, panorama.tracks, [HIDDEN]) == 2


def test_windows_that_would_not_join_are_all_coded_anew(panorama, monkeypatch):
    from hub.panorama import encoder

    monkeypatch.setattr("hub.blur.burning.software", lambda: encoder.software(crf=20))
    before = pictures(panorama.archive)
    burn(panorama.root, panorama.archive, panorama.view, panorama.tracks, [HIDDEN])
    after = pictures(panorama.archive)
    assert len(after) == len(before)
    assert all(np.abs(a - b).mean() < 3 for a, b in zip(after[:50], before[:50], strict=True))


def test_a_gap_in_a_track_is_bridged_and_its_ends_are_held(panorama):
    tracks = panorama.tracks
    gone = (tracks.track == HIDDEN) & (tracks.frame > 110) & (tracks.frame < 140)
    keep = ~gone
    gappy = PitchTracks(
        0, 25.0, tracks.tracks, tracks.frame[keep], tracks.track[keep], tracks.xy[keep], tracks.seen[keep]
    )
    for time_s, there in ((2.9, 0), (3.2, 1), (4.2, 1), (5.0, 1), (6.5, 1), (7.1, 0)):
        assert len(boxes_at(panorama.view, gappy, [HIDDEN], time_s)) == there, time_s


def test_a_box_takes_in_the_whole_person_and_stays_in_the_picture(panorama):
    [box] = boxes_at(panorama.view, panorama.tracks, [HIDDEN], 4.0)
    x, y = panorama.tracks.of(HIDDEN)[1][0]
    for height in (0.0, 1.0, 1.85):
        u, v = panorama.view.to_pixel(x, y, height)
        assert box.left < u < box.right
        assert box.top < v < box.bottom
    assert all(edge % 2 == 0 for edge in box)


def test_colours_are_blurred_with_the_luma():
    rng = np.random.default_rng(1)
    planes = Picture(*(rng.integers(0, 255, size, np.uint8) for size in ((40, 40), (20, 20), (20, 20))))
    before = [plane.copy() for plane in planes]
    obscure(planes, [Box(8, 8, 32, 32)])
    for plane, was, edges in zip(planes, before, ((8, 32), (4, 16), (4, 16)), strict=True):
        inside = plane[edges[0] : edges[1], edges[0] : edges[1]]
        assert detail(inside.astype(np.int16)) < 10
        changed = plane != was
        changed[edges[0] : edges[1], edges[0] : edges[1]] = False
        assert not changed.any()
