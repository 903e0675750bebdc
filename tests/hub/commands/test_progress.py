import io

from hub.commands.progress import Progress, clock_words, cost_table
from hub.messages import StageCost


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_on_a_terminal_one_line_is_written_over_and_notes_get_their_own():
    out, now = Terminal(), [0.0]
    progress = Progress(out, 200, 0, lambda: now[0])
    for done in (50, 100):
        now[0] += 2.0
        progress.at(done)
    progress.tell("note")
    assert out.getvalue() == (
        "\r 25%  50 of 200 frames, 25.0 frames/s, 6 s left\x1b[K"
        "\r 50%  100 of 200 frames, 25.0 frames/s, 4 s left\x1b[K\nnote\n"
    )


def test_elsewhere_a_line_comes_every_few_seconds_and_for_the_end():
    out, now = io.StringIO(), [0.0]
    progress = Progress(out, 100, 0, lambda: now[0])
    for done in range(10, 101, 10):
        now[0] += 1.0
        progress.at(done)
    lines = out.getvalue().splitlines()
    assert [line.split()[0] for line in lines] == ["10%", "60%", "100%"]


def test_what_was_there_before_counts_for_the_share_and_not_for_the_speed():
    out, now = io.StringIO(), [0.0]
    progress = Progress(out, 1000, 500, lambda: now[0])
    now[0] = 10.0
    progress.at(600)
    assert out.getvalue() == " 60%  600 of 1000 frames, 10.0 frames/s, 40 s left\n"


def test_lengths_of_time_are_told_as_people_read_them():
    assert [clock_words(s) for s in (48, 727, 3909)] == ["48 s", "12:07", "1:05:09"]


def test_the_table_shows_cost_and_belts_per_stage():
    table = cost_table(
        {
            "decode": StageCost(wall_s=2.0, cpu_s=1.0, items=100, fill=0.5),
            "library threads": StageCost(wall_s=0.0, cpu_s=3.0, items=0),
        }
    )
    assert table.splitlines()[1].split() == ["decode", "100", "1.00", "2.00", "10.00", "50%"]
    assert table.splitlines()[2].split() == ["library", "threads", "0", "3.00", "0.00"]
