"""The chip: whose it is, what goes in and out, how long it may take, and what is said when it fails."""

import importlib
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.detect.hailo import Chip, HailoDetector
from edge.detect.hailo.detector import GREY
from edge.detect.hailo.opening import Trial
from edge.errors import ChipBusy, ChipFault, ChipMismatch, ChipMissing, ChipStalled, EdgeError, WrongWeights
from edge.frame import Frame

ROOT = Path(__file__).parents[3]
RED = (40, 40, 200)
# Short, and yet longer than a loaded machine takes for an answer that comes.
DEADLINE_S = 0.5


@pytest.fixture
def light(hailo_platform, monkeypatch):
    """A network behind the fake that costs nothing: one person in the square's middle, as wide as the picture is bright
    in its first channel. Its pictures are kept."""
    detection = importlib.import_module("hailo_platform.pyhailort.networks").NETWORKS["yolov8s"]
    seen = []

    def run(rgb, *_):
        seen.append(rgb.copy())
        half = 0.001 * float(rgb[..., 0].mean())
        values = np.zeros(detection.outputs["yolov8s/yolov8_nms_postprocess"], np.float32)
        values[:6] = 1, 0.4, 0.5 - half, 0.6, 0.5 + half, 0.9
        return {"yolov8s/yolov8_nms_postprocess": values}

    monkeypatch.setattr(detection, "run", run, raising=False)
    return seen


@pytest.fixture
def chip(hailo_platform, board):
    made = Chip(hailo_platform.models, deadline_s=5)
    yield made
    board.reset()
    made.close()


@pytest.fixture
def hasty(hailo_platform, board):
    """A chip whose patience is short."""
    made = Chip(hailo_platform.models, DEADLINE_S)
    yield made
    board.reset()
    made.close()


def grey_frame(level, width=1280, height=720):
    luma = np.full((height, width), level, np.uint8)
    return Frame(np.vstack([luma, np.full((height // 2, width), 128, np.uint8)]), 0, 0)


def test_the_network_gets_rgb_on_grey(chip, light, stage):
    big_red = Frame(stage.picture([(480, 500, 480, RED)], noise=0), 0, 0)
    HailoDetector(stage.width, stage.height, chip).detect(big_red)
    [square] = light
    height = round(640 * stage.height / stage.width / 2) * 2
    assert (square[height:] == GREY).all()
    red, green, blue = np.median(square[115:145, 310:330].reshape(-1, 3), axis=0)
    assert (red, green, blue) == pytest.approx((200, 40, 40), abs=25)


def test_several_looks_are_under_way_at_once_and_none_is_mixed_up(chip, light, board):
    detector = HailoDetector(1280, 720, chip)
    slope = np.tile(np.linspace(20, 230, 1280, dtype=np.uint8), (720, 1))
    frame = Frame(np.vstack([slope, grey_frame(0).planes[720:]]), 0, 0)
    looks = [detector.fit((x, 100, x + 100, 200)) for x in range(0, 1100, 100)]
    found = detector.look_at(frame, looks)
    widths = [float(one.box[0, 2] - one.box[0, 0]) for one in found]
    assert widths == sorted(widths)
    assert len(set(widths)) == len(looks)
    assert 1 < board.most_under_way <= board.queue


def test_a_chip_that_takes_one_at_a_time_is_enough(hailo_platform, board, light):
    board.queue = 1
    chip = Chip(hailo_platform.models, deadline_s=5)
    detector = HailoDetector(1280, 720, chip)
    assert len(detector.look_at(grey_frame(90), [detector.fit((0, 0, 640, 640))] * 3)) == 3
    assert board.most_under_way == 1
    chip.close()


def test_what_was_found_stays_when_the_buffers_are_used_again(chip, light):
    detector = HailoDetector(1280, 720, chip)
    look = detector.fit((0, 0, 640, 640))
    [before] = detector.look_at(grey_frame(60), [look])
    kept = before.box.copy()
    detector.look_at(grey_frame(200), [look] * 9)
    assert (before.box == kept).all()


class Mirror:
    """A network that answers with the boxes it is given, in shares of its square."""

    def __init__(self, box):
        self.box = box

    def network(self, _name):
        return self

    def run(self, looks, paint, take):
        empty = np.empty([0, 5])
        x0, y0, x1, y1 = self.box
        found = np.array([[y0, x0, y1, x1, 0.9]], np.float32)
        return [take(look, [[found, *[empty] * 79]]) for look in looks]


@given(st.data())
def test_a_box_comes_home_through_the_letterbox(data):
    width, height = (2 * data.draw(st.integers(160, 2000)) for _ in range(2))
    x0, y0 = (2 * data.draw(st.integers(0, side // 2 - 64)) for side in (width, height))
    x1, y1 = (2 * data.draw(st.integers(low // 2 + 64, side // 2)) for low, side in ((x0, width), (y0, height)))
    mirror = Mirror(None)
    detector = HailoDetector(width, height, mirror)
    look = detector.fit((x0, y0, x1, y1))
    left, right = sorted(data.draw(st.floats(x0 + 8, x1 - 8)) for _ in range(2))
    top, bottom = sorted(data.draw(st.floats(y0 + 8, y1 - 8)) for _ in range(2))
    scale = look.scale
    corners = [(left - x0) * scale[0], (top - y0) * scale[1], (right - x0) * scale[0], (bottom - y0) * scale[1]]
    mirror.box = [value / 640 for value in corners]
    [found] = detector.look_at(None, [look])
    assert found.box[0] == pytest.approx([left, top, right, bottom], abs=1e-3)


FAULTS = {
    "no chip": (lambda board, _: setattr(board, "chip", None), ChipMissing, "flat cable"),
    "no driver": (lambda board, _: setattr(board, "driver_runs", False), ChipMissing, "reinstall hailo-all"),
    "old driver": (lambda board, _: setattr(board, "driver", "4.19.0"), ChipMismatch, "different versions"),
    "taken": (lambda board, _: setattr(board, "taken_by_another", True), ChipBusy, "another program"),
    "10H": (lambda board, _: setattr(board, "chip", "HAILO10H"), ChipMismatch, "HAILO10H"),
    "no file": (lambda _, models: (models / "yolov8s_h8l.hef").unlink(), WrongWeights, "no yolov8s_h8l.hef"),
    "no model": (lambda _, models: (models / "yolov8s_h8l.hef").write_bytes(b"<html>"), WrongWeights, "generation"),
    "damaged": (lambda _, models: (models / "yolov8s_h8l.hef").write_bytes(b"\x01HEF{"), WrongWeights, "damaged"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_has_its_own_sentence_and_leaves_the_chip_to_others(name, hailo_platform, board, tmp_path):
    spoil, kind, words = FAULTS[name]
    hailo_platform.write_hef(tmp_path / "yolov8s_h8l.hef", "yolov8s", "HAILO8L")
    spoil(board, tmp_path)
    with pytest.raises(kind, match=words) as told:
        HailoDetector(960, 544, Chip(tmp_path)).detect(grey_frame(90, 960, 544))
    assert "\n" not in str(told.value)
    assert sum(words in text for text in sentences(hailo_platform, board, tmp_path)) == 1
    assert not board.in_use


SERVED = {
    "no service": (None, False, ChipFault, "systemctl"),
    "other version": ("4.22.0", False, ChipMismatch, "service and the HailoRT library"),
    "taken": ("4.23.0", True, ChipBusy, "start both with --hailo-service"),
}


@pytest.mark.parametrize("name", SERVED)
def test_what_keeps_the_service_from_giving_the_chip_is_told(name, hailo_platform, board):
    board.service, board.taken_by_another, kind, words = SERVED[name]
    with pytest.raises(kind, match=words):
        Chip(hailo_platform.models, served=True).network("yolov8s")
    assert not board.in_use


def sentences(hailo_platform, board, folder):
    for spoil, _, _ in FAULTS.values():
        board.reset()
        hailo_platform.write_hef(folder / "yolov8s_h8l.hef", "yolov8s", "HAILO8L")
        spoil(board, folder)
        with pytest.raises(EdgeError) as told:
            Chip(folder).network("yolov8s")
        yield str(told.value)


@pytest.mark.parametrize(("chip", "made_for", "works"), [
    ("HAILO8L", "HAILO8L", True),
    ("HAILO8L", "HAILO8", False),
    ("HAILO8", "HAILO8", True),
    ("HAILO8", "HAILO8L", True),
    ("HAILO8", "HAILO15H", False),
])  # fmt: skip
def test_a_model_for_another_chip_is_refused_in_words(chip, made_for, works, hailo_platform, board, tmp_path):
    board.chip = chip
    hailo_platform.write_hef(tmp_path / "yolov8s_h8l.hef", "yolov8s", made_for)
    opened = Chip(tmp_path)
    if works:
        assert opened.network("yolov8s").name == "yolov8s"
        opened.close()
    else:
        with pytest.raises(WrongWeights, match="another chip"):
            opened.network("yolov8s")


def test_a_hailo_8_gets_the_file_made_for_it(hailo_platform, board, tmp_path):
    board.chip = "HAILO8"
    hailo_platform.write_hef(tmp_path / "yolov8s_h8.hef", "yolov8s", "HAILO8")
    (tmp_path / "yolov8s_h8l.hef").write_bytes(b"never opened")
    chip = Chip(tmp_path)
    chip.network("yolov8s")
    chip.close()


def test_without_hailos_package_the_sentence_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "hailo_platform", None)
    with pytest.raises(ChipMissing, match="python3-hailort"):
        Chip().network("yolov8s")


def test_a_package_that_does_not_fit_its_library_is_told(tmp_path):
    told = in_a_process(tmp_path, FAKE_HAILORT_VERSION="4.20.0")
    assert "ChipMismatch: python3-hailort does not fit the HailoRT library" in told
    assert "4.20.0" in told


def test_nothing_is_left_in_the_working_directory(tmp_path):
    assert in_a_process(tmp_path).startswith("WrongWeights: there is no yolov8s_h8l.hef in nowhere")
    assert list(tmp_path.iterdir()) == []


def in_a_process(folder, **environment):
    """What a process says that opens the fake chip without any models, from the folder it works in."""
    program = f"""
import sys
sys.path[:0] = {[str(ROOT / "tests" / "fakes"), str(ROOT)]!r}
from pathlib import Path
from edge.detect.hailo import Chip
assert "hailo_platform" not in sys.modules
try:
    Chip(Path("nowhere")).network("yolov8s")
except Exception as fault:
    print(type(fault).__name__, fault, sep=": ")
"""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("hangs_from", [0, 2, 5])
def test_a_chip_that_hangs_is_reported_in_time_and_can_be_opened_again(hangs_from, hasty, board, light):
    detector = HailoDetector(1280, 720, hasty)
    looks = [detector.fit((0, 0, 640, 640))] * 6
    board.hangs_from = hangs_from
    with pytest.raises(ChipStalled, match="off and on"):
        detector.look_at(grey_frame(90), looks)
    board.hangs_from = None
    assert len(detector.look_at(grey_frame(90), looks)) == 6
    assert board.complaints == []


def test_a_chip_that_goes_on_hanging_says_so_each_time(hasty, board, light):
    detector = HailoDetector(1280, 720, hasty)
    board.hangs_from = 0
    for _ in range(3):
        with pytest.raises(ChipFault):
            detector.detect(grey_frame(90))


@pytest.mark.parametrize(("status", "kind", "words"), [
    (4, ChipStalled, "no answer"),
    (36, ChipFault, "dmesg"),
    (63, ChipFault, "aborted"),
    (77, ChipFault, "service does not answer"),
    (81, ChipFault, "no memory"),
    (87, ChipStalled, "power away"),
])  # fmt: skip
def test_a_job_that_ends_badly_is_told_though_its_wait_is_silent(status, kind, words, chip, board, light):
    detector = HailoDetector(1280, 720, chip)
    board.fails = {1: status}
    with pytest.raises(kind, match=words):
        detector.look_at(grey_frame(90), [detector.fit((0, 0, 640, 640))] * 3)
    board.fails = {}
    assert detector.detect(grey_frame(90)).region[:2] == (0, 0)


def test_a_closed_chip_is_free_for_others_and_opens_again_when_asked(hailo_platform, board, light):
    first, second = Chip(hailo_platform.models), Chip(hailo_platform.models)
    detector = HailoDetector(1280, 720, first)
    detector.detect(grey_frame(90))
    with pytest.raises(ChipBusy):
        second.network("yolov8s")
    first.close()
    assert not board.in_use
    second.network("yolov8s")
    second.close()
    detector.detect(grey_frame(90))
    first.close()
    assert not board.in_use


@pytest.mark.parametrize("owners", ["one process", "two nodes and the service"])
def test_two_cameras_share_one_chip_from_their_own_threads(owners, hailo_platform, board, light):
    board.service = "4.23.0"
    served = owners != "one process"
    chips = [Chip(hailo_platform.models, deadline_s=5, served=served) for _ in range(2 if served else 1)]
    detectors = [HailoDetector(1280, 720, chips[number % len(chips)]) for number in range(2)]
    found = [[], []]

    def watch(number):
        for level in range(20, 220, 20):
            frame = grey_frame(level + 10 * number)
            found[number].append(detectors[number].look_at(frame, [detectors[number].fit((0, 0, 640, 640))] * 3))

    threads = [threading.Thread(target=watch, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number in range(2):
        widths = [float(one[0].box[0, 2] - one[0].box[0, 0]) for one in found[number]]
        assert widths == sorted(set(widths))
        assert len(widths) == 10
    assert len(board.groups) == (2 if served else 0)
    for chip in chips:
        chip.close()
    assert not board.in_use


def test_one_node_that_leaves_the_service_takes_the_chip_from_no_other(hailo_platform, board, light):
    board.service = "4.23.0"
    first, second = (Chip(hailo_platform.models, served=True) for _ in range(2))
    detectors = [HailoDetector(1280, 720, chip) for chip in (first, second)]
    for detector in detectors:
        detector.detect(grey_frame(90))
    first.close()
    detectors[1].detect(grey_frame(90))
    second.close()


def test_a_service_that_ends_is_told_and_used_again_when_it_is_back(hailo_platform, board, light):
    board.service = "4.23.0"
    chip = Chip(hailo_platform.models, deadline_s=5, served=True)
    detector = HailoDetector(1280, 720, chip)
    detector.detect(grey_frame(90))
    board.service = None
    for _ in range(2):
        with pytest.raises(ChipFault, match="service does not answer"):
            detector.detect(grey_frame(90))
    board.service = "4.23.0"
    detector.detect(grey_frame(90))
    chip.close()
    assert not board.in_use


def test_a_picture_is_looked_at_as_a_whole_and_in_tiles_near_enough(chip, light):
    found = HailoDetector(1920, 1080, chip).detect(grey_frame(90, 1920, 1080))
    assert found.region == (0, 0, 1920, 1080)
    assert len(light) == 3


@pytest.fixture
def in_other_processes(monkeypatch):
    """The fake package is there for other processes, too."""
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "tests" / "fakes"))
    monkeypatch.setenv("HAILORT_LOGGER_PATH", "NONE")


def test_a_chip_that_hangs_while_it_is_opened_is_told_and_keeps_nothing_of_the_node(
    hailo_platform, board, light, in_other_processes, monkeypatch
):
    monkeypatch.setenv("FAKE_HAILORT_OPENING_HANGS", "1")
    chip = Chip(hailo_platform.models, open_s=0.5)
    with pytest.raises(ChipStalled, match="hangs while it is opened"):
        chip.network("yolov8s")
    assert not board.in_use
    assert chip._trial._process.returncode == -signal.SIGKILL
    monkeypatch.delenv("FAKE_HAILORT_OPENING_HANGS")
    chip = Chip(hailo_platform.models, open_s=120)
    chip.network("yolov8s")
    assert chip._trial._process.returncode == 0
    chip.close()


def test_an_opening_that_cannot_even_be_killed_is_not_begun_again(monkeypatch, in_other_processes):
    monkeypatch.setenv("FAKE_HAILORT_OPENING_HANGS", "1")
    monkeypatch.setattr("edge.detect.hailo.opening._KILLED_S", 0.01)
    with monkeypatch.context() as undead:
        undead.setattr(subprocess.Popen, "kill", lambda _process: None)
        trial = Trial(0.01)
        assert not trial.comes_back()
        first = trial._process
        assert not trial.comes_back()
        assert trial._process is first
    first.kill()
    first.wait()
    monkeypatch.setenv("PYTHONPATH", "")
    trial._open_s = 120
    assert trial.comes_back(), "a bad end is one, too"


def test_while_a_chip_will_not_be_let_go_it_is_not_opened_twice(hasty, board, light):
    detector = HailoDetector(1280, 720, hasty)
    board.hangs_from, board.lets_go = 0, threading.Event()
    with pytest.raises(ChipStalled, match="no answer"):
        detector.detect(grey_frame(90))
    with pytest.raises(ChipStalled, match="not come back"):
        detector.detect(grey_frame(90))
    board.hangs_from = None
    board.lets_go.set()
    detector.detect(grey_frame(90))
    assert board.complaints == []
