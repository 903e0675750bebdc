"""What an import run was made from, so that it can be compared again before it is applied."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the snapshot of runs that wait."""
    op.add_column("import_run", sa.Column("snapshot", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    """Forget the snapshots."""
    with op.batch_alter_table("import_run") as batch_op:
        batch_op.drop_column("snapshot")
