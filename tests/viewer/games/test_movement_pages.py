"""Where a player was, from the kept heat map or, for recordings older than those, from the tracks."""

import pytest
from sqlalchemy import delete, select

from tests.viewer.packages import made_up_tracks
from tests.viewer.world import OURS
from viewer.games import movement
from viewer.games.models import HeatMap, PlayerGameStats, Recording
from wire.pitch_tracks import encode_pitch_tracks


@pytest.fixture
def carried(world):
    """The world's game without heat maps, with real tracks."""
    tracks = made_up_tracks(5)
    with world.database.writing() as session:
        recording = session.scalars(select(Recording).where(Recording.session == OURS)).one()
        session.execute(delete(HeatMap).where(HeatMap.recording_id == recording.id))
        numbers = {"side": "home", "distance_m": 1.0, "top_speed_mps": 1.0, "followed_s": 1.0}
        session.add(PlayerGameStats(recording_id=recording.id, track=5, **numbers))
        file = world.portal.settings.media / recording.folder / "match.tracks"
    file.write_bytes(encode_pitch_tracks(tracks))
    return world, tracks


def test_a_recording_without_kept_heat_maps_shows_them_from_its_tracks(carried):
    world, tracks = carried
    with world.client("parent") as client:
        told = client.get(f"/matches/{OURS}/players/3").json()
    seconds = movement.heat(tracks, 3, 105, 68)
    assert told["heat"] == [[round(float(v), 1) for v in row] for row in seconds]
    assert sum(map(sum, told["thirds"])) == pytest.approx(1)


def test_a_track_that_is_no_player_of_the_match_has_no_heat_map(carried):
    world, _ = carried
    with world.client("parent") as client:
        assert client.get(f"/matches/{OURS}/players/24").status_code == 404
        assert client.get(f"/matches/{OURS}/players/99").status_code == 404


def test_a_kept_heat_map_is_shown_as_it_is(world):
    with world.client("parent") as client:
        told = client.get(f"/matches/{OURS}/players/3").json()
    assert told["heat"] == [[1.0] * 52] * 34
