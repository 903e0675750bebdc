"""What an import run was made from, so that it can be compared again before it is applied.

Revision 0005, after 0004. Runs in one transaction: a failure leaves nothing behind.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the snapshot of runs that wait."""
    op.add_column("import_run", sa.Column("snapshot", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    """Forget the snapshots."""
    op.drop_column("import_run", "snapshot")
