"""Every kind of job and every periodic duty of the portal, brought by its fields."""

from viewer.accounts import credentials
from viewer.games import intake
from viewer.imports import duties as imports
from viewer.jobs import housekeeping
from viewer.jobs.duties import Kind, Periodic
from viewer.mail import digests
from viewer.media import sweeping
from viewer.privacy import duties as privacy

KINDS: tuple[Kind, ...] = tuple(
    kind for field in (intake, credentials, digests, imports, sweeping, privacy) for kind in field.KINDS
)
PERIODIC: tuple[Periodic, ...] = tuple(
    duty for field in (housekeeping, digests, imports, sweeping, privacy) for duty in field.PERIODIC
)
