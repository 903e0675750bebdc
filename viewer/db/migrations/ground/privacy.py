"""Consent, audit, shares, and what is to be deleted."""

import sqlalchemy as sa
from alembic import op

from viewer.db.migrations.ground.kinds import WHOLE

TABLES = (
    "consent_text",
    "consent_record",
    "audit_entry",
    "erasure",
    "removal_request",
    "retention_warning",
    "share",
)


def make() -> None:
    """The tables, empty."""
    op.create_table(
        "consent_text",
        sa.Column("version", WHOLE, autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_consent_text")),
    )
    op.create_table(
        "consent_record",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("player_id", WHOLE, nullable=False),
        sa.Column("scope", sa.String(length=12), nullable=False),
        sa.Column("given", sa.Boolean(), nullable=False),
        sa.Column("given_by", WHOLE, nullable=True),
        sa.Column("given_by_mail", sa.String(length=320), nullable=False),
        sa.Column("text_version", WHOLE, nullable=False),
        sa.Column("source", sa.String(length=10), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["given_by"], ["user_account.id"], name=op.f("fk_consent_record_given_by_user_account"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["player_id"], ["player.id"], name=op.f("fk_consent_record_player_id_player"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["text_version"], ["consent_text.version"], name=op.f("fk_consent_record_text_version_consent_text")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent_record")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_consent_record_given_by"), "consent_record", ["given_by"])
    op.create_index("ix_consent_record_player_scope", "consent_record", ["player_id", "scope", "id"])
    op.create_table(
        "audit_entry",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_id", WHOLE, nullable=True),
        sa.Column("actor_mail", sa.String(length=320), nullable=False),
        sa.Column("organization_id", WHOLE, nullable=True),
        sa.Column("act", sa.String(length=40), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("subject_id", sa.BigInteger(), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["user_account.id"], name=op.f("fk_audit_entry_actor_id_user_account"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_audit_entry_organization_id_organization"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_entry_actor_id_at", "audit_entry", ["actor_id", "at"])
    op.create_index(op.f("ix_audit_entry_at"), "audit_entry", ["at"])
    op.create_index("ix_audit_entry_kind_subject_id", "audit_entry", ["kind", "subject_id"])
    op.create_index("ix_audit_entry_organization_id_at", "audit_entry", ["organization_id", "at"])
    op.create_table(
        "erasure",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("subject_id", WHOLE, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("horizon_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "removal_request",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("recording_id", WHOLE, nullable=False),
        sa.Column("clip_id", WHOLE, nullable=True),
        sa.Column("user_id", WHOLE, nullable=True),
        sa.Column("contact", sa.String(length=320), nullable=False),
        sa.Column("words", sa.String(length=2000), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", WHOLE, nullable=True),
        sa.Column("outcome", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(
            ["clip_id"], ["clip.id"], name=op.f("fk_removal_request_clip_id_clip"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["decided_by"],
            ["user_account.id"],
            name=op.f("fk_removal_request_decided_by_user_account"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["recording_id"],
            ["recording.id"],
            name=op.f("fk_removal_request_recording_id_recording"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_removal_request_user_id_user_account"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_removal_request")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_removal_request_made_at"), "removal_request", ["made_at"])
    op.create_index(op.f("ix_removal_request_recording_id"), "removal_request", ["recording_id"])
    op.create_table(
        "retention_warning",
        sa.Column("recording_id", WHOLE, nullable=False),
        sa.Column("delete_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"],
            ["recording.id"],
            name=op.f("fk_retention_warning_recording_id_recording"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("recording_id", "delete_at", name=op.f("pk_retention_warning")),
    )
    op.create_table(
        "share",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("clip_id", WHOLE, nullable=False),
        sa.Column("made_by", WHOLE, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("may_download", sa.Boolean(), nullable=False),
        sa.Column("views", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(["clip_id"], ["clip.id"], name=op.f("fk_share_clip_id_clip"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["made_by"], ["user_account.id"], name=op.f("fk_share_made_by_user_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_share")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_share_secret_hash")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_share_clip_id"), "share", ["clip_id"])
    op.create_index(op.f("ix_share_expires_at"), "share", ["expires_at"])
    op.create_index(op.f("ix_share_made_by"), "share", ["made_by"])
