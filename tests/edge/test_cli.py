import io
import os
from types import SimpleNamespace

import pytest

from edge.api.access import PIN_FILE, OperatorPin
from edge.cli import main
from edge.detect.hailo import MODELS

GOOD = ["serve", "--node", "left", "--camera", "file:x.mp4", "--data", "d", "--hub", "http://h", "--token", "t"]


def test_version_is_told(capsys):
    with pytest.raises(SystemExit) as end:
        main(["--version"])
    assert end.value.code == 0
    assert capsys.readouterr().out.startswith("touchline-edge ")


@pytest.mark.parametrize("missing", ["--node", "--camera", "--data", "--hub", "--token"])
def test_what_is_missing_is_named(capsys, missing, monkeypatch):
    monkeypatch.delenv("TOUCHLINE_TOKEN", raising=False)
    at = GOOD.index(missing)
    with pytest.raises(SystemExit) as end:
        main(GOOD[:at] + GOOD[at + 2 :])
    assert end.value.code == 2
    assert missing in capsys.readouterr().err


@pytest.mark.parametrize("passes", ["0", "-1", "nan", "inf", "many"])
def test_passes_a_second_are_a_number_above_zero(capsys, passes):
    with pytest.raises(SystemExit) as end:
        main([*GOOD, "--passes-per-second", passes])
    assert end.value.code == 2
    assert "--passes-per-second" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (["--profile", "1080p"], "'1080p' is not a profile"),
        (["--profile", "1921x1080"], "no even width"),
        (["--sync", "master"], "invalid Sync value: 'master'"),
    ],
)
def test_a_profile_and_a_part_in_the_rig_are_checked_at_once(capsys, option, words):
    with pytest.raises(SystemExit) as end:
        main([*GOOD, *option])
    assert end.value.code == 2
    assert words in capsys.readouterr().err


def test_a_profile_is_only_for_a_boards_camera(capsys):
    assert main([*GOOD, "--profile", "1920x1080@30"]) == 2
    assert "are for picamera:ID; file:x.mp4 records as it comes" in capsys.readouterr().err


@pytest.mark.parametrize("poses", ["-1", "nan", "inf", "many"])
def test_poses_a_second_are_a_number_not_below_zero(capsys, poses):
    with pytest.raises(SystemExit) as end:
        main([*GOOD, "--poses-per-second", poses])
    assert end.value.code == 2
    assert "--poses-per-second" in capsys.readouterr().err


def test_a_node_id_that_is_none_is_one_sentence(capsys):
    assert main([word if word != "left" else "Left Camera" for word in GOOD]) == 2
    assert capsys.readouterr().err == (
        "touchline-edge: 'Left Camera' is not a node id: use 1 to 63 of a-z, 0-9 and '-'\n"
    )


@pytest.mark.parametrize(("option", "given", "says"), [("--hub", "hub.local", "web address"), ("--token", "", "empty")])
def test_a_hub_without_an_address_and_a_token_without_a_letter_are_refused(capsys, option, given, says):
    at = GOOD.index(option) + 1
    assert main([*GOOD[:at], given, *GOOD[at + 1 :]]) == 2
    said = capsys.readouterr().err
    assert said.startswith("touchline-edge: ")
    assert says in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize("panel", ["gpio", "gpio:17", "lights"])
def test_a_panel_that_is_none_is_one_sentence(capsys, panel):
    assert main([*GOOD, "--panel", panel]) == 2
    assert capsys.readouterr().err.startswith(f"touchline-edge: {panel!r} is not a panel: write disabled, or gpio:")


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    told = capsys.readouterr().out
    for option in (
        "--host",
        "--port",
        "--profile",
        "--sync",
        "--lens",
        "--detector",
        "--passes-per-second",
        "--poses-per-second",
        "--hailo-models",
        "--hailo-service",
        "--delete-confirmed",
        "--nodes-on-disk",
    ):
        assert option in told


@pytest.mark.parametrize(("options", "told"), [([], "from-outside"), (["--token", "on-the-line"], "on-the-line")])
def test_the_token_may_come_from_the_environment_and_the_option_wins(monkeypatch, options, told):
    settings = []

    async def serve(given, *_):
        settings.append(given)
        return 0

    monkeypatch.setattr("edge.cli.serve", serve)
    monkeypatch.setenv("TOUCHLINE_TOKEN", "from-outside")
    at = GOOD.index("--token")
    assert main([*GOOD[:at], *options]) == 0
    assert [given.token for given in settings] == [told]


@pytest.mark.parametrize(("options", "nodes"), [([], 1), (["--nodes-on-disk", "2"], 2)])
def test_a_node_is_told_how_many_share_its_disk(monkeypatch, options, nodes):
    settings = []

    async def serve(given, *_):
        settings.append(given)
        return 0

    monkeypatch.setattr("edge.cli.serve", serve)
    assert main([*GOOD, *options]) == 0
    assert [given.nodes_on_disk for given in settings] == [nodes]


@pytest.mark.parametrize("nodes", ["0", "-1", "1.5", "both"])
def test_a_disk_has_one_node_at_least(capsys, nodes):
    with pytest.raises(SystemExit) as end:
        main([*GOOD, "--nodes-on-disk", nodes])
    assert end.value.code == 2
    assert "--nodes-on-disk" in capsys.readouterr().err


def test_an_empty_token_in_the_environment_is_none(monkeypatch, capsys):
    monkeypatch.setenv("TOUCHLINE_TOKEN", "")
    with pytest.raises(SystemExit):
        main(GOOD[: GOOD.index("--token")])
    assert "--token" in capsys.readouterr().err


def test_help_does_not_tell_the_token(monkeypatch, capsys):
    monkeypatch.setenv("TOUCHLINE_TOKEN", "from-outside")
    with pytest.raises(SystemExit):
        main(["serve", "--help"])
    assert "from-outside" not in capsys.readouterr().out


@pytest.fixture
def stub_chip(monkeypatch):
    """What was asked of a node's only chip: how it was made, then its networks."""
    told = []

    class StubChip:
        def __init__(self, models, *, served):
            told.append((models, served))

        def network(self, name):
            told.append(name)

    monkeypatch.setattr("edge.detect.hailo.Chip", StubChip)
    return told


@pytest.mark.parametrize(("options", "served"), [([], False), (["--hailo-service"], True)])
def test_a_node_has_the_chip_for_itself_or_from_the_service(monkeypatch, stub_chip, options, served):
    async def serve(_settings, eyes_for, *_):
        eyes_for(SimpleNamespace(width=640, height=360, frames_per_second=25.0), 0)
        return 0

    monkeypatch.setattr("edge.cli.serve", serve)
    assert main([*GOOD, *options]) == 0
    assert stub_chip == [(MODELS, served)]


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ([], []),
        (["--detector", "motion", "--poses-per-second", "8"], []),
        (["--detector", "hailo"], ["yolov8s"]),
        (["--detector", "hailo", "--poses-per-second", "8"], ["yolov8s", "yolov8s_pose"]),
    ],
)
def test_the_gates_open_the_chip_of_a_node_that_looks_through_one(monkeypatch, stub_chip, options, asked):
    async def serve(settings, *_):
        settings.open_chip()
        return 0

    monkeypatch.setattr("edge.cli.serve", serve)
    assert main([*GOOD, *options]) == 0
    assert stub_chip[1:] == asked


@pytest.mark.parametrize(
    ("options", "hub", "mbit"),
    [([], "http://h", None), (["--hub", "auto"], None, None), (["--offload-mbit", "2.5"], "http://h", 2.5)],
)
def test_where_the_hub_is_and_how_much_it_may_be_sent(monkeypatch, options, hub, mbit):
    settings = []

    async def serve(given, *_):
        settings.append(given)
        return 0

    monkeypatch.setattr("edge.cli.serve", serve)
    assert main([*GOOD, *options]) == 0
    assert [(given.hub, given.config.offload_mbit) for given in settings] == [(hub, mbit)]


@pytest.mark.parametrize(("options", "lens"), [([], None), (["--lens", "6 mm"], "6 mm")])
def test_the_lens_that_a_camera_looks_through_may_be_named(monkeypatch, options, lens):
    settings = []

    async def serve(given, *_):
        settings.append(given)
        return 0

    monkeypatch.setattr("edge.cli.serve", serve)
    assert main([*GOOD, "--camera", "picamera:0", *options]) == 0
    assert [given.source.lens for given in settings] == [lens]


@pytest.mark.parametrize("mbit", ["0", "-1", "inf", "much"])
def test_a_bandwidth_is_a_number_above_zero(capsys, mbit):
    with pytest.raises(SystemExit) as end:
        main([*GOOD, "--offload-mbit", mbit])
    assert end.value.code == 2
    assert "--offload-mbit" in capsys.readouterr().err


@pytest.mark.parametrize("typed", ["374 910\n", "374 910"])
def test_the_operators_pin_is_read_from_the_standard_input_and_kept_for_the_node_alone(monkeypatch, tmp_path, typed):
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    mask = os.umask(0)
    try:
        assert main(["pin", "--data", str(tmp_path / "data")]) == 0
    finally:
        os.umask(mask)
    kept = tmp_path / "data" / PIN_FILE
    assert OperatorPin(kept).fits("374 910")
    assert kept.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("typed", ["", "12345\n"])
def test_a_pin_that_is_too_short_is_refused_and_the_old_one_stays(monkeypatch, tmp_path, capsys, typed):
    OperatorPin(tmp_path / PIN_FILE).set("374 910")
    monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    assert main(["pin", "--data", str(tmp_path)]) == 2
    assert capsys.readouterr().err == "touchline-edge: a PIN has at least 6 characters\n"
    assert OperatorPin(tmp_path / PIN_FILE).fits("374 910")
