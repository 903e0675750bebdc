"""The portal's whole ground: people, clubs, games, devices, privacy, imports.

Revision 0002, after 0001. Runs in one transaction: a failure leaves nothing behind.
"""

import sqlalchemy as sa
from alembic import op

from viewer.db.migrations.versions import first_tables

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """To this revision."""
    first_tables.downgrade()
    op.create_table(
        "consent_text",
        sa.Column("version", WHOLE, autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_consent_text")),
    )
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
        "job",
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=63), nullable=False),
        sa.Column("payload", sa.JSON(), nullable=False),
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("key", sa.String(length=400), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.String(length=32), nullable=True),
        sa.Column("attempts", WHOLE, nullable=False),
        sa.Column("fault", sa.String(length=1000), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("key", name=op.f("uq_job_key")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_job_kind"), ["kind"], unique=False)
        batch_op.create_index(batch_op.f("ix_job_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_job_subject"), ["subject"], unique=False)

    op.create_table(
        "organization",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("time_zone", sa.String(length=60), nullable=False),
        sa.Column("retention_days", WHOLE, nullable=False),
        sa.Column("demo", sa.Boolean(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_organization")),
        sa.UniqueConstraint("slug", name=op.f("uq_organization_slug")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "periodic_run",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("slot", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_periodic_run")),
    )
    op.create_table(
        "sign_in_try",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("subject", sa.String(length=400), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sign_in_try")),
    )
    with op.batch_alter_table("sign_in_try", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_try_at"), ["at"], unique=False)
        batch_op.create_index(batch_op.f("ix_sign_in_try_subject"), ["subject"], unique=False)

    op.create_table(
        "user_account",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("mail", sa.String(length=320), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=True),
        sa.Column("notify", sa.String(length=10), nullable=False),
        sa.Column("time_zone", sa.String(length=60), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_user_account")),
        sa.UniqueConstraint("mail", name=op.f("uq_user_account_mail")),
        sqlite_autoincrement=True,
    )
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
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.create_index("ix_audit_entry_actor_id_at", ["actor_id", "at"], unique=False)
        batch_op.create_index(batch_op.f("ix_audit_entry_at"), ["at"], unique=False)
        batch_op.create_index("ix_audit_entry_kind_subject_id", ["kind", "subject_id"], unique=False)
        batch_op.create_index("ix_audit_entry_organization_id_at", ["organization_id", "at"], unique=False)

    op.create_table(
        "import_run",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("organization_id", WHOLE, nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("changes", sa.JSON(), nullable=False),
        sa.Column("made_by", WHOLE, nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", WHOLE, nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["decided_by"], ["user_account.id"], name=op.f("fk_import_run_decided_by_user_account"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["made_by"], ["user_account.id"], name=op.f("fk_import_run_made_by_user_account"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_import_run_organization_id_organization"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_import_run")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_import_run_organization_id"), ["organization_id"], unique=False)

    op.create_table(
        "mail",
        sa.Column("user_id", WHOLE, nullable=True),
        sa.Column("recipient", sa.String(length=320), nullable=False),
        sa.Column("subject", sa.String(length=300), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("unsubscribe", sa.String(length=500), nullable=False),
        sa.Column("message_id", sa.String(length=200), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("key", sa.String(length=400), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_token", sa.String(length=32), nullable=True),
        sa.Column("attempts", WHOLE, nullable=False),
        sa.Column("fault", sa.String(length=1000), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_mail_user_id_user_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_mail")),
        sa.UniqueConstraint("key", name=op.f("uq_mail_key")),
    )
    with op.batch_alter_table("mail", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_mail_state"), ["state"], unique=False)
        batch_op.create_index(batch_op.f("ix_mail_user_id"), ["user_id"], unique=False)

    op.create_table(
        "oauth_connection",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("organization_id", WHOLE, nullable=False),
        sa.Column("provider", sa.String(length=20), nullable=False),
        sa.Column("made_by", WHOLE, nullable=True),
        sa.Column("sealed_access_token", sa.Text(), nullable=False),
        sa.Column("sealed_refresh_token", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("synced_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fault", sa.String(length=500), nullable=True),
        sa.ForeignKeyConstraint(
            ["made_by"], ["user_account.id"], name=op.f("fk_oauth_connection_made_by_user_account"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_oauth_connection_organization_id_organization"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_oauth_connection")),
        sa.UniqueConstraint("organization_id", "provider", name=op.f("uq_oauth_connection_organization_id_provider")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "oauth_state",
        sa.Column("state_hash", sa.String(length=64), nullable=False),
        sa.Column("sign_in_hash", sa.String(length=64), nullable=False),
        sa.Column("organization_id", WHOLE, nullable=False),
        sa.Column("sealed_verifier", sa.String(length=400), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_oauth_state_organization_id_organization"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("state_hash", name=op.f("pk_oauth_state")),
    )
    with op.batch_alter_table("oauth_state", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_oauth_state_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_oauth_state_organization_id"), ["organization_id"], unique=False)

    op.create_table(
        "organization_admin",
        sa.Column("organization_id", WHOLE, nullable=False),
        sa.Column("user_id", WHOLE, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_organization_admin_organization_id_organization"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"],
            ["user_account.id"],
            name=op.f("fk_organization_admin_user_id_user_account"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", "user_id", name=op.f("pk_organization_admin")),
    )
    with op.batch_alter_table("organization_admin", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_organization_admin_user_id"), ["user_id"], unique=False)

    op.create_table(
        "origin",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("organization_id", WHOLE, nullable=False),
        sa.Column("source", sa.String(length=20), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("external_id", sa.String(length=100), nullable=False),
        sa.Column("local_id", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_origin_organization_id_organization"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_origin")),
        sa.UniqueConstraint(
            "organization_id",
            "source",
            "kind",
            "external_id",
            name=op.f("uq_origin_organization_id_source_kind_external_id"),
        ),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "passkey",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("user_id", WHOLE, nullable=False),
        sa.Column("credential_id", sa.LargeBinary(length=1023), nullable=False),
        sa.Column("public_key", sa.LargeBinary(length=2000), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_passkey_user_id_user_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkey_credential_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("passkey", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_passkey_user_id"), ["user_id"], unique=False)

    op.create_table(
        "player",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("organization_id", WHOLE, nullable=False),
        sa.Column("user_id", WHOLE, nullable=True),
        sa.Column("first_name", sa.String(length=100), nullable=False),
        sa.Column("last_name", sa.String(length=100), nullable=False),
        sa.Column("birth_year", WHOLE, nullable=True),
        sa.Column("default_position", sa.String(length=30), nullable=False),
        sa.Column("inactive_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_player_organization_id_organization"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_player_user_id_user_account"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_player")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("player", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_player_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_player_user_id"), ["user_id"], unique=False)

    op.create_table(
        "recovery_code",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("user_id", WHOLE, nullable=False),
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_recovery_code_user_id_user_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recovery_code")),
    )
    with op.batch_alter_table("recovery_code", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recovery_code_user_id"), ["user_id"], unique=False)

    op.create_table(
        "season",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("organization_id", WHOLE, nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("starts_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_season_organization_id_organization"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_season")),
        sa.UniqueConstraint("organization_id", "name", name=op.f("uq_season_organization_id_name")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "sign_in",
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("user_id", WHOLE, nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("proven_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("strong_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("browser", sa.String(length=200), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_sign_in_user_id_user_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("key_hash", name=op.f("pk_sign_in")),
    )
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sign_in_seen_at"), ["seen_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_sign_in_user_id"), ["user_id"], unique=False)

    op.create_table(
        "ticket",
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("purpose", sa.String(length=20), nullable=False),
        sa.Column("user_id", WHOLE, nullable=True),
        sa.Column("detail", sa.String(length=1000), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_ticket_user_id_user_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("secret_hash", name=op.f("pk_ticket")),
    )
    with op.batch_alter_table("ticket", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_ticket_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_ticket_user_id"), ["user_id"], unique=False)

    op.create_table(
        "totp",
        sa.Column("user_id", WHOLE, nullable=False),
        sa.Column("sealed_secret", sa.String(length=400), nullable=False),
        sa.Column("last_step", sa.BigInteger(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_totp_user_id_user_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", name=op.f("pk_totp")),
    )
    op.create_table(
        "venue",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("organization_id", WHOLE, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=400), nullable=False),
        sa.Column("latitude", sa.Double(), nullable=True),
        sa.Column("longitude", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_venue_organization_id_organization"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_venue")),
        sa.UniqueConstraint("organization_id", "name", name=op.f("uq_venue_organization_id_name")),
        sqlite_autoincrement=True,
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
    with op.batch_alter_table("consent_record", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_consent_record_given_by"), ["given_by"], unique=False)
        batch_op.create_index("ix_consent_record_player_scope", ["player_id", "scope", "id"], unique=False)

    op.create_table(
        "parent_player",
        sa.Column("user_id", WHOLE, nullable=False),
        sa.Column("player_id", WHOLE, nullable=False),
        sa.Column("relationship", sa.String(length=40), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["player_id"], ["player.id"], name=op.f("fk_parent_player_player_id_player"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_parent_player_user_id_user_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("user_id", "player_id", name=op.f("pk_parent_player")),
    )
    with op.batch_alter_table("parent_player", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_parent_player_player_id"), ["player_id"], unique=False)

    op.create_table(
        "team",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("organization_id", WHOLE, nullable=False),
        sa.Column("season_id", WHOLE, nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("first_birth_year", WHOLE, nullable=True),
        sa.Column("last_birth_year", WHOLE, nullable=True),
        sa.Column("code", sa.String(length=12), nullable=True),
        sa.Column("retention_days", WHOLE, nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("first_birth_year <= last_birth_year", name=op.f("ck_team_birth_years")),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_team_organization_id_organization"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["season_id"], ["season.id"], name=op.f("fk_team_season_id_season"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team")),
        sa.UniqueConstraint("code", name=op.f("uq_team_code")),
        sa.UniqueConstraint(
            "organization_id", "season_id", "name", name=op.f("uq_team_organization_id_season_id_name")
        ),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("team", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_team_season_id"), ["season_id"], unique=False)

    op.create_table(
        "device",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("organization_id", WHOLE, nullable=False),
        sa.Column("team_id", WHOLE, nullable=False),
        sa.Column("venue_id", WHOLE, nullable=True),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("version", sa.String(length=40), nullable=False),
        sa.Column("wanted_version", sa.String(length=40), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_device_organization_id_organization"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_device_team_id_team"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["venue_id"], ["venue.id"], name=op.f("fk_device_venue_id_venue"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device")),
        sa.UniqueConstraint("organization_id", "name", name=op.f("uq_device_organization_id_name")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_device_team_id"), ["team_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_device_venue_id"), ["venue_id"], unique=False)

    op.create_table(
        "game",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("organization_id", WHOLE, nullable=False),
        sa.Column("team_id", WHOLE, nullable=False),
        sa.Column("opponent", sa.String(length=200), nullable=False),
        sa.Column("at_home", sa.Boolean(), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("time_zone", sa.String(length=60), nullable=False),
        sa.Column("venue_id", WHOLE, nullable=True),
        sa.Column("our_score", WHOLE, nullable=True),
        sa.Column("their_score", WHOLE, nullable=True),
        sa.Column("score_source", sa.String(length=10), nullable=False),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("processed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_game_organization_id_organization"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_game_team_id_team"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["venue_id"], ["venue.id"], name=op.f("fk_game_venue_id_venue"), ondelete="SET NULL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_game")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("game", schema=None) as batch_op:
        batch_op.create_index("ix_game_organization_id_starts_at", ["organization_id", "starts_at"], unique=False)
        batch_op.create_index("ix_game_team_id_starts_at", ["team_id", "starts_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_game_venue_id"), ["venue_id"], unique=False)

    op.create_table(
        "invitation",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("mail", sa.String(length=320), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("organization_id", WHOLE, nullable=True),
        sa.Column("team_id", WHOLE, nullable=True),
        sa.Column("player_id", WHOLE, nullable=True),
        sa.Column("invited_by", WHOLE, nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["invited_by"], ["user_account.id"], name=op.f("fk_invitation_invited_by_user_account"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organization.id"],
            name=op.f("fk_invitation_organization_id_organization"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["player_id"], ["player.id"], name=op.f("fk_invitation_player_id_player"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_invitation_team_id_team"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitation")),
        sa.UniqueConstraint("secret_hash", name=op.f("uq_invitation_secret_hash")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_invitation_mail"), ["mail"], unique=False)
        batch_op.create_index(batch_op.f("ix_invitation_organization_id"), ["organization_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_invitation_player_id"), ["player_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_invitation_team_id"), ["team_id"], unique=False)

    op.create_table(
        "join_request",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("team_id", WHOLE, nullable=False),
        sa.Column("user_id", WHOLE, nullable=False),
        sa.Column("words", sa.String(length=500), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", WHOLE, nullable=True),
        sa.Column("admitted", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["decided_by"],
            ["user_account.id"],
            name=op.f("fk_join_request_decided_by_user_account"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["team_id"], ["team.id"], name=op.f("fk_join_request_team_id_team"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_join_request_user_id_user_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_join_request")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("join_request", schema=None) as batch_op:
        batch_op.create_index("ix_join_request_team_open", ["team_id", "decided_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_join_request_user_id"), ["user_id"], unique=False)

    op.create_table(
        "team_coach",
        sa.Column("team_id", WHOLE, nullable=False),
        sa.Column("user_id", WHOLE, nullable=False),
        sa.Column("duty", sa.String(length=20), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_team_coach_team_id_team"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(
            ["user_id"], ["user_account.id"], name=op.f("fk_team_coach_user_id_user_account"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("team_id", "user_id", name=op.f("pk_team_coach")),
    )
    with op.batch_alter_table("team_coach", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_team_coach_user_id"), ["user_id"], unique=False)

    op.create_table(
        "team_player",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("team_id", WHOLE, nullable=False),
        sa.Column("player_id", WHOLE, nullable=False),
        sa.Column("jersey_number", sa.String(length=10), nullable=True),
        sa.Column("joined_on", sa.Date(), nullable=False),
        sa.Column("left_on", sa.Date(), nullable=True),
        sa.ForeignKeyConstraint(
            ["player_id"], ["player.id"], name=op.f("fk_team_player_player_id_player"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_team_player_team_id_team"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_team_player")),
        sa.UniqueConstraint(
            "team_id", "player_id", "joined_on", name=op.f("uq_team_player_team_id_player_id_joined_on")
        ),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("team_player", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_team_player_player_id"), ["player_id"], unique=False)

    op.create_table(
        "availability",
        sa.Column("game_id", WHOLE, nullable=False),
        sa.Column("player_id", WHOLE, nullable=False),
        sa.Column("answer", sa.String(length=5), nullable=False),
        sa.ForeignKeyConstraint(
            ["game_id"], ["game.id"], name=op.f("fk_availability_game_id_game"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["player_id"], ["player.id"], name=op.f("fk_availability_player_id_player"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("game_id", "player_id", name=op.f("pk_availability")),
    )
    with op.batch_alter_table("availability", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_availability_player_id"), ["player_id"], unique=False)

    op.create_table(
        "device_key",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("device_id", WHOLE, nullable=False),
        sa.Column("key_hash", sa.String(length=64), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_device_key_device_id_device"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device_key")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_device_key_key_hash")),
    )
    with op.batch_alter_table("device_key", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_device_key_device_id"), ["device_id"], unique=False)

    op.create_table(
        "game_team",
        sa.Column("game_id", WHOLE, nullable=False),
        sa.Column("team_id", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(["game_id"], ["game.id"], name=op.f("fk_game_team_game_id_game"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_game_team_team_id_team"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("game_id", "team_id", name=op.f("pk_game_team")),
    )
    with op.batch_alter_table("game_team", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_game_team_team_id"), ["team_id"], unique=False)

    op.create_table(
        "pairing_code",
        sa.Column("code_hash", sa.String(length=64), nullable=False),
        sa.Column("device_id", WHOLE, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_pairing_code_device_id_device"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_pairing_code")),
    )
    with op.batch_alter_table("pairing_code", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pairing_code_device_id"), ["device_id"], unique=False)

    op.create_table(
        "recording",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("session", sa.String(length=63), nullable=False),
        sa.Column("game_id", WHOLE, nullable=False),
        sa.Column("device_id", WHOLE, nullable=True),
        sa.Column("folder", sa.String(length=200), nullable=False),
        sa.Column("home", sa.String(length=200), nullable=False),
        sa.Column("away", sa.String(length=200), nullable=False),
        sa.Column("our_side", sa.String(length=4), nullable=False),
        sa.Column("home_colour", sa.String(length=7), nullable=False),
        sa.Column("away_colour", sa.String(length=7), nullable=False),
        sa.Column("pitch_length_m", sa.Double(), nullable=False),
        sa.Column("pitch_width_m", sa.Double(), nullable=False),
        sa.Column("players_a_side", WHOLE, nullable=False),
        sa.Column("start_ns", sa.BigInteger(), nullable=False),
        sa.Column("duration_s", sa.Double(), nullable=False),
        sa.Column("panorama", sa.String(length=300), nullable=False),
        sa.Column("panorama_width_px", WHOLE, nullable=False),
        sa.Column("panorama_height_px", WHOLE, nullable=False),
        sa.Column("view", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("poster", sa.String(length=300), nullable=False),
        sa.Column("tracks", sa.String(length=300), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delete_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["device_id"], ["device.id"], name=op.f("fk_recording_device_id_device"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(["game_id"], ["game.id"], name=op.f("fk_recording_game_id_game"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recording")),
        sa.UniqueConstraint("session", name=op.f("uq_recording_session")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("recording", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recording_delete_at"), ["delete_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_recording_device_id"), ["device_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_recording_game_id"), ["game_id"], unique=False)

    op.create_table(
        "clip",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("recording_id", WHOLE, nullable=False),
        sa.Column("event_ordinal", WHOLE, nullable=False),
        sa.Column("path", sa.String(length=300), nullable=False),
        sa.Column("thumbnail", sa.String(length=300), nullable=False),
        sa.Column("start_s", sa.Double(), nullable=False),
        sa.Column("end_s", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recording.id"], name=op.f("fk_clip_recording_id_recording"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clip")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("clip", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_clip_recording_id"), ["recording_id"], unique=False)

    op.create_table(
        "game_event",
        sa.Column("id", WHOLE, nullable=False),
        sa.Column("recording_id", WHOLE, nullable=False),
        sa.Column("ordinal", WHOLE, nullable=False),
        sa.Column("time_s", sa.Double(), nullable=False),
        sa.Column("type", sa.String(length=20), nullable=False),
        sa.Column("side", sa.String(length=4), nullable=False),
        sa.Column("x_m", sa.Double(), nullable=True),
        sa.Column("y_m", sa.Double(), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.Column("track", WHOLE, nullable=True),
        sa.Column("player_id", WHOLE, nullable=True),
        sa.ForeignKeyConstraint(
            ["player_id"], ["player.id"], name=op.f("fk_game_event_player_id_player"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recording.id"], name=op.f("fk_game_event_recording_id_recording"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_game_event")),
        sa.UniqueConstraint("recording_id", "ordinal", name=op.f("uq_game_event_recording_id_ordinal")),
    )
    with op.batch_alter_table("game_event", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_game_event_player_id"), ["player_id"], unique=False)

    op.create_table(
        "heat_map",
        sa.Column("recording_id", WHOLE, nullable=False),
        sa.Column("track", WHOLE, autoincrement=False, nullable=False),
        sa.Column("rows", WHOLE, nullable=False),
        sa.Column("columns", WHOLE, nullable=False),
        sa.Column("tenths", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recording.id"], name=op.f("fk_heat_map_recording_id_recording"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("recording_id", "track", name=op.f("pk_heat_map")),
    )
    op.create_table(
        "player_game_stats",
        sa.Column("recording_id", WHOLE, nullable=False),
        sa.Column("track", WHOLE, autoincrement=False, nullable=False),
        sa.Column("side", sa.String(length=4), nullable=False),
        sa.Column("distance_m", sa.Double(), nullable=False),
        sa.Column("top_speed_mps", sa.Double(), nullable=False),
        sa.Column("followed_s", sa.Double(), nullable=False),
        sa.Column("player_id", WHOLE, nullable=True),
        sa.Column("confirmed_by", WHOLE, nullable=True),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["confirmed_by"],
            ["user_account.id"],
            name=op.f("fk_player_game_stats_confirmed_by_user_account"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["player_id"], ["player.id"], name=op.f("fk_player_game_stats_player_id_player"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["recording_id"],
            ["recording.id"],
            name=op.f("fk_player_game_stats_recording_id_recording"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("recording_id", "track", name=op.f("pk_player_game_stats")),
    )
    with op.batch_alter_table("player_game_stats", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_player_game_stats_player_id"), ["player_id"], unique=False)

    op.create_table(
        "recording_file",
        sa.Column("recording_id", WHOLE, nullable=False),
        sa.Column("path", sa.String(length=300), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"],
            ["recording.id"],
            name=op.f("fk_recording_file_recording_id_recording"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("recording_id", "path", name=op.f("pk_recording_file")),
    )
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
    with op.batch_alter_table("removal_request", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_removal_request_made_at"), ["made_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_removal_request_recording_id"), ["recording_id"], unique=False)

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
    with op.batch_alter_table("share", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_share_clip_id"), ["clip_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_share_expires_at"), ["expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_share_made_by"), ["made_by"], unique=False)

    # ### end Alembic commands ###


def downgrade() -> None:
    """Back to the one before."""
    with op.batch_alter_table("share", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_share_made_by"))
        batch_op.drop_index(batch_op.f("ix_share_expires_at"))
        batch_op.drop_index(batch_op.f("ix_share_clip_id"))

    op.drop_table("share")
    with op.batch_alter_table("removal_request", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_removal_request_recording_id"))
        batch_op.drop_index(batch_op.f("ix_removal_request_made_at"))

    op.drop_table("removal_request")
    op.drop_table("retention_warning")
    op.drop_table("recording_file")
    with op.batch_alter_table("player_game_stats", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_player_game_stats_player_id"))

    op.drop_table("player_game_stats")
    op.drop_table("heat_map")
    with op.batch_alter_table("game_event", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_game_event_player_id"))

    op.drop_table("game_event")
    with op.batch_alter_table("clip", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_clip_recording_id"))

    op.drop_table("clip")
    with op.batch_alter_table("recording", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_recording_game_id"))
        batch_op.drop_index(batch_op.f("ix_recording_device_id"))
        batch_op.drop_index(batch_op.f("ix_recording_delete_at"))

    op.drop_table("recording")
    with op.batch_alter_table("pairing_code", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_pairing_code_device_id"))

    op.drop_table("pairing_code")
    with op.batch_alter_table("game_team", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_game_team_team_id"))

    op.drop_table("game_team")
    with op.batch_alter_table("device_key", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_device_key_device_id"))

    op.drop_table("device_key")
    with op.batch_alter_table("availability", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_availability_player_id"))

    op.drop_table("availability")
    with op.batch_alter_table("team_player", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_team_player_player_id"))

    op.drop_table("team_player")
    with op.batch_alter_table("team_coach", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_team_coach_user_id"))

    op.drop_table("team_coach")
    with op.batch_alter_table("join_request", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_join_request_user_id"))
        batch_op.drop_index("ix_join_request_team_open")

    op.drop_table("join_request")
    with op.batch_alter_table("invitation", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_invitation_team_id"))
        batch_op.drop_index(batch_op.f("ix_invitation_player_id"))
        batch_op.drop_index(batch_op.f("ix_invitation_organization_id"))
        batch_op.drop_index(batch_op.f("ix_invitation_mail"))

    op.drop_table("invitation")
    with op.batch_alter_table("game", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_game_venue_id"))
        batch_op.drop_index("ix_game_team_id_starts_at")
        batch_op.drop_index("ix_game_organization_id_starts_at")

    op.drop_table("game")
    with op.batch_alter_table("device", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_device_venue_id"))
        batch_op.drop_index(batch_op.f("ix_device_team_id"))

    op.drop_table("device")
    with op.batch_alter_table("team", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_team_season_id"))

    op.drop_table("team")
    with op.batch_alter_table("parent_player", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_parent_player_player_id"))

    op.drop_table("parent_player")
    with op.batch_alter_table("consent_record", schema=None) as batch_op:
        batch_op.drop_index("ix_consent_record_player_scope")
        batch_op.drop_index(batch_op.f("ix_consent_record_given_by"))

    op.drop_table("consent_record")
    op.drop_table("venue")
    op.drop_table("totp")
    with op.batch_alter_table("ticket", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_ticket_user_id"))
        batch_op.drop_index(batch_op.f("ix_ticket_expires_at"))

    op.drop_table("ticket")
    with op.batch_alter_table("sign_in", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_user_id"))
        batch_op.drop_index(batch_op.f("ix_sign_in_seen_at"))

    op.drop_table("sign_in")
    op.drop_table("season")
    with op.batch_alter_table("recovery_code", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_recovery_code_user_id"))

    op.drop_table("recovery_code")
    with op.batch_alter_table("player", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_player_user_id"))
        batch_op.drop_index(batch_op.f("ix_player_organization_id"))

    op.drop_table("player")
    with op.batch_alter_table("passkey", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_passkey_user_id"))

    op.drop_table("passkey")
    op.drop_table("origin")
    with op.batch_alter_table("organization_admin", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_organization_admin_user_id"))

    op.drop_table("organization_admin")
    with op.batch_alter_table("oauth_state", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_oauth_state_organization_id"))
        batch_op.drop_index(batch_op.f("ix_oauth_state_expires_at"))

    op.drop_table("oauth_state")
    op.drop_table("oauth_connection")
    with op.batch_alter_table("mail", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_mail_user_id"))
        batch_op.drop_index(batch_op.f("ix_mail_state"))

    op.drop_table("mail")
    with op.batch_alter_table("import_run", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_import_run_organization_id"))

    op.drop_table("import_run")
    with op.batch_alter_table("audit_entry", schema=None) as batch_op:
        batch_op.drop_index("ix_audit_entry_organization_id_at")
        batch_op.drop_index("ix_audit_entry_kind_subject_id")
        batch_op.drop_index(batch_op.f("ix_audit_entry_at"))
        batch_op.drop_index("ix_audit_entry_actor_id_at")

    op.drop_table("audit_entry")
    op.drop_table("user_account")
    with op.batch_alter_table("sign_in_try", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sign_in_try_subject"))
        batch_op.drop_index(batch_op.f("ix_sign_in_try_at"))

    op.drop_table("sign_in_try")
    op.drop_table("periodic_run")
    op.drop_table("organization")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_job_subject"))
        batch_op.drop_index(batch_op.f("ix_job_state"))
        batch_op.drop_index(batch_op.f("ix_job_kind"))

    op.drop_table("job")
    op.drop_table("erasure")
    op.drop_table("consent_text")
    # ### end Alembic commands ###
    first_tables.upgrade()
