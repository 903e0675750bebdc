"""The made-up TeamSnap that tests run against.

It lives in `simulator/teamsnap`, because the demo needs it where no tests are installed.
"""

from simulator.teamsnap.people import OWNER, made_up
from simulator.teamsnap.service import CLIENT, SECRET, FakeTeamSnap, run_fake, running_fake

__all__ = ["CLIENT", "OWNER", "SECRET", "FakeTeamSnap", "made_up", "run_fake", "running_fake"]
