"""The match as people entered it, and the package that the hub hands to the viewer."""

import msgspec

from wire.events import Event
from wire.ids import SessionId
from wire.message import Message
from wire.panorama import PanoramaView
from wire.pitch import Pitch
from wire.pitch_tracks import TeamSide


class Team(msgspec.Struct, frozen=True):
    """A team's name and the colour of its outfield shirts as `#rrggbb`, empty when nobody entered it."""

    name: str
    colour: str = ""


class MatchSheet(Message, frozen=True, kw_only=True):
    """What a coach enters before the match: the pitch, the teams, and where they start.

    `home_starts` is the half, as the rig sees it, that the home team defends first; empty when nobody said.
    """

    KIND = "match-sheet"
    VERSION = 1

    title: str
    pitch: Pitch
    home: Team
    away: Team
    home_starts: str = ""


class PackagedFile(msgspec.Struct, frozen=True):
    """One file of a match package: its path inside it, its size and its SHA-256 in hexadecimal."""

    path: str
    bytes: int
    sha256: str


class Clip(msgspec.Struct, frozen=True):
    """A cut around an event: `event` indexes the package's events, start and end in seconds of the panorama."""

    path: str
    thumbnail: str
    event: int
    start_s: float
    end_s: float


class PlayerStatistics(msgspec.Struct, frozen=True):
    """What one track ran, in metres and metres per second, and for how long it was followed."""

    track: int
    team: TeamSide
    distance_m: float
    top_speed_mps: float
    followed_s: float


class MatchPackage(Message, frozen=True, kw_only=True):
    """`package.json` at the head of a match package: an uncompressed tar of the files it lists.

    Paths: `panorama` the archive video, `poster` a picture of it, `tracks` the columnar pitch tracks. `start_ns` is the
    rig time of the panorama's first frame and of every `time_s`. `view` says where the panorama shows a place of the
    pitch; None in packages older than the field. `blurred` are the tracks that are blurred in every file.
    """

    KIND = "match-package"
    VERSION = 1

    session: SessionId
    sheet: MatchSheet
    start_ns: int
    duration_s: float
    panorama: str
    panorama_width_px: int
    panorama_height_px: int
    poster: str
    tracks: str
    events: tuple[Event, ...]
    clips: tuple[Clip, ...]
    statistics: tuple[PlayerStatistics, ...]
    files: tuple[PackagedFile, ...]
    view: PanoramaView | None = None
    blurred: tuple[int, ...] = ()
