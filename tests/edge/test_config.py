"""Settings that were kept: taken up at the next start, or passed over where they are of no use."""

import msgspec
import pytest

from edge.cli import main
from edge.config import Config
from edge.errors import BadConfig

GOOD = [
    "serve",
    "--node",
    "left",
    "--camera",
    "file:x.mp4",
    "--hub",
    "http://h",
    "--token",
    "t",
    "--detector",
    "motion",
]


@pytest.fixture
def start(monkeypatch, tmp_path):
    """Starts a node that does nothing; the settings it was given."""

    def begin(*options):
        given = []

        async def serve(settings, *_):
            given.append(settings)
            return 0

        monkeypatch.setattr("edge.cli.serve", serve)
        assert main([*GOOD, "--data", str(tmp_path), *options]) == 0
        return given[0]

    return begin


def test_kept_settings_win_over_the_command_line(start, running):
    assert start("--delete-confirmed").config.delete_confirmed
    start().kept.keep(msgspec.structs.replace(running, detector="onnx", passes_per_second=2))
    again = start("--delete-confirmed")
    assert (again.config.detector, again.config.passes_per_second, again.config.delete_confirmed) == ("onnx", 2, False)


@pytest.mark.parametrize("kept", [b"", b"{}", b'{"kind":"node-config","version":9,"body":{}}'])
def test_a_file_that_cannot_be_read_is_logged_and_the_node_starts(start, tmp_path, capfd, kept):
    (tmp_path / "config.json").write_bytes(kept)
    assert start("--delete-confirmed").config.delete_confirmed
    assert "event=config-fault" in capfd.readouterr().err


def test_settings_that_cannot_be_written_say_so(tmp_path, running):
    with pytest.raises(BadConfig, match="cannot be written"):
        Config(tmp_path / "none" / "config.json").keep(running)
