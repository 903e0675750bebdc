"""Every table of the portal, for migrations and for whoever needs the whole schema."""

import viewer.accounts.models
import viewer.audit.models
import viewer.clubs.models
import viewer.devices.models
import viewer.games.models
import viewer.imports.models
import viewer.jobs.models
import viewer.mail.models
import viewer.privacy.models
import viewer.shares.models  # noqa: F401 - imported for their tables
from viewer.db.base import Base

metadata = Base.metadata
