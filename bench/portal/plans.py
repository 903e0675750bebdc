"""What PostgreSQL reads for a page: every statement run again under EXPLAIN ANALYZE, and what of that is too much."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, event, text

from viewer.db import Database

FEW = 2000
"""Rows of a table from which on reading all of it is a fault."""
MOST = 5000
SHARE = 0.1
"""No page reads more rows of a large table than `MOST`, nor more than this share of them: a club has a fortieth."""
_JUDGED = ("SELECT", "WITH", "(SELECT", "UPDATE", "DELETE")


@dataclass
class Watched:
    """The statements of a page, each once with the newest values, and how many of them there were."""

    values: dict[str, Any] = field(default_factory=dict)
    asked: int = 0


@contextmanager
def watched(database: Database) -> Iterator[Watched]:
    """Note every statement that runs meanwhile."""
    noted = Watched()

    def note(_conn: Any, _cursor: Any, statement: str, values: Any, _context: Any, many: bool) -> None:
        if statement.lstrip().upper().startswith(_JUDGED) and not many:
            noted.asked += 1
            noted.values[statement] = values

    event.listen(database.engine, "before_cursor_execute", note)
    try:
        yield noted
    finally:
        event.remove(database.engine, "before_cursor_execute", note)


def large_tables(connection: Connection) -> dict[str, float]:
    """The rows of each table that has many."""
    tables = text("SELECT relname, reltuples FROM pg_class WHERE relkind = 'r' AND reltuples > :few")
    return {name: rows for name, rows in connection.execute(tables, {"few": FEW})}


def faults_of(database: Database, noted: Watched, large: Mapping[str, float]) -> set[str]:
    """What the statements read too much of, in words; whatever they change is undone."""
    faults: set[str] = set()
    with database.engine.connect() as connection:
        for statement, values in noted.values.items():
            # Plans depend on values hardly at all here: one of each text.
            explained = f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}"
            (answer,) = connection.exec_driver_sql(explained, values).scalar_one()
            connection.rollback()
            faults |= {words for node in _nodes(answer["Plan"]) if (words := _fault(node, large))}
    return faults


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", ()):
        yield from _nodes(inner)


def _fault(node: dict[str, Any], large: Mapping[str, float]) -> str:
    table = node.get("Relation Name", "")
    if table not in large or "Scan" not in node["Node Type"]:
        return ""
    if node["Node Type"].endswith("Seq Scan"):
        return f"{table} as a whole"
    left_out = node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
    read = (node["Actual Rows"] + left_out) * node["Actual Loops"]
    if read <= min(MOST, SHARE * large[table]):
        return ""
    return f"{read:,.0f} rows of {table} by {node.get('Index Name', 'several indexes')}"
