"""The tables of revision 0001, as far as rows are carried one by one."""

from typing import Any

import sqlalchemy as sa

TABLES = (
    "account",
    "club",
    "job",
    "sign_in_try",
    "mail",
    "match",
    "sign_in",
    "team",
    "clip",
    "device_key",
    "match_event",
    "match_file",
    "match_team",
    "membership",
    "player_numbers",
)
"""Each after those it refers to."""

LATER = {
    "user_account": "account",
    "sign_in_try": "sign_in_try",
    "organization": "club",
    "team": "team",
    "device": "device_key",
    "device_key": "device_key",
    "job": "job",
    "mail": "mail",
    "game": "match",
    "recording": "match",
    "game_event": "match_event",
    "clip": "clip",
}
"""Tables of 0002 whose rows keep the numbers that they had in 0001."""


def table(
    name: str, /, *, whole: str = "", words: str = "", when: str = "", **others: sa.types.TypeEngine[Any]
) -> sa.TableClause:
    """A table with just these columns: numbers, texts and times by name, others by kind."""
    kinds: dict[str, sa.types.TypeEngine[Any]] = {
        **dict.fromkeys(whole.split(), sa.Integer()),
        **dict.fromkeys(words.split(), sa.String()),
        **dict.fromkeys(when.split(), sa.DateTime(timezone=True)),
        **others,
    }
    return sa.table(name, *(sa.column(column, kind) for column, kind in kinds.items()))


def free(wanted: str, taken: set[str], longest: int) -> str:
    """A name that nobody has: `wanted`, or with a number behind it; it is taken from now on."""
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted[: longest - len(str(number)) - 3]} ({number})"
    taken.add(name)
    return name
