"""Each difficulty changes what it is about."""

import math

import numpy as np
import pytest

from simulator.scenes import HOPELESS, Difficulty
from wire.pitch import Pitch

PITCH = Pitch()


def along_lines(seen):
    """How white the markings of the left half are, every metre of them."""
    out = []
    for line in PITCH.lines():
        length = math.hypot(line.x1 - line.x0, line.y1 - line.y0)
        for t in np.linspace(0.03, 0.97, max(4, int(length))):
            x, y = line.x0 + t * (line.x1 - line.x0), line.y0 + t * (line.y1 - line.y0)
            if -52.6 < x <= 0:
                out.append(seen.whiteness(x, y))
    return np.array(out)


def paint_px(seen, colour, reach=40.0):
    return int((np.abs(seen.picture - np.array(colour)).max(axis=2) < reach).sum())


def grass(seen):
    """Colours of the ground on a grid that keeps off the markings."""
    return np.array([seen.at(x, y, 3) for x in np.arange(-34.5, -10, 1.7) for y in np.arange(-31.0, 31, 2.3)])


def test_worn_lines_are_thin_on_the_whole_and_gone_in_places(above):
    fresh, worn = along_lines(above()), along_lines(above(Difficulty.WORN_LINES))
    assert np.median(worn) < 0.65 * np.median(fresh)
    assert (worn < 15).mean() > 0.08
    assert (fresh < 15).mean() < 0.01
    assert len(above(Difficulty.WORN_LINES).world.paint.markings) == len(above().world.paint.markings) - 1


def test_thin_lines_have_less_paint(above):
    def paint(seen):
        return np.clip((seen.picture[..., :2].min(axis=2) - 125) / 90, 0, 1).sum()

    assert paint(above(Difficulty.THIN_LINES)) < 0.85 * paint(above())


def test_a_low_sun_casts_hard_shadows_over_a_part_of_the_pitch(above):
    lit = above(Difficulty.SHADOWS).world.sun.lit.values
    assert 0.05 < (lit < 0.5).mean() < 0.6
    assert ((lit > 0.1) & (lit < 0.9)).mean() < 0.02
    dark, bright = np.percentile(above(Difficulty.SHADOWS).picture[..., 1] / above().picture[..., 1], [2, 90])
    assert dark < 0.6
    assert bright > 1.0


def test_a_track_is_red_with_white_lanes_and_moves_the_boards_out(above):
    seen = above(Difficulty.TRACK)
    across = np.array([seen.at(-20.0, 34.0 + d) for d in np.arange(3.3, 8.4, 0.04)])
    red = across[:, 0] > across[:, 1] + 40
    assert red.mean() > 0.8
    assert (across.min(axis=1) > 140).any()
    assert not (np.array([above().at(-20.0, 36.0 + d) for d in np.arange(0, 1.4, 0.2)])[:, 0] > 150).any()


@pytest.mark.parametrize(
    ("hard", "colour"), [(Difficulty.YELLOW_LINES, (215, 192, 62)), (Difficulty.BLUE_LINES, (72, 117, 184))]
)
def test_other_pitches_are_painted_in_their_colour(hard, colour, above):
    assert paint_px(above(hard), colour) > 3000 + paint_px(above(), colour)


def test_another_sport_is_painted_in_the_same_white(above):
    paint = (225, 228, 218)
    assert paint_px(above(Difficulty.WHITE_LINES), paint) > 1.3 * paint_px(above(), paint)


def test_a_crowd_stands_on_the_markings(above):
    def off(seen):
        lines = PITCH.lines()
        a = np.array([(line.x0, line.y0) for line in lines])
        b = np.array([(line.x1, line.y1) for line in lines])
        gaps = []
        for spot in seen.world.people.xy:
            t = np.clip(((spot - a) * (b - a)).sum(axis=1) / ((b - a) ** 2).sum(axis=1), 0, 1)
            straight = np.linalg.norm(a + t[:, None] * (b - a) - spot, axis=1).min()
            rings = [abs(np.hypot(*(spot - (arc.x, arc.y))) - arc.radius) for arc in PITCH.arcs()]
            gaps.append(min(straight, *rings))
        return np.array(gaps)

    assert np.percentile(off(above(Difficulty.ON_LINES)), 90) < 0.4
    assert np.median(off(above())) > 1.0


def test_goal_mouths_are_bare_earth_without_paint(above):
    seen = above(Difficulty.BARE_MOUTHS)
    red, green, _ = seen.at(-50.5, 0.0, 9)
    assert red > green
    assert abs(seen.whiteness(-52.5, 1.0)) < 0.4 * above().whiteness(-52.5, 1.0)
    assert seen.whiteness(-36.0, 15.0) == pytest.approx(above().whiteness(-36.0, 15.0), abs=1)


def test_wet_stripes_make_the_grass_uneven_and_artificial_turf_makes_it_even(above):
    uneven, plain, even = (
        grass(above(*hard))[:, 1].std() for hard in ((Difficulty.WET_STRIPES,), (), (Difficulty.ARTIFICIAL,))
    )
    assert uneven > 2 * plain > 2 * 1.1 * even


def test_paint_stands_out_less_from_pale_autumn_grass(above):
    assert np.median(along_lines(above(Difficulty.AUTUMN))) < 0.75 * np.median(along_lines(above()))
    pale, green = (grass(above(*hard)).mean(axis=0) for hard in ((Difficulty.AUTUMN,), ()))
    assert pale[0] / pale[1] > 0.9
    assert green[0] / green[1] < 0.8


@pytest.mark.parametrize("hard", [Difficulty.SNOW, Difficulty.NO_PITCH])
def test_snow_and_a_meadow_show_no_line(hard, above):
    seen = along_lines(above(hard))
    assert np.abs(np.median(seen)) < 5
    assert (grass(above(hard)).mean() > 150) == (hard is Difficulty.SNOW)


def test_night_is_dark_and_noisy(clean, small_scene):
    night = small_scene("mast", (Difficulty.NIGHT,))
    assert night.pictures[1].mean() < 0.45 * clean.pictures[1].mean()
    assert night.truth.faults[1].noise_sigma > 4


def test_video_overshoots_along_lines_and_has_blocks(clean, small_scene):
    video = small_scene("mast", (Difficulty.VIDEO,)).pictures[1].astype(int)
    plain = clean.pictures[1].astype(int)
    assert np.abs(video - plain).mean() < 8
    beside = np.abs(np.diff(video[..., 1], axis=1))
    joints = beside[:, 7::8].mean() / beside[:, 3::8].mean()
    was = np.abs(np.diff(plain[..., 1], axis=1))
    assert joints > 1.02 * was[:, 7::8].mean() / was[:, 3::8].mean()
    assert video[300:, :, 1].max() > plain[300:, :, 1].max() - 2
    assert np.percentile(video[300:, :, 1] - plain[300:, :, 1], 0.1) < -8


def test_fog_takes_what_is_far(clean, small_scene):
    foggy = small_scene("mast", (Difficulty.FOG,))
    far = slice(20, 80)
    assert foggy.pictures[1][far].std() < 0.4 * clean.pictures[1][far].std()
    assert foggy.pictures[1][-100:].std() > 0.4 * clean.pictures[1][-100:].std()


def test_a_camera_that_is_turned_away_sees_no_pitch(small_scene):
    away = small_scene("mast", (Difficulty.AWAY,)).rig.cameras[-1]
    points = np.array([(x, y, 0.0) for x, y in PITCH.points().values()])
    assert not away.sees(np.nan_to_num(away.project(points), nan=-1.0)).any()


def test_what_is_hopeless_is_marked_so():
    assert {Difficulty.SNOW, Difficulty.NO_PITCH, Difficulty.AWAY} <= HOPELESS
    assert Difficulty.SHADOWS not in HOPELESS
