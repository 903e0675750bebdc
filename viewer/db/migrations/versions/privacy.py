"""What is blurred in a recording and who is not in it, clips that were taken away, and recordings that stay away.

Revision 0004, after 0003. Runs in one transaction: a failure leaves nothing behind.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """To this revision."""
    op.add_column("recording", sa.Column("blurred", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("clip", sa.Column("hidden_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("clip", sa.Column("removed", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("erasure", sa.Column("name", sa.String(length=63), server_default=sa.text("''"), nullable=False))
    op.create_index(op.f("ix_erasure_name"), "erasure", ["name"])
    op.create_table(
        "not_shown",
        sa.Column("recording_id", WHOLE, nullable=False),
        sa.Column("player_id", WHOLE, nullable=False),
        sa.Column("said_by", WHOLE, nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recording.id"], name=op.f("fk_not_shown_recording_id_recording"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["player_id"], ["player.id"], name=op.f("fk_not_shown_player_id_player"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["said_by"], ["user_account.id"], name=op.f("fk_not_shown_said_by_user_account"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("recording_id", "player_id", name=op.f("pk_not_shown")),
    )
    op.create_index(op.f("ix_not_shown_player_id"), "not_shown", ["player_id"])


def downgrade() -> None:
    """Back to the one before."""
    op.drop_table("not_shown")
    op.drop_index(op.f("ix_erasure_name"), "erasure")
    op.drop_column("erasure", "name")
    op.drop_column("clip", "removed")
    op.drop_column("clip", "hidden_at")
    op.drop_column("recording", "blurred")
