"""Faults of the database in words that hold nothing out of its rows: what failed is a name as often as not."""

import re
import sqlite3

from sqlalchemy.exc import SQLAlchemyError, StatementError

_AWAY = ("OperationalError", "InterfaceError")
"""psycopg's words for a server that cannot be reached: they come from no statement, and hold no row."""


def told(fault: BaseException) -> str:
    """What a fault says, without values: the kind, SQLSTATE and constraint of one that the database found.

    PostgreSQL puts values into its DETAIL and into its first line, SQLAlchemy the parameters behind both. SQLite names
    tables and columns alone. Faults of anything else say what they say.
    """
    if isinstance(fault, StatementError) and fault.orig is not None:
        return _database(fault.orig)
    if isinstance(fault, SQLAlchemyError):
        # Behind its first sentence it may quote one that was met before, as a whole.
        return re.split(r"[.:]\s", str(fault), maxsplit=1)[0]
    return _database(fault) if _of_driver(fault) else str(fault)


def _of_driver(fault: BaseException) -> bool:
    # By its name: on SQLite nothing else needs psycopg, which takes its time to import.
    return isinstance(fault, sqlite3.Error) or type(fault).__module__.split(".")[0] == "psycopg"


def _database(fault: BaseException) -> str:
    kind = type(fault).__name__
    if isinstance(fault, sqlite3.Error):
        return _first_line(fault)
    state = getattr(fault, "sqlstate", None)
    if state is None:
        return _first_line(fault) if _of_driver(fault) and kind in _AWAY else kind
    where = getattr(getattr(fault, "diag", None), "constraint_name", None)
    return " ".join(part for part in (kind, state, where) if part)


def _first_line(fault: BaseException) -> str:
    return (str(fault).strip().splitlines() or [""])[0]
