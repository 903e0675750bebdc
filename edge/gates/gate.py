"""Asking gates: all at once, each with a deadline, and none can be passed by hanging."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from edge.aside import aside
from edge.errors import EdgeError
from firmware.errors import FirmwareError
from firmware.panel import BEEPS
from wire.readiness import Finding, Verdict


@dataclass(frozen=True)
class Gate:
    """`check` gives one finding for each of `codes`, in a thread of its own; it may raise, and it may hang.

    A gate that is not `required` only ever warns; one that is not `overridable` stays closed whatever an order says.
    """

    codes: tuple[str, ...]
    check: Callable[[], Sequence[Finding]]
    deadline_s: float = 10.0
    required: bool = True
    overridable: bool = True


async def ask(gates: Sequence[Gate]) -> tuple[Finding, ...]:
    """What every gate says, in their order; those that raise or hang have failed."""
    found = await asyncio.gather(*(_ask(gate) for gate in gates))
    return tuple(finding for findings in found for finding in findings)


async def _ask(gate: Gate) -> list[Finding]:
    said: dict[str, Finding] = {}
    told: str | None = None
    limit = asyncio.timeout(gate.deadline_s)
    try:
        async with limit:
            said = {finding.code: finding for finding in await aside(gate.check)}
    except (EdgeError, FirmwareError) as fault:
        told = str(fault)
    except Exception as fault:
        if not limit.expired():
            told = f"{type(fault).__name__}: {fault}"

    def silent(code: str) -> Finding:
        sentence = told or f"the {code} does not answer within {gate.deadline_s:g} s: switch the node off and on again"
        return Finding(code=code, verdict=Verdict.FAIL, sentence=sentence)

    return [_weighed(said.get(code) or silent(code), gate) for code in gate.codes]


def _weighed(finding: Finding, gate: Gate) -> Finding:
    if finding.verdict is not Verdict.FAIL:
        return finding
    if not gate.required:
        return msgspec.structs.replace(finding, verdict=Verdict.WARN)
    beep = finding.code if finding.code in BEEPS else ""
    return msgspec.structs.replace(finding, beep=beep, overridable=gate.overridable)
