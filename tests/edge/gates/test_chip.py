"""What the detector's gate says of a chip before the start, on the fake of Hailo's package."""

import asyncio
import threading

import pytest

from edge.detect.hailo import Chip
from edge.errors import ChipBusy
from wire.readiness import Verdict
from wire.session import StartRecording


def the_detectors(report):
    return next(gate for gate in report.gates if gate.code == "detector")


@pytest.fixture
def chip(hailo_platform, board):
    """The trial's process does not find the fake and comes to its end at once: how it hangs is told elsewhere."""
    made = Chip(hailo_platform.models)
    yield made
    board.reset()
    made.close()


@pytest.fixture
def node(make_node, video, ledger, chip):
    return make_node(f"file:{video}", ledger, open_chip=lambda: chip.network("yolov8s"))


BROKEN = {
    "absent": ({"chip": None}, "no Hailo chip answers"),
    "without its driver": ({"driver_runs": False}, "the Hailo driver is not running"),
    "of another version": ({"driver": "4.19.0"}, "different versions"),
    "taken": ({"taken_by_another": True}, "another program"),
}


@pytest.mark.parametrize("name", BROKEN)
async def test_a_chip_that_cannot_be_opened_is_a_warning_before_the_start_and_no_closed_gate(node, board, name):
    spoilt, words = BROKEN[name]
    for attribute, value in spoilt.items():
        setattr(board, attribute, value)
    report = await node.gates()
    assert the_detectors(report).verdict is Verdict.WARN
    assert words in the_detectors(report).sentence
    assert report.closed == ()


async def test_a_chip_that_hangs_while_it_is_opened_is_told_before_the_start(node, chip, monkeypatch):
    monkeypatch.setattr(chip._trial, "comes_back", lambda: False)
    told = the_detectors(await node.gates())
    assert (told.verdict, "hangs while it is opened" in told.sentence) == (Verdict.WARN, True)


async def test_the_loop_goes_on_while_the_chip_is_tried(node, chip, monkeypatch, eventually):
    tried, goes_on = threading.Event(), threading.Event()

    def slowly():
        tried.set()
        return goes_on.wait(20)

    monkeypatch.setattr(chip._trial, "comes_back", slowly)
    async with asyncio.TaskGroup() as tasks:
        asked = tasks.create_task(node.gates())
        await eventually(tried.is_set)
        goes_on.set()
    assert the_detectors(asked.result()).verdict is Verdict.PASS


async def test_the_chip_is_opened_once_for_the_gates_and_for_those_who_look_through_it(
    node, chip, hailo_platform, board
):
    for _ in range(2):
        told = the_detectors(await node.gates())
        assert (told.verdict, told.sentence) == (Verdict.PASS, "the detector one-ball is ready")
    assert board.in_use
    loaded = chip.network("yolov8s")
    await node.gates()
    assert chip.network("yolov8s") is loaded
    with pytest.raises(ChipBusy):
        Chip(hailo_platform.models).network("yolov8s")


async def test_a_recording_whose_chip_is_out_of_order_keeps_its_eyes(node, board, ledger, zero_ns):
    board.chip = None
    await node.start(StartRecording(session="s1", start_ns=zero_ns))
    await node.stop()
    assert ledger.sessions()[0].detector == "one-ball"
