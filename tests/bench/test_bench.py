"""The figures of `make bench` leave nothing out and fail when a promise is not kept."""

import json
import subprocess

import pytest

import bench.__main__ as bench
from bench.memory import Peak, measured_peak
from bench.recall import measured_recall
from bench.stages import bottleneck, stage_rates
from simulator.pictures.recall import Recall

ACCOUNT = {
    "nodes": {
        name: {"segments": 10, "process_cpu_s": 9.0, "cpu_s": {"capture": 1.0, "look": 4.0, "offload": 1.0}}
        for name in ("left", "right")
    },
    "hub": {
        "calibrate": {"wall_s": 31.0, "cpu_s": 30.0, "items": 1},
        "stitch": {"wall_s": 20.0, "cpu_s": 20.0, "items": 10},
        "push": {"wall_s": 2.0, "cpu_s": 0.5, "items": 1},
    },
}


def test_every_stage_of_the_account_has_its_rate_and_any_may_be_the_bottleneck():
    rates = {rate.name: rate.per_second for rate in stage_rates(ACCOUNT)}
    assert rates == pytest.approx(
        {
            "node: capture": 10.0,
            "node: look": 2.5,
            "node: offload": 10.0,
            "node: library threads": 20 / 6,
            "hub: calibrate": 1 / 3,
            "hub: stitch": 0.5,
            "hub: push": 20.0,
        }
    )
    assert bottleneck(stage_rates(ACCOUNT)).name == "hub: calibrate"


@pytest.fixture
def played(monkeypatch):
    """A bench whose day is over, and whose node kept its promise."""
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 0))
    for table in ("_print_stages", "_print_tracks", "_print_events", "_run_scorers"):
        monkeypatch.setattr(bench, table, lambda out: 0)
    monkeypatch.setattr(bench, "measured_peak", lambda: Peak(node=499_999_999, floor=250_000_000))


@pytest.mark.usefixtures("played")
@pytest.mark.parametrize(
    ("mast", "sideline", "status"),
    [
        (Recall(100, 90, 4, 8), Recall(100, 90, 4, 8), 0),
        (Recall(100, 89, 0, 8), Recall(100, 100, 0, 8), 1),
        (Recall(100, 100, 5, 8), Recall(100, 100, 0, 8), 1),
        (Recall(100, 100, 0, 8), Recall(100, 89, 0, 8), 1),
        (Recall(100, 100, 0, 8), Recall(100, 100, 5, 8), 1),
    ],
    ids=["at the line", "mast: too few", "mast: false alarms", "sideline: too few", "sideline: false alarms"],
)
def test_the_bench_fails_when_a_rigs_pictures_are_not_good_enough(monkeypatch, capsys, mast, sideline, status):
    monkeypatch.setattr(bench, "measured_recall", lambda rig, seed: {"mast": mast, "sideline": sideline}[rig])
    monkeypatch.setattr("sys.argv", ["bench"])
    assert bench.main() == status
    said = capsys.readouterr().out
    assert f"{mast.recall:.1%} of 100" in said
    assert f"{sideline.recall:.1%} of 100" in said
    assert ("too little" in said) == bool(status)


@pytest.mark.usefixtures("played")
def test_the_bench_fails_when_a_node_takes_more_memory_than_promised(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["bench", "--no-recall"])
    assert bench.main() == 0
    said = capsys.readouterr().out
    assert "500 MB, 2.00 times that of its decoder and x264 alone (250 MB)" in said
    assert "too much" not in said
    monkeypatch.setattr(bench, "measured_peak", lambda: Peak(node=500_000_000, floor=250_000_000))
    assert bench.main() == 1
    assert "too much" in capsys.readouterr().out


@pytest.mark.slow
def test_a_node_on_large_pictures_takes_what_is_promised_and_more_than_its_codecs():
    peak = measured_peak()
    assert peak.good_enough
    assert 100_000_000 < peak.floor < peak.node


@pytest.mark.slow
def test_the_recall_that_is_measured_is_that_of_the_cameras_pictures():
    found = measured_recall("sideline", 7, matches=2, pictures=1)
    assert found.pictures == 6
    assert found.wanted > 20
    assert found.recall > 0.8


@pytest.mark.parametrize(("size", "status"), [(60_000, 0), (60_001, 1)])
def test_the_bench_fails_when_tracks_take_more_than_six_bytes_a_detection(tmp_path, capsys, size, status):
    nodes = {"left": {**ACCOUNT["nodes"]["left"], "detections": 10_000, "tracks_bytes": size}}
    (tmp_path / "costs.json").write_text(json.dumps({**ACCOUNT, "nodes": nodes}))
    assert bench._print_stages(tmp_path) == status
    said = capsys.readouterr().out
    assert "Bytes of tracks per detection: 6.00" in said
    assert ("too much" in said) == bool(status)
