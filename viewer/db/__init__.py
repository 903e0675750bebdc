"""The portal's database: SQLite by default, PostgreSQL by one setting, one set of models and migrations."""

from viewer.db.base import Base, UtcTime
from viewer.db.engine import Database

__all__ = ["Base", "Database", "UtcTime"]
