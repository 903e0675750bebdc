def test_an_event_is_one_line_that_a_program_can_cut(log, log_text):
    log.event("segment-closed", session="s1", segment=3, fault='line one\nsaid "two"', nothing="")
    line = log_text.getvalue()
    assert line.count("\n") == 1
    assert line.startswith("time=2026-09-21T")
    assert 'event=segment-closed session=s1 segment=3 fault="line one\\nsaid \\"two\\"" nothing=""' in line
