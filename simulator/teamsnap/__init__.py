"""A TeamSnap that never was: good enough to develop the portal's import against, and to show it in a demo."""

from simulator.teamsnap.service import FakeTeamSnap, run_fake, running_fake

__all__ = ["FakeTeamSnap", "run_fake", "running_fake"]
