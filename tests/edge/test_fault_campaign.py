"""A real node under fire, in short; `python -m bench.faults` is the whole campaign."""

import pytest

from bench.faults.__main__ import ENDS_PROCESS, HEALED, KILLED
from bench.faults.campaign import NotShown, fault, full_disk, killed_behind, killed_salvaging, kills
from bench.faults.staged import FAULTS

pytestmark = pytest.mark.slow


def test_every_fault_has_its_place_in_the_campaign():
    assert {*HEALED, *ENDS_PROCESS} == set(FAULTS)


def test_a_node_killed_again_and_again_loses_no_closed_segment_and_goes_on_by_itself(tmp_path):
    found = kills(tmp_path, 4, seed=7)
    assert found.resumed == 4
    assert all(loss.taken_ms <= 2000 for loss in found.losses)


def test_starts_that_are_killed_while_they_salvage_lose_nothing_that_was_whole(tmp_path):
    found = killed_salvaging(tmp_path)
    assert found.starts > found.resumed == 1
    [loss] = found.losses
    assert loss.taken_ms <= 2000


@pytest.mark.parametrize("kind", HEALED)
def test_a_fault_that_can_be_healed_is_healed_in_place(tmp_path, kind):
    found = fault(tmp_path, kind, ends_process=False)
    assert found.starts == 1
    [loss] = found.losses
    # A file that fails costs the rest of its segment, the others nothing that was taken …
    rest_ms = 2000 if kind == "file-error" else 0
    assert loss.taken_ms <= rest_ms
    # … and none holds the camera up until a hang is noticed, which takes two seconds here.
    assert loss.gap_ms < rest_ms + 2000


@pytest.mark.parametrize("kind", sorted(ENDS_PROCESS))
def test_a_fault_that_cannot_be_healed_ends_the_process_and_the_next_goes_on(tmp_path, kind):
    found = fault(tmp_path, kind, ends_process=True)
    assert (found.starts, found.resumed) == (2, 1)


@pytest.mark.parametrize("kind", KILLED)
def test_a_clock_that_was_set_back_before_a_kill_makes_no_time_come_twice(tmp_path, kind):
    found = killed_behind(tmp_path, kind)
    assert (found.starts, found.resumed) == (2, 1)


def test_a_full_disk_is_told_and_costs_nothing_that_was_closed(tmp_path):
    try:
        said = full_disk(tmp_path)
    except NotShown as reason:
        pytest.skip(str(reason))
    assert "the disk is full" in said
