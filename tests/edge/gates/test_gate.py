import threading
import time

import pytest

from edge.errors import CameraFault
from edge.gates import Gate, ask
from edge.gates.checks import failed, passed, warned
from firmware.errors import PanelFault
from firmware.panel import BEEPS
from wire.readiness import Verdict


def raising(fault):
    def check():
        raise fault

    return check


async def test_findings_come_in_the_order_of_the_gates_with_the_beep_of_those_that_failed():
    found = await ask(
        [
            Gate(("camera",), lambda: [failed("camera", "no picture")]),
            Gate(("temperature", "supply"), lambda: [failed("temperature", "hot"), warned("supply", "weak")]),
            Gate(("clock",), lambda: [passed("clock", "right")]),
        ]
    )
    assert [(f.code, f.verdict, f.beep) for f in found] == [
        ("camera", Verdict.FAIL, "camera"),
        ("temperature", Verdict.FAIL, "temperature"),
        ("supply", Verdict.WARN, ""),
        ("clock", Verdict.PASS, ""),
    ]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (CameraFault("the cable came off"), "the cable came off"),
        (PanelFault("no pins"), "no pins"),
        (OSError(5, "Input/output error"), "OSError: [Errno 5] Input/output error"),
        (TimeoutError("its own"), "TimeoutError: its own"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
    ],
)
async def test_a_gate_that_raises_has_failed_with_its_reason(fault, words):
    [told] = await ask([Gate(("disk",), raising(fault))])
    assert (told.code, told.verdict, told.sentence, told.beep) == ("disk", Verdict.FAIL, words, "disk")


async def test_a_gate_that_hangs_has_failed_and_holds_up_no_other():
    release = threading.Event()
    began = time.monotonic()
    found = await ask(
        [
            Gate(("temperature", "battery"), lambda: [passed("temperature", str(release.wait(30)))], 0.05),
            Gate(("clock",), lambda: [passed("clock", "right")]),
        ]
    )
    assert [(f.code, f.verdict) for f in found] == [
        ("temperature", Verdict.FAIL),
        ("battery", Verdict.FAIL),
        ("clock", Verdict.PASS),
    ]
    assert "the battery does not answer within 0.05 s" in found[1].sentence
    assert time.monotonic() - began < 25
    release.set()


async def test_gates_are_asked_at_the_same_time():
    both = threading.Barrier(2, timeout=20)

    def meet(code):
        both.wait()
        return [passed(code, "met the other")]

    found = await ask([Gate(("camera",), lambda: meet("camera")), Gate(("disk",), lambda: meet("disk"))])
    assert [f.verdict for f in found] == [Verdict.PASS] * 2


async def test_a_gate_that_is_not_required_only_warns():
    hang = threading.Event()
    found = await ask(
        [
            Gate(("detector",), raising(CameraFault("no weights")), required=False),
            Gate(("detector",), lambda: [failed("detector", "no chip")], required=False),
            Gate(("detector",), lambda: [passed("detector", str(hang.wait(30)))], 0.05, required=False),
        ]
    )
    assert [(f.verdict, f.beep) for f in found] == [(Verdict.WARN, "")] * 3
    hang.set()


async def test_a_gate_that_failed_says_whether_an_order_may_override_it():
    found = await ask(
        [
            Gate(("camera",), raising(CameraFault("no camera")), overridable=False),
            Gate(("disk",), raising(CameraFault("no disk"))),
        ]
    )
    assert [f.overridable for f in found] == [False, True]


async def test_a_gate_that_says_nothing_of_one_of_its_codes_has_failed_that():
    found = await ask([Gate(("supply", "battery"), lambda: [passed("battery", "full")])])
    assert [(f.code, f.verdict) for f in found] == [("supply", Verdict.FAIL), ("battery", Verdict.PASS)]


async def test_every_required_gate_of_a_node_has_a_beep_of_its_own(make_node, tmp_path, video):
    from edge.ledger import Ledger

    ledger = Ledger(tmp_path / "ledger.sqlite")
    report = await make_node(f"file:{video}", ledger).gates()
    ledger.close()
    codes = [gate.code for gate in report.gates]
    assert codes == ["camera", "disk", "clock", "temperature", "supply", "battery", "detector"]
    assert set(codes) - {"detector"} <= set(BEEPS)
