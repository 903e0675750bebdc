"""Games, recordings, and what was found in them."""

import sqlalchemy as sa
from alembic import op

from viewer.db.migrations.ground.kinds import WHOLE

TABLES = (
    "game",
    "game_team",
    "availability",
    "recording",
    "game_event",
    "clip",
    "player_game_stats",
    "heat_map",
    "recording_file",
)


def make() -> None:
    """The tables, empty."""
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
    op.create_index("ix_game_organization_id_starts_at", "game", ["organization_id", "starts_at"])
    op.create_index("ix_game_team_id_starts_at", "game", ["team_id", "starts_at"])
    op.create_index(op.f("ix_game_venue_id"), "game", ["venue_id"])
    op.create_table(
        "game_team",
        sa.Column("game_id", WHOLE, nullable=False),
        sa.Column("team_id", WHOLE, nullable=False),
        sa.ForeignKeyConstraint(["game_id"], ["game.id"], name=op.f("fk_game_team_game_id_game"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["team_id"], ["team.id"], name=op.f("fk_game_team_team_id_team"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("game_id", "team_id", name=op.f("pk_game_team")),
    )
    op.create_index(op.f("ix_game_team_team_id"), "game_team", ["team_id"])
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
    op.create_index(op.f("ix_availability_player_id"), "availability", ["player_id"])
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
    op.create_index(op.f("ix_recording_delete_at"), "recording", ["delete_at"])
    op.create_index(op.f("ix_recording_device_id"), "recording", ["device_id"])
    op.create_index(op.f("ix_recording_game_id"), "recording", ["game_id"])
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
    op.create_index(op.f("ix_game_event_player_id"), "game_event", ["player_id"])
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
    op.create_index(op.f("ix_clip_recording_id"), "clip", ["recording_id"])
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
    op.create_index(op.f("ix_player_game_stats_player_id"), "player_game_stats", ["player_id"])
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
