import errno
import io

import pytest

from firmware.log import KEPT, Log


class StillClock:
    def now_ns(self) -> int:
        return 1_790_000_000_123_000_000

    def uncertainty_ns(self) -> int:
        return 0


def test_an_event_is_one_line_that_a_program_can_cut():
    out = io.StringIO()
    Log(out, StillClock(), node="left").event("segment-closed", session="s1", segment=3, fault='one\nsaid "two"', no="")
    line = out.getvalue()
    assert line.count("\n") == 1
    assert line.startswith("time=2026-09-21T14:13:20.123+00:00 event=segment-closed node=left session=s1 segment=3 ")
    assert line.endswith('fault="one\\nsaid \\"two\\"" no=""\n')


@pytest.mark.parametrize("fault", [OSError(errno.ENOSPC, "No space left on device"), ValueError("closed file")])
def test_a_line_that_cannot_be_written_is_lost_and_nothing_more(fault):
    class Full(io.StringIO):
        full = True

        def write(self, text):
            if self.full:
                raise fault
            return super().write(text)

    out = Full()
    log = Log(out, StillClock())
    log.event("lost")
    out.full = False
    log.event("kept")
    assert "event=kept" in out.getvalue()
    assert "event=lost" not in out.getvalue()


def test_a_stream_that_cannot_be_flushed_does_not_stop_the_one_who_logs():
    class Full(io.StringIO):
        def flush(self):
            raise OSError(errno.ENOSPC, "No space left on device")

    Log(Full(), StillClock()).event("lost")


def test_the_newest_lines_are_remembered_whether_they_could_be_written_or_not():
    class Full(io.StringIO):
        def write(self, text):
            raise OSError(errno.ENOSPC, "No space left on device")

    log = Log(Full(), StillClock())
    for number in range(KEPT + 5):
        log.event("counted", number=number)
    kept = log.recent()
    assert len(kept) == KEPT
    assert kept[0].endswith("number=5")
    assert log.recent(2) == kept[-2:]
