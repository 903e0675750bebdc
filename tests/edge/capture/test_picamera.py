"""The picamera driver on a fake board: one test for each way in which a real one surprises."""

import json
import sys
import threading
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from edge.capture import CameraSource, Profile, Sync
from edge.capture.clocks import real_minus_boot_ns
from edge.capture.peeked import PeekedCamera
from edge.capture.picamera.camera import BUFFERS, MOST_LENT, Patience
from edge.capture.picamera.find import find
from edge.capture.picamera.planes import tight
from edge.capture.picamera.sync import SYNC_FRAMES
from edge.capture.picamera.times import lost_between
from edge.errors import CameraFault, CameraStuck, ProfileRefused
from wire.rigtime import SECOND

FRAME_NS = 40_000_000


def take(camera, count):
    return list(islice(iter(camera), count))


def config_of(board):
    return board.opened[-1].camera_config


# Which camera


def test_a_camera_is_found_by_its_id_and_not_by_its_place_in_a_list(hardware, plug, open_camera):
    """picamera2 sorts cameras by Id, backwards, and opens by place; Num counts in libcamera's own order."""
    left, right = hardware.Sensor("imx477", "i2c@80000"), hardware.Sensor("imx708", "i2c@88000", hardware.CM3_MODES)
    board = plug(left, right)
    for which, sensor in ((left.id, left), (right.id, right), ("0", left), ("1", right)):
        with open_camera(which, profile=None, cores=16):
            assert board.opened[-1].camera is sensor


def test_an_unknown_camera_is_refused_with_those_that_are_there(hardware, plug, open_camera):
    plug(hardware.Sensor("imx477", "i2c@80000"), hardware.Sensor("imx708", "i2c@88000"))
    with pytest.raises(CameraFault, match=r"has no camera 7; it has 1 = /base/.*imx708@1a \(imx708\), 0 = .*imx477"):
        open_camera("7", patience={"ready_s": 0})


def test_a_board_without_cameras_is_told_in_words(hardware, open_camera):
    hardware.plugged = hardware.Board()
    with pytest.raises(CameraFault, match="has no camera 0; it has none: look at cable and connector"):
        open_camera("0", patience={"ready_s": 0})


def test_a_camera_that_is_listed_late_is_waited_for(plug, open_camera):
    board = plug()
    board.looks_until_ready = 5
    slept = []
    with open_camera(sleep=slept.append):
        assert slept == [0.5] * 5


def test_the_wait_for_a_camera_ends():
    slept = []
    with pytest.raises(CameraFault, match="has no camera front"):
        find("front", list, patience_s=2.0, sleep=slept.append)
    assert slept == [0.5] * 3


def test_a_camera_that_somebody_else_uses_is_refused(plug, open_camera):
    plug()
    with open_camera(), pytest.raises(CameraFault, match="cannot be opened, perhaps another process uses it"):
        open_camera()


def test_without_picamera2_the_board_is_told_what_to_install(plug, open_camera, monkeypatch):
    plug()
    monkeypatch.setitem(sys.modules, "picamera2", None)
    with pytest.raises(CameraFault, match="install python3-picamera2"):
        open_camera()


def test_a_usb_camera_is_refused(hardware, plug, open_camera):
    plug(hardware.Sensor("webcam", "/base/axi/rp1/usb@200000-1:1.0-046d:0825", modes=()))
    with pytest.raises(CameraFault, match="tells no sensor modes"):
        open_camera()


def test_two_cameras_of_one_board_run_side_by_side_and_keep_apart(hardware, plug, open_camera, small_modes):
    def dark(number, width, height):
        return np.full((height * 3 // 2, width), 16 + number % 8, np.uint8)

    plug(hardware.Sensor("toy", "i2c@80000", small_modes), hardware.Sensor("toy", "i2c@88000", small_modes, scene=dark))
    with open_camera("0") as left, open_camera("1", "640x360@50") as right:
        for ours, theirs in islice(zip(left, right, strict=True), 30):
            assert ours.index == theirs.index
            assert ours.planes.shape == (270, 320)
            assert theirs.planes.shape == (540, 640)
            assert ours.planes.max() == 230
            assert (theirs.planes == 16 + theirs.index % 8).all()
    assert left.frames_dropped == right.frames_dropped == 0


def test_two_cameras_share_the_boards_cores(hardware, plug, open_camera):
    plug(hardware.Sensor("imx477", "i2c@80000"), hardware.Sensor("imx477", "i2c@88000"))
    with pytest.raises(ProfileRefused, match=r"can give 1\.5, and 2 cameras share them"):
        open_camera(profile="4056x2160", cores=4)


# How it is set up


def test_the_sensors_modes_are_read_and_the_right_one_is_forced(hardware, plug, open_camera):
    board = plug(hardware.Sensor("imx477"))
    with open_camera(profile=None, cores=4) as camera:
        config = config_of(board)
        assert (camera.width, camera.height, camera.frames_per_second) == (2028, 1080, 30)
        assert config["sensor"] == {"output_size": (2028, 1080), "bit_depth": 12}
        assert config["main"]["format"] == config["lores"]["format"] == "YUV420"
        assert config["raw"] is None
        assert config["controls"]["FrameDurationLimits"] == (33333, 33333)
        assert config["colour_space"].name == "Rec709"
        assert config["buffer_count"] == BUFFERS
        # Once for each mode that picamera2 reads, and once to record.
        assert board.opened[-1].configure_count == len(hardware.HQ_MODES) + 1


def test_libcamera_waits_longer_for_a_picture_than_the_driver_does(plug, open_camera):
    plug()
    with open_camera():
        import picamera2

        told = json.loads(Path(picamera2.Picamera2.configured_by).read_text())
        assert (told["version"], told["target"]) == (1.0, "pisp")
        # The slowest mode of the sensors that a node meets gives ten frames a second.
        longest_s = max(Patience().first_frame_s, Patience().silence_frames / 10)
        assert told["pipeline_handler"]["camera_timeout_value_ms"] > longest_s * 1000


def test_a_configuration_of_the_owners_is_left_alone(plug, open_camera, monkeypatch, tmp_path, log, log_text):
    own = tmp_path / "own.yaml"
    own.write_text("version: 1.0\n")
    monkeypatch.setenv("LIBCAMERA_RPI_CONFIG_FILE", str(own))
    plug()
    with open_camera(log=log):
        import picamera2

        assert picamera2.Picamera2.configured_by == str(own)
    assert "camera-impatient" not in log_text.getvalue()


def test_a_configuration_that_is_not_there_is_told_and_the_camera_used_all_the_same(
    plug, open_camera, monkeypatch, tmp_path, log, log_text
):
    monkeypatch.setenv("LIBCAMERA_RPI_CONFIG_FILE", str(tmp_path / "gone.yaml"))
    plug()
    with open_camera(log=log) as camera:
        assert len(take(camera, 2)) == 2
    assert "event=camera-impatient" in log_text.getvalue()
    assert "gone.yaml" in log_text.getvalue()


@pytest.mark.parametrize(
    ("model", "lens"),
    [
        ("imx708", "standard, 4.74 mm"),
        ("imx708_noir", "standard, 4.74 mm"),
        ("imx708_wide", "wide, 2.75 mm"),
        ("imx708_wide_noir", "wide, 2.75 mm"),
        ("imx477", None),
    ],
)
def test_a_camera_names_its_lens_where_the_sensors_name_says_which(
    hardware, plug, open_camera, small_modes, model, lens
):
    plug(hardware.Sensor(model, modes=small_modes))
    with open_camera() as camera:
        assert (camera.details.model, camera.details.lens) == (model, lens)


def test_a_profile_without_a_rate_takes_what_the_sensor_gives(hardware, plug, open_camera):
    board = plug(hardware.Sensor("imx477"))
    with open_camera(profile="4056x2160", cores=4) as camera:
        assert camera.frames_per_second == 19
        assert config_of(board)["sensor"] == {"output_size": (4056, 2160), "bit_depth": 10}


def test_more_than_the_sensor_or_the_board_can_hold_is_refused_and_the_camera_let_go(hardware, plug, open_camera):
    plug(hardware.Sensor("imx708", modes=hardware.CM3_MODES))
    for profile in ("4056x2160@30", "2304x1296@30-hevc", "5000x3000"):
        with pytest.raises(ProfileRefused, match=f"profile {profile} is"):
            open_camera(profile=profile, cores=4)
    open_camera(profile="2304x1296@30", cores=4).__exit__()


def test_a_lens_that_can_move_is_held_at_infinity(hardware, plug, open_camera, small_modes):
    board = plug(hardware.Sensor("imx708", modes=small_modes, focus=True))
    with open_camera():
        assert config_of(board)["controls"]["LensPosition"] == 0.0
        assert config_of(board)["controls"]["AfMode"] == 0
    board = plug()
    with open_camera():
        assert "LensPosition" not in config_of(board)["controls"]


def test_a_picture_that_libcamera_quietly_changes_is_noticed(plug, open_camera):
    board = plug()
    board.sensors[0].adjust = lambda size: (size[0], size[1] // 8 * 8)
    with pytest.raises(CameraFault, match="does not give 320 x 180 as it said it would"):
        open_camera()
    open_camera(profile="320x176@25").__exit__()


@pytest.mark.parametrize("wrong", [{"output_size": (640, 360), "bit_depth": 10}, {"fps": 20.0}])
def test_a_mode_that_libcamera_quietly_changes_is_noticed(plug, open_camera, monkeypatch, wrong):
    plug()
    import picamera2

    told = picamera2.Picamera2.camera_configuration
    if "fps" in wrong:
        configure = picamera2.Picamera2.configure

        def slower(self, config):
            configure(self, config)
            self._advertise(wrong["fps"])

        monkeypatch.setattr(picamera2.Picamera2, "configure", slower)
    else:
        monkeypatch.setattr(picamera2.Picamera2, "camera_configuration", lambda self: told(self) | {"sensor": wrong})
    with pytest.raises(CameraFault, match="does not give 320 x 180 as it said it would"):
        open_camera()


def test_a_camera_that_cannot_be_configured_is_a_fault_in_words(plug, open_camera, monkeypatch):
    plug()
    import picamera2

    def configure(self, config):
        raise RuntimeError("failed to allocate capture buffers for stream 0")

    monkeypatch.setattr(picamera2.Picamera2, "configure", configure)
    with pytest.raises(CameraFault, match="cannot be set up: failed to allocate capture buffers"):
        open_camera()


# What it shows


@pytest.mark.parametrize("profile", ["320x180@25", "640x360@25", "318x178@25"])
def test_pictures_come_without_the_padding_of_their_rows(hardware, plug, open_camera, profile):
    plug()
    with open_camera(profile=profile) as camera:
        for frame in take(camera, 3):
            assert np.array_equal(frame.planes, hardware.bars(frame.index, camera.width, camera.height))


def test_padding_is_cut_from_both_chroma_planes():
    width, height, stride = 6, 4, 16
    luma = np.arange(24, dtype=np.uint8).reshape(height, width)
    chromas = np.arange(100, 112, dtype=np.uint8).reshape(2, height // 2, width // 2)
    padded = np.full((height * 3 // 2, stride), 255, np.uint8)
    padded[:height, :width] = luma
    padded[height:].reshape(2, height // 2, stride // 2)[..., : width // 2] = chromas
    planes = tight(padded, np.empty((height * 3 // 2, width), np.uint8))
    assert np.array_equal(planes.reshape(-1), np.concatenate([luma.ravel(), chromas.ravel()]))


@pytest.mark.parametrize(
    ("profile", "size"), [("1280x720@25", (640, 360)), ("1100x600@25", (550, 300)), ("320x180@25", None)]
)
def test_the_second_output_of_the_isp_is_what_the_motion_detector_wants(plug, open_camera, profile, size):
    from edge.detect.background import Background

    plug()
    with open_camera(profile=profile) as camera:
        [frame] = take(camera, 1)
        background = Background(camera.width, camera.height, 25.0)
    if not size:
        assert frame.detect is None
        assert background.factor == 1
        return
    assert background.size == size
    assert frame.detect.shape == (size[1] * 3 // 2, size[0])
    assert frame.detect.flags.c_contiguous
    half = frame.planes[: camera.height].reshape(size[1], 2, size[0], 2).mean(axis=(1, 3))
    assert np.abs(frame.detect[: size[1]] - half).max() <= 1


def test_a_second_output_of_odd_size_is_done_without(plug, open_camera):
    board = plug()
    with open_camera(profile="1278x718@25") as camera:
        assert take(camera, 1)[0].detect is None
        assert config_of(board)["lores"] is None


def test_startup_frames_and_frames_with_errors_are_not_shown_but_the_latter_counted(plug, open_camera):
    board = plug()
    board.sensors[0].startup_frames = 3
    board.sensors[0].broken = {2, 5, 6}
    with open_camera() as camera:
        frames = take(camera, 6)
    began = frames[0].time_ns
    assert [(frame.time_ns - began) // FRAME_NS for frame in frames] == [0, 1, 3, 4, 7, 8]
    assert [frame.index for frame in frames] == list(range(6))
    assert camera.frames_dropped == 3


# When


def test_times_are_the_nodes_clock_to_the_nanosecond(plug, open_camera):
    board = plug(offset_ns=1_790_000_000 * SECOND + 123_456_789)
    with open_camera() as camera:
        frames = take(camera, 3)
    began = board.realtime_ns() - board.boottime_ns() + 100 * SECOND + 2 * FRAME_NS
    assert [frame.time_ns - began for frame in frames] == [0, FRAME_NS, 2 * FRAME_NS]


@pytest.mark.parametrize("step_s", [3, -3])
@pytest.mark.parametrize("unit", ["ns", "us", None])
def test_a_step_of_the_clock_moves_no_frame(plug, open_camera, step_s, unit):
    """FrameWallClock would jump with it, and older libcameras tell it in microseconds."""
    board = plug(wall_clock=unit)
    board.sensors[0].before = {10: lambda: board.step_clock(step_s * SECOND)}
    with open_camera() as camera:
        times = [frame.time_ns for frame in take(camera, 20)]
    assert np.diff(times).tolist() == [FRAME_NS] * 19
    assert camera.frames_dropped == 0


def test_the_next_recording_follows_the_stepped_clock(plug, open_camera):
    board = plug()
    firsts = []
    for _ in range(2):
        with open_camera() as camera:
            firsts.append(take(camera, 1)[0].time_ns - board.boottime_ns())
        board.step_clock(3 * SECOND)
    assert 3 * SECOND - 10 * FRAME_NS < firsts[1] - firsts[0] < 3 * SECOND + 10 * FRAME_NS


def test_the_clocks_are_compared_by_their_tightest_pair_of_readings():
    boot = iter([0, 900, 1000, 1002, 2000, 9000, 10_000, 10_500, 11_000, 12_000])
    real = iter([5_000_700, 5_001_001, 5_009_000, 5_010_400, 5_011_900])
    assert real_minus_boot_ns(lambda: next(boot), lambda: next(real)) == 5_000_000


def test_gaps_in_the_sensors_own_times_are_counted(plug, open_camera):
    board = plug()
    board.sensors[0].lost = {3, 10, 11, 12}
    with open_camera() as camera:
        frames = take(camera, 12)
        assert camera.frames_dropped == 4
    assert frames[3].time_ns - frames[2].time_ns == 2 * FRAME_NS


@pytest.mark.parametrize(("apart", "lost"), [(0.6, 0), (1.0, 0), (1.45, 0), (1.55, 1), (2.0, 1), (2.4, 1), (11.0, 10)])
def test_a_frame_that_was_stretched_to_get_in_step_is_no_gap(apart, lost):
    assert lost_between(SECOND, SECOND + round(apart * FRAME_NS), FRAME_NS) == lost


# Requests


def test_a_reader_that_is_too_slow_loses_frames_and_never_stops_the_stream(plug, open_camera, until):
    board = plug(ahead=100)
    with open_camera() as camera:
        reader = iter(camera)
        times = [next(reader).time_ns]
        until(lambda: camera._loans.refused > 20)
        out = set(board.opened[-1].outstanding)
        # From now on: this thread may have slept since the condition above came about.
        refused = camera._loans.refused
        until(lambda: camera._loans.refused > refused + 2 * BUFFERS)
        # Those on their way through picamera2's event thread are other ones by now.
        assert len(out & board.opened[-1].outstanding) == MOST_LENT < BUFFERS
        times += [next(reader).time_ns for _ in range(20)]
        steps = np.diff(times) // FRAME_NS
    assert steps.max() > 10
    assert camera.frames_dropped == (steps - 1).sum()


def test_a_camera_that_was_peeked_at_begins_without_a_hole(plug, open_camera, until):
    board = plug()
    with PeekedCamera(open_camera()) as camera:
        peeked = camera.peek(3)
        # Nobody reads it meanwhile, and it waits for nobody.
        board.let_ahead(100)
        until(lambda: camera._camera._loans.refused > 20)
        board.let_ahead(5)
        times = [frame.time_ns for frame in take(camera, 20)]
        assert camera.frames_dropped == camera._camera._loans.refused == 0
    assert times[0] - peeked[-1].time_ns > 20 * FRAME_NS
    assert np.diff(times).tolist() == [FRAME_NS] * 19


def test_a_camera_whose_front_end_times_out_is_a_fault_that_names_it(plug, open_camera):
    board = plug()
    board.sensors[0].dies_at = 5
    with (
        open_camera(patience={"silence_frames": 3}) as camera,
        pytest.raises(CameraFault, match=r"camera 0 has shown nothing for 0\.1 s: its front end timed out"),
    ):
        list(camera)
    assert camera._index == 5


def test_a_camera_that_never_shows_anything_is_waited_for_only_so_long(plug, open_camera):
    board = plug()
    board.sensors[0].dies_at = -2
    with (
        open_camera(patience={"first_frame_s": 0.05}) as camera,
        pytest.raises(CameraFault, match="has shown nothing"),
    ):
        next(iter(camera))


def test_a_camera_that_does_not_stop_is_left_by_its_deadline_and_said_to_be_stuck(plug, open_camera):
    board = plug(stuck=True)
    board.sensors[0].stop_hangs.clear()
    camera = open_camera(patience={"stop_s": 0.05})
    with pytest.raises(CameraStuck, match=r"did not stop within 0\.05 s: only a new process"), camera:
        take(camera, 3)
    assert not camera._loans._out


def test_a_camera_can_be_left_from_anywhere_and_twice(plug, open_camera):
    board = plug()
    open_camera().__exit__()
    camera = open_camera()
    take(camera, 1)
    camera.__exit__()
    camera.__exit__()
    assert list(camera) == []
    assert not board.opened[-1].is_open


def test_a_fault_while_a_picture_is_read_gives_its_request_back(plug, open_camera, monkeypatch):
    plug()
    import picamera2

    def broken(*_, **__):
        raise RuntimeError("failed to find buffer")

    monkeypatch.setattr(picamera2, "MappedArray", broken)
    with open_camera() as camera, pytest.raises(RuntimeError, match="failed to find buffer"):
        next(iter(camera))


def test_nothing_takes_long_in_the_event_thread(plug, open_camera):
    """Whatever does, loses frames in silence; so neither reading nor coding happens there."""
    board = plug()
    seen = set()
    sensor = board.sensors[0]
    with open_camera() as camera:
        lend = camera._loans.lend

        def watched(request):
            seen.add(threading.current_thread().name)
            lend(request)

        camera._loans.lend = watched
        take(camera, 3)
        assert board.opened[-1]._encoders == set()
    assert seen == {"picamera2 events"}
    assert sensor.owner is None


# In step with the rig


@pytest.mark.parametrize(("sync", "mode"), [(Sync.SERVER, 1), (Sync.CLIENT, 2)])
def test_a_synchronised_camera_shows_nothing_before_the_rig_is_ready(plug, open_camera, log, log_text, sync, mode):
    board = plug()
    board.sensors[0].ready_after = 40
    with open_camera(sync=sync, log=log) as camera:
        frames = take(camera, 3)
        controls = config_of(board)["controls"]
    assert controls["SyncMode"] == mode
    assert ("SyncFrames" in controls) == (sync is Sync.SERVER)
    assert [frame.index for frame in frames] == [0, 1, 2]
    assert frames[0].time_ns == board.offset_ns + 100 * SECOND + 42 * FRAME_NS
    assert camera.frames_dropped == 0
    assert "event=camera-synchronised" in log_text.getvalue()


@pytest.mark.parametrize("sync", [Sync.SERVER, Sync.CLIENT])
def test_a_rig_that_never_gets_ready_is_recorded_free_running(plug, open_camera, log, log_text, sync):
    board = plug()
    with open_camera(sync=sync, log=log, patience={"sync_s": 2.0}) as camera:
        [frame] = take(camera, 1)
    assert frame.time_ns == board.offset_ns + 100 * SECOND + 52 * FRAME_NS
    assert "event=camera-free-running" in log_text.getvalue()
    assert "the rig was not in step within 2 s" in log_text.getvalue()


@pytest.mark.parametrize("sync", [Sync.SERVER, Sync.CLIENT])
def test_a_slow_rig_gets_the_time_that_its_frames_take_to_get_in_step(plug, open_camera, log, log_text, sync):
    board = plug()
    board.sensors[0].ready_after = SYNC_FRAMES
    with open_camera(profile="320x180@10", sync=sync, log=log) as camera:
        [frame] = take(camera, 1)
    assert frame.time_ns == board.offset_ns + 100 * SECOND + (2 + SYNC_FRAMES) * SECOND // 10
    assert "event=camera-synchronised" in log_text.getvalue()


def test_a_slow_rig_that_never_gets_ready_is_recorded_free_running_within_the_time_it_tells(
    plug, open_camera, log, log_text
):
    board = plug()
    with open_camera(profile="320x180@10", sync=Sync.CLIENT, log=log) as camera:
        [frame] = take(camera, 1)
    assert camera.waits_s == 14
    assert frame.time_ns == board.offset_ns + 100 * SECOND + 142 * SECOND // 10
    assert "the rig was not in step within 14 s" in log_text.getvalue()


def test_a_camera_that_is_in_no_rig_does_not_wait(hardware, plug, open_camera, small_modes):
    plug(hardware.Sensor("imx415", modes=small_modes, sync=False))
    for sync in Sync:
        with open_camera(sync=sync) as camera:
            assert camera.waits_s == 0


def test_a_sensor_whose_tuning_cannot_synchronise_records_at_once(
    hardware, plug, open_camera, log, log_text, small_modes
):
    board = plug(hardware.Sensor("imx415", modes=small_modes, sync=False))
    with open_camera(sync=Sync.CLIENT, log=log) as camera:
        assert take(camera, 1)[0].time_ns == board.offset_ns + 100 * SECOND + 2 * FRAME_NS
        assert "SyncMode" not in config_of(board)["controls"]
    assert "the tuning of sensor imx415 has no rpi.sync" in log_text.getvalue()


@pytest.mark.parametrize("sync", [Sync.SERVER, Sync.CLIENT])
def test_a_camera_whose_frames_count_at_once_gets_in_step_all_the_same(plug, sync):
    board = plug()
    with CameraSource.parse("picamera:0", Profile.parse("320x180@5"), sync).at_once().open(0) as camera:
        assert camera.waits_s == 0
        assert config_of(board)["controls"]["SyncMode"] == (1 if sync is Sync.SERVER else 2)


def test_a_synchronised_camera_may_not_run_at_its_modes_limit(plug, open_camera):
    plug()
    with pytest.raises(ProfileRefused, match="needs one per cent more than it records"):
        open_camera(profile="640x360@100", sync=Sync.SERVER)
    open_camera(profile="640x360@100").__exit__()


# What is told


def test_the_log_tells_what_was_opened_and_what_was_lost(plug, open_camera, log, log_text):
    board = plug()
    board.sensors[0].lost = {2}
    with open_camera(log=log) as camera:
        take(camera, 4)
    opened, closed = log_text.getvalue().splitlines()
    assert "event=camera-opened" in opened
    assert "profile=320x180@25 rate=25 mode=1280x720/12 sync=off" in opened
    assert "event=camera-closed" in closed
    assert "frames=4 dropped=1 too_slow=0" in closed


def test_a_source_opens_the_camera_it_names(hardware, plug):
    board = plug(hardware.Sensor("imx477"))
    source = CameraSource.parse(f"picamera:{board.sensors[0].id}", Profile.parse("1280x720@10"))
    with source.open(0) as camera:
        assert (camera.width, camera.height, camera.frames_per_second) == (1280, 720, 10)


@pytest.mark.parametrize("model", ["imx477", "imx708_wide"])
def test_a_lens_that_was_named_is_the_cameras_whatever_the_sensor_says(hardware, plug, small_modes, model):
    plug(hardware.Sensor(model, modes=small_modes))
    with CameraSource.parse("picamera:0", Profile.parse("320x180@25"), lens="6 mm").open(0) as camera:
        assert camera.details.lens == "6 mm"


def test_a_look_through_a_camera_does_not_wait_for_the_rig(plug):
    plug()
    source = CameraSource.parse("picamera:0", Profile.parse("320x180@5"), Sync.CLIENT).alone()
    assert source == CameraSource.parse("picamera:0", Profile.parse("320x180@5"))
    with source.open(0) as camera:
        assert take(camera, 1)[0].index == 0


def test_a_source_on_a_board_is_not_opened_by_a_check(hardware):
    hardware.plugged = hardware.Board()
    CameraSource.parse("picamera:0").check()
