"""The portal's bench asks every page as somebody whom it opens to, and fails when a page or a table is missing."""

import pytest

from bench.portal import scale
from bench.portal.crowd import Size
from bench.portal.scale import Page

SMALL = Size(clubs=8, teams_a_club=3, games_a_team=25, clips_a_game=4, events_a_game=100, venues_a_club=3)


@pytest.mark.slow
def test_every_page_of_the_portal_is_asked_and_answers_over_rows_in_every_table(monkeypatch, capsys):
    monkeypatch.setattr(scale, "REQUESTS", 2)
    # What a query reads of a few rows says nothing of its plan over many.
    monkeypatch.setattr(scale, "large_tables", lambda _: {})
    status = scale.main(SMALL)
    told = capsys.readouterr().out
    assert told.splitlines()[-1] == "faults: none"
    assert status == 0


@pytest.mark.parametrize(
    ("faults", "empty", "last"),
    [
        ({"answered 404"}, [], "faults: /bad"),
        (set(), ["mail"], "faults: none; empty tables: mail"),
    ],
)
def test_a_page_that_was_not_answered_or_an_empty_table_fails_the_bench(capsys, faults, empty, last):
    pages = [Page("/good", [0.1, 0.2], 3), Page("/bad", [0.1, 0.1], 1, faults)]
    assert scale._told(pages, empty) == 1
    assert capsys.readouterr().out.splitlines()[-1] == last
