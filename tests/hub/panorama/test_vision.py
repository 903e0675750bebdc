import cv2
import msgspec
import numpy as np
import pytest

from hub.errors import Interrupted
from hub.panorama.matching import Moment
from hub.panorama.vision import LOOK_WINDOWS, VisionControl, WindowStart
from hub.panorama.windows import USUAL
from hub.picture import Picture
from hub.stitch import Stitcher, plan_panorama
from wire.message import decode, encode
from wire.rig import CameraModel, Rig

WIDTH = 1280


def turned(camera: CameraModel, degrees: float) -> CameraModel:
    """The camera after somebody turned it to the side."""
    turn = cv2.Rodrigues(np.radians(degrees) * np.array([[0.0], [1.0], [0.0]]))[0] @ camera.turn
    return msgspec.structs.replace(camera, rotation=tuple(float(v) for v in turn.ravel()))


def with_right(rig: Rig, camera: CameraModel) -> Rig:
    return msgspec.structs.replace(rig, cameras=(rig.cameras[0], camera))


def brighter(picture: Picture, gain: float) -> Picture:
    return picture._replace(luma=np.clip(16 + (picture.luma - 16.0) * gain, 16, 235).astype(np.uint8))


@pytest.fixture
def shown(photograph):
    """`shown(rig)`: what its cameras see, as planes."""

    def show(rig: Rig) -> list[Picture]:
        bgr = [photograph(camera, rig.pitch) for camera in rig.cameras]
        return [Picture.of_stack(np.asarray(cv2.cvtColor(p, cv2.COLOR_BGR2YUV_I420), np.uint8)) for p in bgr]

    return show


@pytest.fixture
def control():
    """`control(rig)`: vision control over a rig; what it tells is in `told`."""

    def make(rig: Rig, **more) -> VisionControl:
        told: list[str] = []
        vision = VisionControl(Stitcher(plan_panorama(rig, WIDTH), "cpu"), USUAL, told.append, **more)
        vision.told = told
        return vision

    return make


def moment(window: int, pictures, place: int = 0) -> Moment:
    return Moment(window * USUAL.window_frames + place, pictures)


def panorama(vision: VisionControl, at: Moment) -> Picture:
    view = vision._stitcher.plan.view
    into = Picture.empty(view.width_px, view.height_px)
    vision.stitch(at, into)
    return into


def same(a: Picture, b: Picture) -> bool:
    return all(np.array_equal(one, other) for one, other in zip(a, b, strict=True))


def box(camera: CameraModel, x: float, y: float) -> np.ndarray:
    """The box (1, 4) of a person of 1.8 m who stands there."""
    feet, head = camera.project([[x, y, 0.0], [x, y, 1.8]])
    wide = (feet[1] - head[1]) / 3
    return np.array([[feet[0] - wide / 2, head[1], feet[0] + wide / 2, feet[1]]])


def walker(rig: Rig, first: int):
    """A crowd of one, who stands where the cut lies from a window on."""
    plan = plan_panorama(rig, WIDTH)
    cut = plan.seams()[0].default
    row = int(plan.view.to_pixel(0.0, 20.0)[1])
    ((x, y, _),) = plan.view.points([[cut.centre[row], row + 0.5]])
    there = [box(camera, x, y) for camera in rig.cameras]
    return lambda window: there if window >= first else [np.zeros((0, 4))] * 2


def plainly(vision: VisionControl, pictures) -> Picture:
    """The panorama with the cuts and lights of the plan."""
    plan = vision._stitcher.plan
    into = Picture.empty(plan.view.width_px, plan.view.height_px)
    Stitcher(plan, "cpu").stitch(pictures, into)
    return into


def test_the_cut_goes_around_a_player_from_the_window_on_in_which_he_stands_there(small_sideline, shown, control):
    # Told apart at a glance, and too dark and too bright to say anything of exposures.
    pictures = [p._replace(luma=np.full_like(p.luma, v)) for p, v in zip(shown(small_sideline), (20, 225), strict=True)]
    vision = control(small_sideline, crowd=walker(small_sideline, 1))
    rounds = []
    for window in (0, 1, 2):
        vision.begin(moment(window, pictures))
        rounds.append(panorama(vision, moment(window, pictures)))
    assert same(rounds[0], plainly(vision, pictures))
    assert (np.abs(rounds[1].luma.astype(int) - rounds[0].luma) > 50).sum() > 200
    assert same(rounds[1], rounds[2]), "who stands still moves no cut"


def test_while_a_camera_is_lost_its_neighbour_stands_in_though_a_player_is_at_the_cut(small_sideline, shown, control):
    pictures = shown(small_sideline)
    vision = control(small_sideline, crowd=walker(small_sideline, 0))
    vision.begin(moment(0, pictures))
    alone = [pictures[0], None]
    assert same(panorama(vision, moment(0, alone, 3)), plainly(vision, alone))


def test_a_run_that_goes_on_from_what_was_known_makes_the_same_windows(small_sideline, shown, control):
    usual = shown(small_sideline)

    def pictures(window: int, place: int) -> list[Picture]:
        return [usual[0], brighter(usual[1], 1.3 if (window, place) >= (1, 30) else 1.0 + 0.01 * window)]

    def run(vision: VisionControl, windows) -> tuple[list[WindowStart], list[Picture]]:
        starts, made = [], []
        for window in windows:
            starts.append(vision.begin(moment(window, pictures(window, 0)))[0])
            made += [panorama(vision, moment(window, pictures(window, k), k)) for k in range(0, 50, 5)]
        return starts, made

    crowd = walker(small_sideline, 1)
    starts, whole = run(control(small_sideline, crowd=crowd), range(4))
    for first in (1, 2, 3):
        start = decode(encode(starts[first]), WindowStart)
        _, again = run(control(small_sideline, crowd=crowd, start=start), range(first, 4))
        assert all(same(a, b) for a, b in zip(again, whole[10 * first :], strict=True))
    _, forgetful = run(control(small_sideline, crowd=crowd), range(2, 4))
    assert not all(same(a, b) for a, b in zip(forgetful, whole[20:], strict=True))


def test_a_mast_that_turns_is_followed_from_the_look_on_and_told(small_mast, shown, control):
    vision = control(small_mast)
    _, standpoint = vision.begin(moment(0, shown(small_mast)))
    assert standpoint is None
    now = with_right(small_mast, turned(small_mast.cameras[1], 0.4))
    pictures = shown(now)
    assert vision.begin(moment(LOOK_WINDOWS - 1, pictures))[1] is None
    start, standpoint = vision.begin(moment(LOOK_WINDOWS, pictures))
    assert standpoint.calibrated == small_mast
    assert standpoint.rig.cameras[0] == small_mast.cameras[0]
    found, true = standpoint.rig.cameras[1].turn, now.cameras[1].turn
    assert np.degrees(np.linalg.norm(cv2.Rodrigues(found @ true.T)[0])) < 0.02
    assert vision.told == [
        "by minute 1:00 camera cam1 has turned by 0.4°: the panorama follows it, but look how it is mounted"
    ]
    made = panorama(vision, moment(LOOK_WINDOWS, pictures))
    resumed = control(small_mast, start=start)
    resumed.begin(moment(LOOK_WINDOWS, pictures))
    assert same(panorama(resumed, moment(LOOK_WINDOWS, pictures)), made), "the window that it began with is made again"
    known, steady = vision.begin(moment(LOOK_WINDOWS + 1, pictures))
    assert steady is None
    later = control(small_mast, start=known, standpoint=standpoint)
    later.begin(moment(LOOK_WINDOWS + 1, pictures))
    assert same(panorama(later, moment(LOOK_WINDOWS + 1, pictures)), made)
    assert vision.begin(moment(2 * LOOK_WINDOWS, pictures))[1] is None, "it has not turned any further"
    assert len(vision.told) == 1


def test_a_covered_camera_raises_an_alarm_at_the_second_look_and_its_coming_back_is_told(small_mast, shown, control):
    asked: list[tuple[int, Rig, set[int]]] = []
    vision = control(small_mast, recalibrate=lambda *known: asked.append(known))
    open_sight = shown(small_mast)
    dark = [open_sight[0], brighter(open_sight[1], 0.1)]
    for look, pictures in enumerate([open_sight, dark, open_sight, dark, dark, dark, open_sight]):
        assert vision.begin(moment(look * LOOK_WINDOWS, pictures))[1] is None
    assert vision.told == [
        "camera cam1 has not shown the pitch's lines where they were since minute 3:00: it was knocked or covered, "
        "look after it",
        "camera cam1 shows the pitch's lines again since minute 6:00",
    ]
    # Whether it can be calibrated anew was tried once, from what it shows until then.
    until_ns = USUAL.time_ns((4 * LOOK_WINDOWS + 1) * USUAL.window_frames)
    assert asked == [(until_ns, small_mast, {1})]


def test_a_knocked_camera_is_calibrated_anew_and_then_followed_as_it_stands(small_mast, shown, control):
    knocked = with_right(small_mast, turned(small_mast.cameras[1], 7.0))
    vision = control(small_mast, recalibrate=lambda *_: knocked)
    vision.begin(moment(0, shown(small_mast)))
    pictures = shown(knocked)
    assert vision.begin(moment(LOOK_WINDOWS, pictures))[1] is None
    _, standpoint = vision.begin(moment(2 * LOOK_WINDOWS, pictures))
    assert (standpoint.calibrated, standpoint.rig) == (knocked, knocked)
    assert vision.told[1:] == ["from minute 2:00 on the rig is calibrated anew, because of camera cam1"]
    assert same(panorama(vision, moment(2 * LOOK_WINDOWS, pictures)), plainly(vision, pictures))
    for look in (3, 4):
        assert vision.begin(moment(look * LOOK_WINDOWS, pictures))[1] is None
    assert len(vision.told) == 2


def test_a_camera_that_shows_no_lines_at_first_does_not_hide_that_another_one_is_lost(small_mast, shown, control):
    usual = shown(small_mast)
    dark = [brighter(picture, 0.1) for picture in usual]
    vision = control(small_mast)
    vision.begin(moment(0, [usual[0], dark[1]]))
    for look in (1, 2):
        vision.begin(moment(look * LOOK_WINDOWS, dark))
    assert [words.split(" has ")[0] for words in vision.told] == ["camera cam0"]


def test_a_camera_that_is_lost_and_then_dead_is_not_calibrated_again_and_again(small_mast, shown, control):
    asked = []
    usual = shown(small_mast)
    dark, dead = [usual[0], brighter(usual[1], 0.1)], [usual[0], None]
    vision = control(small_mast, recalibrate=lambda *known: asked.append(known))
    for look, pictures in enumerate([usual, dark, dark, dead, dead, dead, dead, dead]):
        vision.begin(moment(look * LOOK_WINDOWS, pictures))
    assert len(asked) == 1


def test_what_was_known_of_exposures_and_cuts_ends_with_the_rig_that_it_was_known_of(small_sideline, shown, control):
    usual = shown(small_sideline)
    crowd = walker(small_sideline, 0)
    vision = control(
        small_sideline,
        crowd=lambda w: crowd(w) if w < LOOK_WINDOWS else [np.zeros((0, 4))] * 2,
        recalibrate=lambda *_: small_sideline,
    )
    vision.begin(moment(0, usual))
    for k in range(50):
        panorama(vision, moment(0, [usual[0], brighter(usual[1], 1.2)], k))
    dark = [usual[0], brighter(usual[1], 0.1)]
    before, _ = vision.begin(moment(LOOK_WINDOWS, dark))
    assert before.exposures.brighter[0] > 0.1
    assert before.detours[0] is not None
    vision.begin(moment(2 * LOOK_WINDOWS, dark))
    after, _ = vision.begin(moment(2 * LOOK_WINDOWS + 1, usual))
    assert (after.exposures.brighter, after.detours, after.lost) == ((0.0,), (None,), (0, 0))


@pytest.mark.parametrize("fault", [ValueError("torn"), IndexError(), ZeroDivisionError(), cv2.error("no")])
def test_a_fault_in_what_makes_a_panorama_better_is_told_and_the_panorama_is_made(small_mast, shown, control, fault):
    def crowd(_window):
        raise fault

    pictures = shown(small_mast)
    vision = control(small_mast, crowd=crowd)
    vision.begin(moment(0, pictures))
    assert same(panorama(vision, moment(0, pictures)), plainly(vision, pictures))
    assert [words[:60] for words in vision.told] == ["at minute 0:00 it could not be told where people stand at th"]


def test_a_hub_that_stops_is_not_kept_by_what_makes_a_panorama_better(small_mast, shown, control):
    def crowd(_window):
        raise Interrupted("the hub is stopping")

    with pytest.raises(Interrupted):
        control(small_mast, crowd=crowd).begin(moment(0, shown(small_mast)))
