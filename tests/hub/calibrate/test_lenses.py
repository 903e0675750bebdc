import msgspec
import pytest

from hub.calibrate.lenses import LensProfile, known_lens, profile_of_node
from hub.errors import LensUnknown
from wire.errors import MalformedMessage
from wire.ids import node_id
from wire.message import decode, encode
from wire.rig import Lens

LENS = Lens(695.0, 477.0, 272.0, -0.255, 0.075, 0.0003, -0.0004, -0.0085)
PROFILE = LensProfile(width_px=960, height_px=540, lens=LENS, rms_px=0.1, pictures=16, covered=0.9)


def test_a_profile_is_the_same_after_it_was_written_and_read():
    assert decode(encode(PROFILE, indent=1), LensProfile) == PROFILE


def test_a_profile_serves_every_size_of_the_same_shape():
    assert PROFILE.at(960, 540) == LENS
    assert PROFILE.at(1920, 1080) == msgspec.structs.replace(LENS, focal_px=1390.0, cx_px=954.0, cy_px=544.0)
    assert PROFILE.at(640, 360).focal_px == pytest.approx(695.0 / 1.5)


@pytest.mark.parametrize("size", [(960, 720), (540, 960), (2028, 1520)])
def test_pictures_of_another_shape_are_refused_since_they_show_another_part(size):
    with pytest.raises(LensUnknown, match=r"960x540.*another shape"):
        PROFILE.at(*size)


def test_a_lens_is_named_by_its_model_its_degrees_or_its_profile(tmp_path):
    path = tmp_path / "mine.json"
    path.write_bytes(encode(PROFILE))
    assert [known_lens(text) for text in ("cm3-wide", "77.5", str(path))] == [102.0, 77.5, PROFILE]


@pytest.mark.parametrize("raw", [None, b"{}", b'{"kind":"rig","version":1,"body":{}}'])
def test_a_file_that_is_no_profile_is_refused_in_words(raw, tmp_path):
    path = tmp_path / "mine.json"
    if raw is not None:
        path.write_bytes(raw)
    with pytest.raises(LensUnknown, match=r"mine\.json"):
        known_lens(str(path))


def test_a_profile_without_size_or_focal_length_cannot_be():
    with pytest.raises(MalformedMessage):
        msgspec.structs.replace(PROFILE, width_px=0)
    with pytest.raises(MalformedMessage):
        msgspec.structs.replace(PROFILE, lens=Lens(-1.0, 0.0, 0.0))


def test_a_node_has_the_profile_of_its_name_and_one_that_is_of_no_use_is_told_and_passed_over(tmp_path):
    told: list[str] = []
    (tmp_path / "left.json").write_bytes(encode(PROFILE))
    (tmp_path / "right.json").write_bytes(b"junk")
    (tmp_path / "centre.json").write_bytes(encode(msgspec.structs.replace(PROFILE, notes=("it is not flat",))))

    def of(name, width=1920, height=1080):
        return profile_of_node(tmp_path, node_id(name), width, height, told.append)

    assert of("left") == PROFILE
    assert of("somebody") is None
    assert told == []
    assert [of("right"), of("centre"), of("left", 1440)] == [None, None, None]
    assert [words.split(":")[0] for words in told] == ["node right", "node centre", "node left"]
    assert "it is not flat" in told[1]
