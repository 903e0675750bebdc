import numpy as np
import pytest

from hub.statistics import FASTEST_MPS, player_statistics
from wire.pitch_tracks import PitchTracks, Role, TeamSide, Track

FPS = 25.0


def tracks_of(xy, frame=None, role=Role.PLAYER):
    frame = np.arange(len(xy)) if frame is None else frame
    return PitchTracks(
        start_ns=0,
        frames_per_second=FPS,
        tracks=(Track(1, role, TeamSide.HOME if role is Role.PLAYER else TeamSide.NONE),),
        frame=np.asarray(frame, np.int64),
        track=np.ones(len(xy), np.int64),
        xy=np.asarray(xy, np.float64),
        seen=np.ones(len(xy), np.bool_),
    )


def line(speed, seconds):
    t = np.arange(round(seconds * FPS) + 1) / FPS
    return np.column_stack([speed * t, np.zeros_like(t)])


@pytest.mark.parametrize("speed", [1.0, 4.0, 8.5])
def test_a_steady_run_has_its_length_and_its_speed(speed):
    (got,) = player_statistics(tracks_of(line(speed, 10)))
    assert got.distance_m == pytest.approx(10 * speed, rel=0.005)
    assert got.top_speed_mps == pytest.approx(speed, rel=0.005)
    assert got.followed_s == pytest.approx(10.04)


def test_a_circle_has_its_circumference():
    t = np.arange(501) / FPS
    angle = 2 * np.pi * t / 20
    (got,) = player_statistics(tracks_of(10 * np.column_stack([np.cos(angle), np.sin(angle)])))
    assert got.distance_m == pytest.approx(2 * np.pi * 10, rel=0.01)


def test_standing_in_noise_covers_hardly_any_ground():
    xy = np.random.default_rng(3).normal(0, 0.03, (1500, 2))
    (got,) = player_statistics(tracks_of(xy))
    assert got.distance_m < 3


def test_noise_does_not_make_a_runner_faster():
    xy = line(6.0, 20) + np.random.default_rng(4).normal(0, 0.05, (501, 2))
    (got,) = player_statistics(tracks_of(xy))
    assert got.top_speed_mps == pytest.approx(6.0, abs=0.4)


def test_a_leap_of_the_tracker_is_no_sprint():
    xy = line(5.0, 10)
    xy[120:] += (30.0, 0.0)
    (got,) = player_statistics(tracks_of(xy))
    assert got.top_speed_mps <= FASTEST_MPS
    assert got.top_speed_mps == pytest.approx(5.0, rel=0.05)
    assert got.distance_m < 55


def test_the_way_across_a_hole_is_not_run():
    xy = line(5.0, 10)
    keep = np.r_[0:100, 150:251]
    (got,) = player_statistics(tracks_of(xy[keep], frame=keep))
    assert got.distance_m == pytest.approx(5.0 * (99 + 100) / FPS, rel=0.01)
    assert got.followed_s == pytest.approx(len(keep) / FPS)


@pytest.mark.parametrize("role", [Role.REFEREE, Role.BALL])
def test_only_players_have_statistics(role):
    assert player_statistics(tracks_of(line(3, 5), role=role)) == []


def test_a_single_row_is_followed_but_ran_nowhere():
    (got,) = player_statistics(tracks_of([[1.0, 2.0]]))
    assert (got.distance_m, got.top_speed_mps) == (0.0, 0.0)
