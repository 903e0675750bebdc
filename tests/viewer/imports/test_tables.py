"""Tables in whatever form a spreadsheet program writes them, and what is wrong with them."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from viewer.errors import BadTable
from viewer.imports.sheets import Sheet, example, read_sheet
from viewer.imports.snapshot import clean
from viewer.imports.tables import MOST_BYTES, MOST_ROWS, read_table, write_table

ZONE = "Europe/Berlin"
COLUMNS = {"team": (), "first name": ("given name",), "last name": ("surname",)}
NAMES = "team,first name,last name\nU12,Zoë,Müller-O'Neill\n"


def players(data: bytes):
    return read_sheet(Sheet.PLAYERS, data, ZONE).players


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_letters_and_delimiters_of_every_program_are_read(encoding, delimiter, end):
    [player] = players(NAMES.replace(",", delimiter).replace("\n", end).encode(encoding))
    assert (player.first_name, player.last_name) == ("Zoë", "Müller-O'Neill")


def test_a_program_that_names_its_delimiter_is_believed_and_lines_are_still_counted_right():
    with pytest.raises(BadTable) as fault:
        players(b"sep=;\r\nteam;first name;last name\r\nU12;A, B;\r\n")
    assert fault.value.faults == ("Line 3: the last name is missing.",)


@pytest.mark.parametrize(
    "head", ["Team,First Name,Last Name", "TEAM,first_name,last-name", "team name,Given name,Surname"]
)
def test_heads_are_read_however_they_are_written(head):
    [player] = players(f"{head}\nU12,Robin,Example\n".encode())
    assert player.first_name == "Robin"


def test_numbers_stay_texts_as_they_were_found():
    data = b"team,first name,last name,number\nU12,A,B,00\nU12,C,D,07\nU12,E,F,\n"
    assert [player.jersey_number for player in players(data)] == ["00", "07", ""]


def test_a_line_is_told_where_it_begins_also_behind_cells_of_several_lines():
    data = b'team,first name,last name\nU12,"A\nand more",B\n\nU12,,D\n'
    with pytest.raises(BadTable) as fault:
        players(data)
    assert fault.value.faults == ("Line 5: the first name is missing.",)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is missing"),
        (b"team,first name\nU12,A\n", "“last name” is missing"),
        (b"team,first name,last name,surname\nU12,A,B,C\n", "there twice"),
        (b"team,first name,last name\nU12,A,B,C\n", "more cells"),
        (b'team,first name,last name\nU12,"A"x,B\n', "Line 2 is no CSV"),
        (b"PK\x03\x04" + bytes(range(256)) * 4, "no CSV|cannot be read|is missing"),
        (b"team,first name,last name\n" + b"U12,A,B\n" * (MOST_ROWS + 1), "rows"),
        (b" " * (MOST_BYTES + 1), "larger"),
        (b"team,first name,last name\nU12," + b"A" * 200_000 + b",B\n", "no CSV"),
    ],
)
def test_what_is_no_table_is_refused_in_words(data, words):
    with pytest.raises(BadTable, match=words):
        read_table(data, COLUMNS, list(COLUMNS))


def test_two_players_of_one_name_need_ids():
    twice = "team,first name,last name,id\nU12,Robin,Example,{}\nU12,robin,EXAMPLE,{}\n"
    with pytest.raises(BadTable) as fault:
        players(twice.format("", "").encode())
    assert "Line 3: this player is there already" in fault.value.faults[0]
    assert len({player.id for player in players(twice.format("1", "2").encode())}) == 2


def test_the_same_player_has_the_same_id_in_a_table_of_parents():
    parents = b"team,player first name,player last name,email\nu12, robin ,Example,A@Example.org\n"
    snapshot = read_sheet(Sheet.PARENTS, parents, ZONE)
    [player] = players(b"team,first name,last name\nU12,Robin,Example\n")
    assert snapshot.players[0].id == player.id
    assert snapshot.players[0].mentioned
    assert snapshot.parents[0].mails == ("a@example.org",)


def test_one_parent_may_stand_for_several_children():
    rows = b"team,player first name,player last name,email\nU12,A,B,p@example.org\nU14,C,D,p@example.org\n"
    snapshot = read_sheet(Sheet.PARENTS, rows, ZONE)
    assert len(snapshot.parents) == len({parent.player for parent in snapshot.parents}) == 2


@pytest.mark.parametrize("mail", ["nobody", "a@b", "a b@example.org", "a@example.org,b@example.org", "@example.org"])
def test_what_is_no_address_is_told(mail):
    rows = f'team,player first name,player last name,email\nU12,A,B,"{mail}"\n'.encode()
    with pytest.raises(BadTable) as fault:
        read_sheet(Sheet.PARENTS, rows, ZONE)
    assert fault.value.faults[0].startswith("Line 2:")


def test_kick_offs_are_times_of_the_clubs_place_in_summer_and_winter():
    rows = b"team,opponent,date,time\nU12,X,2026-07-04,10:30\nU12,X,2026-12-05,9:30\n"
    games = read_sheet(Sheet.GAMES, rows, ZONE).games
    assert [game.starts_at for game in games] == [
        datetime(2026, 7, 4, 8, 30, tzinfo=UTC),
        datetime(2026, 12, 5, 8, 30, tzinfo=UTC),
    ]
    assert {game.time_zone for game in games} == {ZONE}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("U12,X,12.09.2026,10:30,home,,", "no date"),
        ("U12,X,2026-09-12,half past ten,home,,", "no time"),
        ("U12,X,2026-09-12,10:30,there,,", "neither home nor away"),
        ("U12,X,2026-09-12,10:30,home,3,", "two whole numbers"),
        ("U12,,2026-09-12,10:30,home,,", "the opponent is missing"),
    ],
)
def test_every_fault_of_a_game_is_told_with_its_line(row, words):
    head = "team,opponent,date,time,home or away,our score,their score\nU12,Y,2026-09-19,10:30,,,\n"
    with pytest.raises(BadTable) as fault:
        read_sheet(Sheet.GAMES, f"{head}{row}\n".encode(), ZONE)
    assert len(fault.value.faults) == 1
    assert fault.value.faults[0].startswith("Line 3: ")
    assert words in fault.value.faults[0]


@pytest.mark.parametrize("cell", ["=1+1", "+49 123", "-2", "@SUM(A1)", '=HYPERLINK("http://evil.example")', "\t=1"])
def test_no_cell_that_we_write_is_a_formula_and_reading_gives_it_back(cell):
    written = write_table(["team", "first name", "last name"], [["U12", cell, "B"]])
    assert b",=" not in written
    assert b'"=' not in written
    [row] = read_table(written, COLUMNS, list(COLUMNS))
    assert row.cells["first name"] == cell.strip()


@given(st.lists(st.lists(st.text(max_size=20), min_size=3, max_size=3), max_size=5))
def test_what_is_written_is_read_again_as_it_was(rows):
    rows = [[clean(cell, 500) for cell in row] for row in rows]
    # An apostrophe before a formula is ours: whoever wrote one has it taken away.
    rows = [row for row in rows if any(row) and not any(cell.startswith("'") for cell in row)]
    read = read_table(write_table(list(COLUMNS), rows), COLUMNS, list(COLUMNS))
    assert [[row.cells[name] for name in COLUMNS] for row in read] == rows


@given(st.binary(max_size=300), st.sampled_from(list(Sheet)))
def test_whatever_is_uploaded_is_read_or_refused_in_words(data, sheet):
    with suppress(BadTable):
        assert read_sheet(sheet, data, ZONE).source == "csv"


@pytest.mark.parametrize("sheet", list(Sheet))
def test_the_examples_are_tables_that_we_read(sheet):
    assert read_sheet(sheet, example(sheet), ZONE).teams
