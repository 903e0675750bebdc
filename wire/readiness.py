"""Whether a node is fit to record: what its gates say before a start, and what its self-test found."""

from enum import StrEnum

import msgspec

from wire.ids import NodeId, node_id
from wire.message import Message


class Verdict(StrEnum):
    """What one check says."""

    PASS = "pass"  # noqa: S105 - no password
    WARN = "warn"
    """Recording works, but somebody should look at this."""
    FAIL = "fail"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One check's outcome: its `code`, verdict, a sentence with what to do, the panel's rhythm for it (empty for none),
    and what was measured, by names that end in their unit; whether an order may override the gate that failed."""

    code: str
    verdict: Verdict
    sentence: str
    beep: str = ""
    overridable: bool = True
    numbers: dict[str, float] = {}


class GateReport(Message, frozen=True, kw_only=True):
    """What the gates of one node said before a start, at `at_ns` on the node's clock; `overridden` are the codes whose
    failure the order accepted."""

    KIND = "gate-report"
    VERSION = 1

    node: NodeId
    at_ns: int
    gates: tuple[Finding, ...]
    overridden: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        node_id(self.node)

    @property
    def closed(self) -> tuple[Finding, ...]:
        """The gates that keep the node from recording."""
        return tuple(g for g in self.gates if g.verdict is Verdict.FAIL and g.code not in self.overridden)

    @property
    def sentence(self) -> str:
        """Why the node does not record, gate by gate with its code; empty when it may."""
        return "; ".join(f"{gate.sentence} ({gate.code})" for gate in self.closed)


class SelfTestReport(Message, frozen=True, kw_only=True):
    """What a node's self-test found, stage by stage; begun at `at_ns` on the node's clock, `seconds` of video long."""

    KIND = "self-test-report"
    VERSION = 1

    node: NodeId
    at_ns: int
    seconds: float
    stages: tuple[Finding, ...]

    def __post_init__(self) -> None:
        node_id(self.node)

    @property
    def passed(self) -> bool:
        """Whether no stage failed; a warning does not keep anybody from recording."""
        return all(stage.verdict is not Verdict.FAIL for stage in self.stages)
