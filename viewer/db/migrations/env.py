"""Runs migrations on the connection that `viewer.db.migrate` hands over, inside its transaction."""

from typing import Any, Literal

from alembic import context

from viewer.db.base import UtcTime
from viewer.db.models import metadata


def plain(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Our own column type as SQLAlchemy's, so that an old migration needs nothing of today's portal."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UtcTime) else False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=metadata,
    compare_type=True,
    render_item=plain,
    render_as_batch=connection.dialect.name == "sqlite",
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
