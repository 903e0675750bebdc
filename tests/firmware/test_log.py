import io

from firmware.log import Log


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
