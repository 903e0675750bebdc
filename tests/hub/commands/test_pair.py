"""`touchline-hub pair` and what `serve` makes of it; the pairing itself is in tests/hub/test_portal.py."""

import argparse

import pytest

from hub.cli import main
from hub.commands import pair
from hub.portal import FILE, Portal
from wire.message import encode

URL = "https://portal.test"


@pytest.fixture
def served(monkeypatch):
    """What `touchline-hub serve` would run with."""
    seen = []

    async def serve(settings, *_):
        seen.append((settings.viewer, settings.device_key))
        return 0

    monkeypatch.setattr("hub.cli.serve", serve)
    monkeypatch.delenv("TOUCHLINE_DEVICE_KEY", raising=False)
    return seen


def serve(data, *more):
    return main(["serve", "--data", str(data), "--node", "left=http://127.0.0.1:9", "--token", "t", *more])


def keep(data):
    portal = Portal(url=URL, device="hub", team="U12", club="Rovers", club_id=1, key="paired")
    (data / FILE).write_bytes(encode(portal))


def test_a_paired_hub_serves_its_portal_with_its_key(tmp_path, served):
    keep(tmp_path)
    assert serve(tmp_path) == 0
    assert serve(tmp_path, "--viewer", f"{URL}/") == 0
    assert served == [(URL, "paired"), (URL, "paired")]


def test_a_hub_that_is_not_paired_serves_without_a_portal(tmp_path, served):
    assert serve(tmp_path) == 0
    assert served == [(None, "")]


def test_the_key_of_a_pairing_is_never_shown_to_another_portal(tmp_path, served, capsys):
    keep(tmp_path)
    assert serve(tmp_path, "--viewer", "https://other.test") == 2
    assert "only with a key: pair this hub" in capsys.readouterr().err
    assert serve(tmp_path, "--viewer", "https://other.test", "--device-key", "own") == 0
    assert served == [("https://other.test", "own")]


def test_a_key_that_was_given_goes_before_that_of_the_pairing(tmp_path, served):
    keep(tmp_path)
    assert serve(tmp_path, "--viewer", URL, "--device-key", "own") == 0
    assert served == [(URL, "own")]


def test_a_broken_pairing_keeps_a_hub_from_starting_with_a_sentence(tmp_path, served, capsys):
    (tmp_path / FILE).write_text("{")
    assert serve(tmp_path) == 2
    assert "pair this hub again" in capsys.readouterr().err
    assert served == []


@pytest.mark.parametrize("url", ["portal.test", "ftp://portal.test", ""])
def test_what_is_no_web_address_is_refused_before_a_folder_is_made(tmp_path, capsys, url):
    assert main(["pair", "K7QM-4TXP", "--data", str(tmp_path / "hub"), "--viewer", url]) == 2
    assert "write it as a web address" in capsys.readouterr().err
    assert not (tmp_path / "hub").exists()


def test_a_data_folder_that_cannot_be_is_told(tmp_path, capsys):
    (tmp_path / "hub").write_text("a file")
    assert main(["pair", "K7QM-4TXP", "--data", str(tmp_path / "hub"), "--viewer", URL]) == 2
    assert "cannot be used" in capsys.readouterr().err


@pytest.mark.parametrize("sessions", [(), ("2026-05-30-a",)])
def test_pairing_is_told_whether_the_hub_holds_matches(tmp_path, monkeypatch, capsys, sessions):
    class Asked:
        def __init__(self, data, url, holds_matches, http):
            assert (data, url, holds_matches) == (tmp_path, URL, bool(sessions))

        async def take(self, code, version):
            return Portal(url=URL, device="hub", team="U12", club="Rovers", club_id=1, key="its key")

    for session in sessions:
        folder = tmp_path / "sessions" / session
        folder.mkdir(parents=True)
        (folder / "plan.json").write_text("{}")
    monkeypatch.setattr(pair, "Pairing", Asked)
    assert pair.run(argparse.Namespace(code="K7QM-4TXP", data=tmp_path, viewer=URL)) == 0
    told = capsys.readouterr()
    assert told.out == f"paired: hub brings the matches of U12, Rovers, to {URL}\n"
    assert "its key" not in told.out + told.err
