"""Tables as spreadsheet programs write them: read in whatever form they come, written without formulas."""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from viewer.errors import BadTable
from viewer.imports.snapshot import clean

MOST_BYTES = 2 << 20
MOST_ROWS = 5000
_MOST_COLUMNS = 60
_LONGEST_CELL = 500
_MOST_FAULTS = 50
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True)
class Row:
    """One row: the line it begins on in the file, and its cells by the columns' names."""

    line: int
    cells: Mapping[str, str]


class Faults:
    """What is wrong with a table's rows, gathered so that all is told at once."""

    def __init__(self) -> None:
        self._found: list[str] = []

    def add(self, row: Row, words: str) -> None:
        """Note a fault of a row."""
        self._found.append(f"Line {row.line}: {words}")

    def check(self) -> None:
        """Raise `BadTable` if there is any."""
        if self._found:
            more = len(self._found) - _MOST_FAULTS
            told = self._found[:_MOST_FAULTS] + ([f"… and {more} more."] if more > 0 else [])
            raise BadTable("Nothing was taken over: some rows cannot be used.", tuple(told))


def read_table(data: bytes, columns: Mapping[str, Sequence[str]], needed: Sequence[str]) -> list[Row]:
    """The rows of a CSV file whose columns are called as `columns` says (name, then other ways to write it).

    UTF-8, UTF-16 or Windows-1252; comma, semicolon or tab. Raises `BadTable`.
    """
    if len(data) > MOST_BYTES:
        raise BadTable(f"This file is larger than {MOST_BYTES >> 20} MB.")
    text = _decoded(data)
    if "\0" in text:
        raise BadTable("This is no CSV file. In your spreadsheet program choose 'Save as … CSV'.")
    first, _, rest = text.partition("\n")
    offset, delimiter = 0, _delimiter(first)
    if said := re.fullmatch(r"sep=(.)\r?", first.strip(" \ufeff")):
        text, offset, delimiter = rest, 1, said[1]
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        names = _header(next(lines, []), columns, needed)
        begins, rows = lines.line_num + 1 + offset, []
        for cells in lines:
            row = _row(cells, names, begins)
            begins = lines.line_num + 1 + offset
            rows += [row] if row else []
            if len(rows) > MOST_ROWS:
                raise BadTable(f"This table has more than {MOST_ROWS} rows. Please cut it in two.")
        return rows
    except csv.Error as fault:
        raise BadTable(f"Line {lines.line_num + offset} is no CSV: {fault}.") from fault


def write_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """A CSV file that spreadsheet programs open as it is: UTF-8 with its mark, and no cell that they would compute."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([_harmless(cell) for cell in row] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _row(cells: list[str], names: list[str], line: int) -> Row | None:
    if not any(cell.strip() for cell in cells):
        return None
    if any(cell.strip() for cell in cells[len(names) :]):
        raise BadTable(f"Line {line} has more cells than the head has columns.")
    plain = {name: _plain(cell) for name, cell in zip(names, cells, strict=False) if name}
    return Row(line, {**{name: "" for name in names if name}, **plain})


def _header(cells: list[str], columns: Mapping[str, Sequence[str]], needed: Sequence[str]) -> list[str]:
    spellings = {_key(way): name for name, ways in columns.items() for way in (name, *ways)}
    names = [spellings.get(_key(cell), "") for cell in cells[:_MOST_COLUMNS]]
    twice = {name for name in names if name and names.count(name) > 1}
    missing = [name for name in needed if name not in names]
    if missing:
        wanted = ", ".join(f"“{name}”" for name in missing)
        raise BadTable(f"The first line names the columns; {wanted} is missing. The example shows how it should look.")
    if twice:
        raise BadTable(f"The column “{min(twice)}” is there twice.")
    return names


def _decoded(data: bytes) -> str:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        ways = ["utf-16"]
    elif b"\0" in data[:200]:
        ways = ["utf-16-le" if data[1:2] == b"\0" else "utf-16-be"]
    else:
        ways = ["utf-8-sig", "cp1252"]
    for way in ways:
        try:
            return data.decode(way)
        except UnicodeDecodeError:
            continue
    raise BadTable("This file's letters cannot be read. Save it as 'CSV UTF-8'.")


def _delimiter(line: str) -> str:
    bare = re.sub(r'"[^"]*"', "", line)
    return max(",;\t", key=bare.count)


def _key(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).casefold()


def _plain(cell: str) -> str:
    # Our own tables put an apostrophe before what would be a formula.
    text = clean(cell, _LONGEST_CELL)
    return text[1:] if text.startswith("'") and text[1:].startswith(_FORMULA) else text


def _harmless(cell: object) -> str:
    text = clean(cell, _LONGEST_CELL)
    return f"'{text}" if text.startswith(_FORMULA) else text
