"""Every kind of job and every periodic duty of the portal, brought by its fields."""

from viewer.accounts import credentials
from viewer.games import intake
from viewer.jobs import housekeeping
from viewer.jobs.duties import Kind, Periodic
from viewer.mail import digests
from viewer.media import sweeping
from viewer.privacy import duties as privacy

KINDS: tuple[Kind, ...] = (*intake.KINDS, *credentials.KINDS, *digests.KINDS, *sweeping.KINDS, *privacy.KINDS)
PERIODIC: tuple[Periodic, ...] = (*housekeeping.PERIODIC, *digests.PERIODIC, *sweeping.PERIODIC, *privacy.PERIODIC)
