"""Whatever happens in whatever order, no video is deleted that the hub has not confirmed."""

import contextlib
import io
import shutil
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from edge.errors import LedgerFault
from edge.ledger import Ledger, SessionRow
from edge.record.shelf import TRACKS, VIDEO, Shelf
from edge.storage import Storage
from firmware.clock import SystemClock
from firmware.log import Log
from wire.session import SegmentKey, SegmentOffer, SegmentState

SESSIONS = ("s1", "s2")


class Cut(Exception):
    """The power goes."""


class Node(RuleBasedStateMachine):
    """A node that records, hands over, deletes and is cut off; `confirmed` is what the hub really has, for good."""

    @initialize(delete_confirmed=st.booleans())
    def begin(self, delete_confirmed):
        self.root = Path(tempfile.mkdtemp())
        self.delete_confirmed = delete_confirmed
        self.free = 50 << 30
        self.recorded: dict[SegmentKey, bytes] = {}
        self.confirmed: set[SegmentKey] = set()
        self.running: set[str] = set()
        self.power_on()

    def power_on(self):
        self.shelf = Shelf(self.root)
        self.ledger = Ledger(self.root / "ledger.sqlite")
        self.storage = Storage(
            self.shelf,
            self.ledger,
            Log(io.StringIO(), SystemClock()),
            delete_confirmed=self.delete_confirmed,
            statvfs=lambda _: SimpleNamespace(f_frsize=1, f_blocks=100 << 30, f_bavail=self.free),
        )

    @rule(name=st.sampled_from(SESSIONS))
    def start(self, name):
        with contextlib.suppress(LedgerFault):
            self.ledger.begin_session(
                SessionRow(
                    session=name, node="left", start_ns=0, width_px=64, height_px=64, frames_per_second=25.0,
                    detector="motion",
                )
            )  # fmt: skip
            self.running.add(name)

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def record(self, data):
        name = data.draw(st.sampled_from(sorted(self.running)))
        key = SegmentKey(name, "left", len([k for k in self.recorded if k.session == name]))
        self.ledger.open_segment(key, key.sequence)
        body = f"{name} {key.sequence}".encode()
        for suffix in (VIDEO, TRACKS):
            path = self.shelf.path(key, suffix)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(body)
        self.ledger.close_segment(
            SegmentOffer(
                key=key, start_ns=key.sequence, end_ns=key.sequence + 1, frames=50, video_bytes=9, video_sha256="",
                tracks_bytes=9, tracks_sha256="", clock_uncertainty_ns=0, last=False,
            )
        )  # fmt: skip
        self.recorded[key] = body

    @precondition(lambda self: self.running)
    @rule(data=st.data())
    def stop(self, data):
        name = data.draw(st.sampled_from(sorted(self.running)))
        self.running.discard(name)
        self.ledger.finish_session(name)
        # What became the last goes back to be offered again: the hub does not count as having it.
        self.confirmed -= {row.key for row in self.ledger.segments(SegmentState.CLOSED)}

    @rule(data=st.data(), to=st.sampled_from([SegmentState.SENT, SegmentState.CONFIRMED]))
    def hand_over(self, data, to):
        waiting = self.ledger.segments(SegmentState.CLOSED, SegmentState.SENT)
        if waiting:
            key = data.draw(st.sampled_from([row.key for row in waiting]))
            with contextlib.suppress(LedgerFault):
                self.ledger.move(key, to)
                if to is SegmentState.CONFIRMED:
                    self.confirmed.add(key)

    @rule(free=st.sampled_from([0, 1 << 20, 1 << 30, 50 << 30]))
    def tend(self, free):
        self.free = free
        self.storage.tend()

    @rule()
    def delete_all_confirmed(self):
        self.storage.delete_all_confirmed()

    @rule(at=st.integers(0, 3))
    def be_cut_off_while_deleting(self, at):
        """The power goes before one of the steps that deleting consists of, the row's or a file's; then it is back."""
        steps = iter(range(100))
        move, path = self.ledger.move, self.shelf.path

        def then(honest):
            def step(*arguments):
                if next(steps) == at:
                    raise Cut
                return honest(*arguments)

            return step

        self.ledger.move, self.shelf.path = then(move), then(path)
        with contextlib.suppress(Cut):
            self.storage.delete_all_confirmed()
        self.ledger.close()
        self.power_on()
        self.storage.sweep()

    @rule(data=st.data())
    def somebody_asks_for_an_unconfirmed_segment_to_be_deleted(self, data):
        rows = [row for row in self.ledger.segments() if row.state is not SegmentState.CONFIRMED]
        if rows:
            with pytest.raises(LedgerFault):
                self.shelf.delete(self.ledger, data.draw(st.sampled_from(rows)).key)

    @invariant()
    def what_the_hub_has_not_confirmed_is_here_byte_by_byte(self):
        for key, body in self.recorded.items():
            if key not in self.confirmed:
                for suffix in (VIDEO, TRACKS):
                    assert self.shelf.path(key, suffix).read_bytes() == body

    @invariant()
    def the_newest_of_a_running_session_is_here_for_it_may_become_the_last(self):
        for name in self.running:
            keys = [key for key in self.recorded if key.session == name]
            assert all(self.shelf.path(key, VIDEO).exists() for key in keys[-1:])

    @invariant()
    def files_and_rows_agree(self):
        for row in self.ledger.segments() if self.recorded else ():
            for suffix in (VIDEO, TRACKS):
                assert self.shelf.path(row.key, suffix).exists() is (row.state is not SegmentState.DELETED)

    def teardown(self):
        self.ledger.close()
        shutil.rmtree(self.root)


Node.TestCase.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
TestNeverUnconfirmed = Node.TestCase
