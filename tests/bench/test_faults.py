"""The campaign's exit status tells what was shown, and its judgement of a full disk can fail."""

from types import SimpleNamespace

import pytest

import bench.faults.__main__ as faults
from bench.faults.campaign import Findings, Loss, NotShown, Wrong, check_full

FULL = "the disk is full and holds nothing that the hub has confirmed: the recording has ended"
LOGGED = """\
event=segment-closed node=left session=campaign segment=0 frames=50
event=segment-closed node=left session=campaign segment=1 frames=12
event=beep node=left name=alarm
"""


def rows(*sequences):
    return [SimpleNamespace(key=SimpleNamespace(sequence=sequence)) for sequence in sequences]


@pytest.fixture
def campaign(monkeypatch):
    """A campaign that finds nothing wrong, but for what its full disk does."""

    def run(full_disk, *options):
        found = Findings([Loss("a blow", 10.0, 40.0)], starts=2, resumed=1)
        for part in ("kills", "fault", "killed_behind"):
            monkeypatch.setattr(faults, part, lambda *_, **__: found)
        monkeypatch.setattr(faults, "full_disk", full_disk)
        monkeypatch.setattr("sys.argv", ["bench.faults", *options])
        return faults.main()

    return run


def refused(_folder):
    raise NotShown("a full disk: mounting a small one needs root")


def broken(_folder):
    raise Wrong("a full disk was no alarm")


def test_a_campaign_that_shows_everything_ends_well(campaign, capsys):
    assert campaign(lambda _folder: "full disk, and all is well") == 0
    assert "all is well" in capsys.readouterr().out


def test_a_full_disk_that_could_not_be_tried_is_no_success(campaign, capsys):
    assert campaign(refused) == 2
    assert "Not shown: a full disk: mounting a small one needs root" in capsys.readouterr().out


def test_a_full_disk_is_left_out_on_request_only(campaign, capsys):
    assert campaign(refused, "--without-disk") == 0
    assert "Not shown" not in capsys.readouterr().out


def test_a_broken_promise_is_told(campaign, capsys):
    assert campaign(broken) == 1
    assert "A promise was broken: a full disk was no alarm" in capsys.readouterr().out


def test_a_full_disk_that_is_told_heard_and_costs_nothing_is_right():
    check_full(FULL, LOGGED, rows(0, 1))


@pytest.mark.parametrize(
    ("fault", "log", "held", "said"),
    [
        ("None", LOGGED, (0, 1), "the node said: None"),
        ("the camera gives no picture", LOGGED, (0, 1), "the camera gives no picture"),
        (FULL, LOGGED.replace("alarm", "stopped"), (0, 1), "no alarm"),
        (FULL, "event=beep node=left name=alarm\n", (), "nothing was recorded"),
        (FULL, LOGGED, (0,), r"closed segments were lost on a full disk: \[1\]"),
    ],
    ids=["no fault", "another fault", "no alarm", "nothing recorded", "a segment lost"],
)
def test_a_full_disk_with_any_other_outcome_is_a_broken_promise(fault, log, held, said):
    with pytest.raises(Wrong, match=said):
        check_full(fault, log, rows(*held))
