"""What a user may do: worked out from the links between users, clubs, teams and players, and from nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import IntEnum
from typing import Any

from sqlalchemy import BigInteger, CompoundSelect, Date, bindparam, cast, literal, null, select, union_all
from sqlalchemy.orm import Session

from viewer.accounts.models import Passkey, Role, Totp, User
from viewer.clubs.models import Duty, OrganizationAdmin, ParentPlayer, Player, TeamCoach, TeamPlayer


class Standing(IntEnum):
    """What somebody is to a thing; each holds the ones before it but for the two admins.

    A club's admin is more than a coach in the club. The platform's admin runs clubs and looks at no child's pictures.
    """

    NOBODY = 0
    PLATFORM = 1
    MEMBER = 2
    FAMILY = 3
    STAFF = 4
    COACH = 5
    CLUB = 6


@dataclass(frozen=True)
class Subject:
    """What is asked for: a thing of a club, of some of its teams, of one player; `day` is when a game was played.

    `withheld`: it shows somebody who is yet to be blurred, and is the staff's alone until then.
    """

    organization_id: int
    teams: frozenset[int] = frozenset()
    player: int | None = None
    day: date | None = None
    withheld: bool = False


@dataclass(frozen=True)
class Rights:
    """The links of one user. `rosters` names the teams they or their children play or played in, and until when.

    `second_factor` is whether they have set one up: an authenticator app or a passkey.
    """

    platform_admin: bool = False
    clubs: frozenset[int] = frozenset()
    coached: frozenset[int] = frozenset()
    managed: frozenset[int] = frozenset()
    children: frozenset[int] = frozenset()
    own: frozenset[int] = frozenset()
    rosters: Mapping[int, date | None] = field(default_factory=dict)
    second_factor: bool = False

    def standing(self, subject: Subject) -> Standing:
        """The highest standing that the user has to the subject."""
        if subject.organization_id in self.clubs:
            return Standing.CLUB
        if subject.teams & self.coached:
            return Standing.COACH
        if subject.teams & self.managed:
            return Standing.STAFF
        if self.stands_for(subject):
            return Standing.FAMILY
        if any(self._plays_in(team, subject.day) for team in subject.teams):
            return Standing.MEMBER
        return Standing.PLATFORM if self.platform_admin else Standing.NOBODY

    def stands_for(self, subject: Subject) -> bool:
        """Whether the user is the player's family or the player, whatever else they are to the team."""
        return subject.player is not None and subject.player in self.children | self.own

    def roles(self) -> frozenset[Role]:
        """Every role that the links make."""
        held = {
            Role.PLATFORM_ADMIN: self.platform_admin,
            Role.CLUB_ADMIN: bool(self.clubs),
            Role.COACH: bool(self.coached),
            Role.MANAGER: bool(self.managed),
            Role.PARENT: bool(self.children),
            Role.PLAYER: bool(self.own),
        }
        return frozenset(role for role, has in held.items() if has)

    @property
    def must_prove_twice(self) -> bool:
        """Whether a second factor is compulsory: for admins and coaches."""
        return self.platform_admin or bool(self.clubs or self.coached)

    def _plays_in(self, team: int, day: date | None) -> bool:
        # Whoever left sees what was played while they were there, and nothing of the team itself.
        if team not in self.rosters:
            return False
        until = self.rosters[team]
        return until is None or (day is not None and day <= until)


def _links() -> CompoundSelect[Any]:
    user, never = bindparam("user", type_=BigInteger), cast(null(), Date)
    on_roster = select(literal("roster"), TeamPlayer.team_id, TeamPlayer.left_on)
    return union_all(
        select(literal("club"), OrganizationAdmin.organization_id, never).where(OrganizationAdmin.user_id == user),
        select(literal("factor"), Totp.user_id, never).where(Totp.user_id == user, Totp.confirmed_at.is_not(None)),
        select(literal("factor"), Passkey.id, never).where(Passkey.user_id == user),
        select(TeamCoach.duty, TeamCoach.team_id, never).where(TeamCoach.user_id == user),
        select(literal("child"), ParentPlayer.player_id, never).where(ParentPlayer.user_id == user),
        select(literal("own"), Player.id, never).where(Player.user_id == user),
        on_roster.join(ParentPlayer, ParentPlayer.player_id == TeamPlayer.player_id).where(
            ParentPlayer.user_id == user
        ),
        on_roster.join(Player, Player.id == TeamPlayer.player_id).where(Player.user_id == user),
    )


_LINKS = _links()
"""Every link of a user, written once: putting it together takes longer than asking it."""


def rights_of(session: Session, user: User) -> Rights:
    """The rights of a user, by one query."""
    links: Any = session.execute(_LINKS, {"user": user.id})
    found: dict[str, set[int]] = {}
    rosters: dict[int, date | None] = {}
    for kind, number, until in links:
        if kind == "roster":
            rosters[number] = _later(until, rosters[number]) if number in rosters else until
        else:
            found.setdefault(kind, set()).add(number)
    return Rights(
        platform_admin=user.role == Role.PLATFORM_ADMIN,
        clubs=frozenset(found.get("club", ())),
        coached=frozenset(found.get(Duty.COACH, ())),
        managed=frozenset(found.get(Duty.MANAGER, ())),
        children=frozenset(found.get("child", ())),
        own=frozenset(found.get("own", ())),
        rosters=rosters,
        second_factor="factor" in found,
    )


def _later(one: date | None, other: date | None) -> date | None:
    return None if one is None or other is None else max(one, other)
