"""A small world for tests of the portal: two clubs, everybody whom it knows, and clients that are signed in as them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from litestar import Litestar
from litestar.testing import TestClient

from viewer.accounts.models import Role
from viewer.accounts.people import make_user
from viewer.accounts.service import new_sign_in
from viewer.clubs.models import Duty, Season, TeamPlayer
from viewer.clubs.rosters import make_admin, make_coach, make_organization, make_parent, make_player, make_team
from viewer.db import Database
from viewer.devices.keys import make_device, make_key
from viewer.games.models import Clip, Game, GameEvent, HeatMap, PlayerGameStats, Recording, RecordingFile
from viewer.games.movement import packed
from viewer.sealing import Seal
from viewer.settings import Settings
from viewer.web.access import cookie_name
from viewer.web.app import build_app
from viewer.web.portal import Portal

START = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)
NOW = START + timedelta(days=2)
PASSWORD = "green grass 11"
OURS, THEIRS = "1795341600-0a1b2c3d4e", "1795341600-ffffffffff"
"""Sessions of our U12's recorded game and of the other club's."""
FILES = {"panorama.mp4": b"panorama" * 500, "poster.jpg": b"poster", "match.tracks": b"", "clips/000.mp4": b"clip" * 50}


class SettableClock:
    """A clock that stands until it is set."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now


@dataclass
class World:
    """`ids` names the rows: ours, theirs (clubs); u12, u14, their_u12 (teams); robin, kim, jo, alex, sam (players);
    game, their_game; device, their_device; clip, their_clip. `users` names users by what they are.
    """

    portal: Portal
    app: Litestar
    clock: SettableClock
    ids: dict[str, int] = field(default_factory=dict)
    users: dict[str, int] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        """Its database."""
        return self.portal.database

    @contextmanager
    def client(
        self, who: str | None = None, *, strong: bool = True, html: bool = True
    ) -> Iterator[TestClient[Litestar]]:
        """A browser, signed in as one of `users` (with or without a second factor), or as nobody."""
        headers = {"Accept": "text/html"} if html else {}
        with TestClient(self.app, raise_server_exceptions=False) as client:
            client.headers.update(headers)
            client.follow_redirects = False
            if who is not None:
                key = self.sign_in(who, strong=strong)
                # As if the portal had set it, so that a fresh cookie replaces it.
                client.cookies.set(cookie_name(self.portal), key, domain="testserver.local", path="/")
            yield client

    def sign_in(self, who: str, *, strong: bool = True) -> str:
        """The cookie's value of a fresh sign-in."""
        now = self.clock()
        with self.database.writing() as session:
            return new_sign_in(session, self.users[who], now, strong_at=now if strong else None)


def make_world(database: Database, settings: Settings) -> World:
    """The world in a database with today's tables."""
    clock = SettableClock()
    portal = Portal(settings, database, lambda: None, Seal(b"the portal's secret for tests...."), clock=clock)
    world = World(portal, build_app(portal), clock)
    with database.writing() as session:
        _fill(session, world, settings)
    return world


def _fill(session, world: World, settings: Settings) -> None:
    ours, theirs = (make_organization(session, name, NOW) for name in ("Riverside Rovers", "Hillside United"))
    seasons = [
        Season(organization_id=club.id, name="2026/27", starts_on=date(2026, 8, 1), ends_on=date(2027, 7, 31))
        for club in (ours, theirs)
    ]
    session.add_all(seasons)
    session.flush()
    u12, u14, their_u12 = (
        make_team(session, club, name, NOW) for club, name in ((ours, "U12"), (ours, "U14"), (theirs, "U12"))
    )
    for team, season in ((u12, seasons[0]), (u14, seasons[0]), (their_u12, seasons[1])):
        team.season_id = season.id
    day = date(2026, 8, 15)
    robin, kim = (make_player(session, u12, first, "Example", day, NOW) for first in ("Robin", "Kim"))
    alex = make_player(session, u14, "Alex", "Elder", day, NOW)
    sam = make_player(session, their_u12, "Sam", "Strange", day, NOW)
    # Jo left the U12 before its recorded game.
    jo = make_player(session, u12, "Jo", "Former", day, NOW)
    session.query(TeamPlayer).filter_by(player_id=jo.id).one().left_on = date(2026, 10, 1)

    def user(name: str, role: Role):
        made = make_user(session, f"{name}@example.org", name.replace("_", " ").title(), None, NOW, role)
        world.users[name] = made.id
        return made

    user("platform_admin", Role.PLATFORM_ADMIN)
    user("nobody_in_particular", Role.PARENT)
    make_admin(session, user("club_admin", Role.CLUB_ADMIN), ours, NOW)
    make_admin(session, user("their_admin", Role.CLUB_ADMIN), theirs, NOW)
    make_coach(session, user("coach", Role.COACH), u12, Duty.COACH, NOW)
    make_coach(session, user("manager", Role.MANAGER), u12, Duty.MANAGER, NOW)
    make_coach(session, user("u14_coach", Role.COACH), u14, Duty.COACH, NOW)
    make_coach(session, user("their_coach", Role.COACH), their_u12, Duty.COACH, NOW)
    make_parent(session, user("parent", Role.PARENT), robin, "mother", NOW)
    make_parent(session, user("kims_parent", Role.PARENT), kim, "father", NOW)
    make_parent(session, user("u14_parent", Role.PARENT), alex, "father", NOW)
    make_parent(session, user("their_parent", Role.PARENT), sam, "mother", NOW)
    make_parent(session, user("former_parent", Role.PARENT), jo, "mother", NOW)
    robin.user_id = user("player", Role.PLAYER).id
    hub, their_hub = make_device(session, "hub", u12, NOW), make_device(session, "hub", their_u12, NOW)
    world.keys = {"hub": make_key(session, hub, NOW), "their_hub": make_key(session, their_hub, NOW)}
    game, clip = _game(session, u12, "Hillside United", OURS, hub.id, settings)
    their_game, their_clip = _game(session, their_u12, "Riverside Rovers", THEIRS, their_hub.id, settings)
    world.ids = {
        **{"ours": ours.id, "theirs": theirs.id, "u12": u12.id, "u14": u14.id, "their_u12": their_u12.id},
        **{"robin": robin.id, "kim": kim.id, "alex": alex.id, "sam": sam.id, "jo": jo.id},
        **{"game": game, "clip": clip, "their_game": their_game, "their_clip": their_clip},
        **{"device": hub.id, "their_device": their_hub.id},
    }


def _game(session, team, opponent: str, name: str, device: int, settings: Settings) -> tuple[int, int]:
    import numpy as np

    game = Game(
        organization_id=team.organization_id,
        team_id=team.id,
        opponent=opponent,
        starts_at=START,
        made_at=NOW,
        teams=[team],
    )
    game.teams = [team]
    game.our_score, game.their_score, game.processed_at = 2, 1, NOW
    recording = Recording(
        session=name,
        game=game,
        device_id=device,
        folder=f"{name}/0123456789abcdef",
        home=team.organization.name,
        away=opponent,
        our_side="home",
        home_colour="#c8452f",
        away_colour="#2f62c0",
        pitch_length_m=105,
        pitch_width_m=68,
        players_a_side=11,
        start_ns=int(START.timestamp()) * 10**9,
        duration_s=20.0,
        panorama="panorama.mp4",
        panorama_width_px=320,
        panorama_height_px=120,
        view=None,
        poster="poster.jpg",
        tracks="match.tracks",
        bytes=sum(map(len, FILES.values())),
        received_at=NOW,
    )
    recording.events = [
        GameEvent(ordinal=0, time_s=8.0, type="goal", side="home", x_m=50, y_m=0, confidence=0.9, track=3)
    ]
    clip = Clip(event_ordinal=0, path="clips/000.mp4", thumbnail="poster.jpg", start_s=4.0, end_s=10.0)
    recording.clips = [clip]
    recording.stats = [PlayerGameStats(track=3, side="home", distance_m=812, top_speed_mps=6.1, followed_s=19.0)]
    recording.heat_maps = [HeatMap(track=3, rows=34, columns=52, tenths=packed(np.ones((34, 52))))]
    recording.files = [RecordingFile(path=p, bytes=len(b), sha256="ab" * 32) for p, b in FILES.items()]
    session.add(recording)
    session.flush()
    for path, data in FILES.items():
        file = settings.media / recording.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return game.id, clip.id
