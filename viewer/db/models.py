"""Every table of the portal, for migrations and for whoever needs the whole schema."""

from viewer.accounts.models import Account, SignIn, SignInTry
from viewer.db.base import Base
from viewer.devices.models import DeviceKey
from viewer.jobs.models import Job
from viewer.mail.models import Mail
from viewer.matches.models import Clip, Match, MatchEvent, MatchFile, MatchTeam, PlayerNumbers
from viewer.teams.models import Club, Membership, Team

metadata = Base.metadata

__all__ = [
    "Account",
    "Clip",
    "Club",
    "DeviceKey",
    "Job",
    "Mail",
    "Match",
    "MatchEvent",
    "MatchFile",
    "MatchTeam",
    "Membership",
    "PlayerNumbers",
    "SignIn",
    "SignInTry",
    "Team",
    "metadata",
]
