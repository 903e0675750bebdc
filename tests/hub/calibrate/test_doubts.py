from functools import cache

import pytest

from hub.calibrate import View, calibrate
from hub.calibrate.doubts import doubt
from hub.errors import HubError, PitchNotFound, ViewsDoNotFit
from simulator.scenes import Difficulty, Scene, Spoiling, scene, spoilt
from wire.pitch import Pitch

PITCH = Pitch()


@cache
def photographed(*difficulties: Difficulty) -> Scene:
    return scene("mast", PITCH, 71, (1280, 720), difficulties, cameras=2)


def views(pictures) -> list[View]:
    return [
        View(c.node, p, photographed().nominal_fov_deg)
        for c, p in zip(photographed().rig.cameras, pictures, strict=True)
    ]


def test_a_clear_picture_raises_no_doubt():
    assert {doubt(picture) for picture in photographed().pictures} == {""}


@pytest.mark.parametrize(
    ("how", "words"),
    [
        (Spoiling.ON_ITS_SIDE, "turned by a quarter"),
        (Spoiling.BLACK, "covered"),
        (Spoiling.BLURRED, "blurred"),
        (Difficulty.NIGHT, "too dark"),
        (Difficulty.FOG, "fog"),
        (Difficulty.SNOW, "snow"),
    ],
)
def test_what_is_wrong_with_a_picture_is_said_in_words(how, words):
    pictures = spoilt(photographed().pictures, how) if isinstance(how, Spoiling) else photographed(how).pictures
    assert any(words in doubt(picture) for picture in pictures)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "fault", "words"),
    [
        (Spoiling.BLURRED, PitchNotFound, "camera 1: .*blurred"),
        (Spoiling.UPSIDE_DOWN, PitchNotFound, "upside down"),
        (Spoiling.SWAPPED, ViewsDoNotFit, "in order from the left, and none that is mirrored"),
        (Spoiling.MIRRORED, ViewsDoNotFit, "in order from the left, and none that is mirrored"),
        (Spoiling.BLACK, PitchNotFound, "covered"),
    ],
)
def test_bad_pictures_get_a_reason_instead_of_a_wrong_calibration(how, fault, words):
    with pytest.raises(fault, match=words):
        calibrate(views(spoilt(photographed().pictures, how)), PITCH, [], lambda _step, _share: None)


@pytest.mark.slow
@pytest.mark.parametrize("how", [Difficulty.SNOW, Difficulty.NO_PITCH])
def test_where_there_is_no_pitch_to_be_seen_none_is_found(how):
    with pytest.raises(HubError):
        calibrate(views(photographed(how).pictures), PITCH, [], lambda _step, _share: None)
