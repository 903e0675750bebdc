"""Rows of work are claimed by an index; news for digests and refused addresses are kept.

Revision 0003, after 0002. Runs in one transaction: a failure leaves nothing behind.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """To this revision."""
    for table in ("job", "mail"):
        op.drop_index(op.f(f"ix_{table}_state"), table_name=table)
        op.create_index(op.f(f"ix_{table}_state_due_at_id"), table, ["state", "due_at", "id"], unique=False)
    op.add_column("user_account", sa.Column("refused_mail", sa.String(length=320), nullable=True))
    op.create_table(
        "digest_item",
        sa.Column("user_id", WHOLE, nullable=False),
        sa.Column("recording_id", WHOLE, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recording.id"], name=op.f("fk_digest_item_recording_id_recording"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_digest_item_user_id_user_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "recording_id", name=op.f("pk_digest_item")),
    )
    op.create_index(op.f("ix_digest_item_recording_id"), "digest_item", ["recording_id"], unique=False)
    op.create_index(op.f("ix_digest_item_told_at"), "digest_item", ["told_at"], unique=False)


def downgrade() -> None:
    """Back to the revision before."""
    op.drop_table("digest_item")
    op.drop_column("user_account", "refused_mail")
    for table in ("job", "mail"):
        op.drop_index(op.f(f"ix_{table}_state_due_at_id"), table_name=table)
        op.create_index(op.f(f"ix_{table}_state"), table, ["state"], unique=False)
