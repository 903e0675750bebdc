"""The portal's whole ground: people, clubs, games, devices, privacy, imports; with what 0001 held.

Revision 0002, after 0001. Runs in one transaction: a failure leaves nothing behind.
"""

from alembic import op

from viewer.db.migrations.ground import (
    back,
    clubs,
    devices,
    first,
    forward,
    games,
    imports,
    people,
    privacy,
    work,
)
from viewer.db.migrations.ground.aside import count_on, drop_aside, set_aside
from viewer.db.migrations.versions import first_tables

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_FIELDS = (people, clubs, devices, games, privacy, imports, work)
_TABLES = tuple(table for field in _FIELDS for table in field.TABLES)
"""Each after those it refers to."""
_MADE_UP = ("player", "team_player")
"""Tables of 0002 whose rows, numbers and all, the carrying makes up itself."""


def upgrade() -> None:
    """To this revision."""
    connection = op.get_bind()
    set_aside(connection, first.TABLES)
    for field in _FIELDS:
        field.make()
    forward.carry(connection)
    count_on(connection, (*first.LATER, *_MADE_UP), first.LATER)
    drop_aside(connection, first.TABLES)


def downgrade() -> None:
    """Back to the one before."""
    connection = op.get_bind()
    set_aside(connection, _TABLES)
    first_tables.upgrade()
    back.carry(connection)
    earlier = {old: new for new, old in first.LATER.items() if new not in ("device", "game")}
    count_on(connection, earlier, earlier)
    drop_aside(connection, _TABLES)
