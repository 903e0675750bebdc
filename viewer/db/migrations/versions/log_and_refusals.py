"""A club's log is read in its own order, and refusals have an index of their own.

Revision 0006, after 0005. Runs in one transaction: a failure leaves nothing behind.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """To this revision."""
    # By time alone nobody asks, and PostgreSQL would take it for a club's days as well.
    op.drop_index("ix_audit_entry_at", table_name="audit_entry")
    op.drop_index("ix_audit_entry_organization_id_at", table_name="audit_entry")
    op.create_index("ix_audit_entry_organization_id_at_id", "audit_entry", ["organization_id", "at", "id"])
    op.create_index("ix_consent_record_scope_given", "consent_record", ["scope", "given", "player_id"])


def downgrade() -> None:
    """Back to the revision before."""
    op.drop_index("ix_consent_record_scope_given", table_name="consent_record")
    op.drop_index("ix_audit_entry_organization_id_at_id", table_name="audit_entry")
    op.create_index("ix_audit_entry_organization_id_at", "audit_entry", ["organization_id", "at"])
    op.create_index("ix_audit_entry_at", "audit_entry", ["at"])
