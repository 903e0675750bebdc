import cv2
import numpy as np
import pytest

from hub.calibrate.lenses import LensProfile
from hub.cli import main
from wire import message
from wire.clicks import read_clicks
from wire.rig import Lens, Rig


@pytest.fixture(scope="module")
def pictures(small_sideline, photograph, tmp_path_factory):
    """Of both cameras along a touchline, as files."""
    folder = tmp_path_factory.mktemp("pictures")
    paths = []
    for camera in small_sideline.cameras:
        paths.append(str(folder / f"{camera.node}.png"))
        cv2.imwrite(paths[-1], photograph(camera, small_sideline.pitch))
    return paths


@pytest.mark.slow
def test_two_pictures_and_the_pitchs_size_give_a_rig_its_lines_and_its_points(
    pictures, small_sideline, tmp_path, capsys
):
    out, lines, points = tmp_path / "rig.json", tmp_path / "lines", tmp_path / "points.csv"
    wishes = [*pictures, "--pitch", "105x68", "--lens", "77", "--lines", str(lines), "--points", str(points)]
    assert main(["calibrate", *wishes, "-o", str(out)]) == 0
    rig = message.decode(out.read_bytes(), Rig)
    assert [camera.node for camera in rig.cameras] == ["left", "right"]
    for found, truth in zip(rig.cameras, small_sideline.cameras, strict=True):
        assert np.linalg.norm(found.centre - truth.centre) < 0.3
    heard = capsys.readouterr()
    shares = [int(line.split("%")[0]) for line in heard.err.splitlines() if "%" in line]
    assert shares == sorted(shares)
    assert "rig.json: calibrated" in heard.out
    for path, name in zip(pictures, ("left", "right"), strict=True):
        drawn, plain = cv2.imread(str(lines / f"{name}.jpg")), cv2.imread(path)
        red = (drawn[..., 2].astype(int) - drawn[..., 1] > 30) & (plain[..., 2].astype(int) - plain[..., 1] < 10)
        assert red.sum() > 500
    corrected = read_clicks(points.read_text())
    assert {click.camera for click in corrected} == {0, 1}
    first = corrected[0]
    ((u, v),) = small_sideline.cameras[0].project([[first.x_m, first.y_m, 0.0]])
    assert np.hypot(u - first.u_px, v - first.v_px) < 3


@pytest.mark.slow
def test_a_rig_that_the_lines_do_not_confirm_is_written_and_exits_with_one(
    small_mast, photograph, person_clicks, rng, tmp_path, capsys
):
    paths = []
    for camera in small_mast.cameras:
        paths.append(str(tmp_path / f"{camera.node}.png"))
        cv2.imwrite(paths[-1], photograph(camera, small_mast.pitch, painted=False))
    clicks = tmp_path / "clicks.csv"
    rows = [f"{c.camera},{c.x_m},{c.y_m},{c.u_px},{c.v_px}" for c in person_clicks(small_mast, rng, 6, 1.0)]
    clicks.write_text("camera,x_m,y_m,u_px,v_px\n" + "\n".join(rows) + "\n")
    out = tmp_path / "rig.json"
    assert main(["calibrate", *paths, "--pitch", "105x68", "--clicks", str(clicks), "-o", str(out)]) == 1
    assert not message.decode(out.read_bytes(), Rig).quality.trusted
    heard = capsys.readouterr()
    assert "NOT to be trusted" in heard.out
    assert "lines" in heard.err


@pytest.mark.parametrize(
    ("wishes", "reason"),
    [
        (["{grey}", "--pitch", "105x68", "--lens", "{square}"], "measured with pictures of 600x600"),
        (["a.png", "b.png", "--pitch", "105"], "not a pitch"),
        (["a.png", "--pitch", "105x68"], "no picture or video at a.png"),
        (["{junk}", "--pitch", "105x68"], "cannot be read as a picture"),
        (["{noise}", "--pitch", "105x68"], "cannot be read as a video"),
        (["{small}", "--pitch", "105x68"], "too small"),
        (["{grey}", "--pitch", "105x68"], "camera 0"),
        (["a.png", "b.png", "c.png", "d.png", "--pitch", "105x68"], "one to three cameras, not 4"),
        (["{grey}", "--pitch", "105x68", "--clicks", "none.csv"], "none.csv is not a readable CSV"),
        (["{grey}", "--pitch", "105x68", "--lines", "nowhere/lines"], "there is no folder nowhere"),
    ],
)
def test_what_cannot_be_calibrated_is_refused_in_words_and_nothing_is_written(wishes, reason, tmp_path, capsys):
    cv2.imwrite(str(tmp_path / "grey.png"), np.full((540, 960, 3), 90, np.uint8))
    cv2.imwrite(str(tmp_path / "small.png"), np.full((100, 160, 3), 90, np.uint8))
    (tmp_path / "junk.png").write_bytes(b"no picture")
    (tmp_path / "noise.mp4").write_bytes(bytes(range(256)) * 40)
    endings = {"grey": "png", "small": "png", "junk": "png", "noise": "mp4", "square": "json"}
    files = {name: tmp_path / f"{name}.{ending}" for name, ending in endings.items()}
    square = LensProfile(
        width_px=600, height_px=600, lens=Lens(500.0, 300.0, 300.0), rms_px=0.1, pictures=9, covered=0.9
    )
    files["square"].write_bytes(message.encode(square))
    out = tmp_path / "rig.json"
    assert main(["calibrate", *(wish.format(**files) for wish in wishes), "-o", str(out)]) == 2
    assert reason in capsys.readouterr().err
    assert not out.exists()


def test_the_result_never_replaces_a_picture(tmp_path, capsys):
    path = tmp_path / "left.png"
    cv2.imwrite(str(path), np.full((540, 960, 3), 90, np.uint8))
    before = path.read_bytes()
    assert main(["calibrate", str(path), "--pitch", "105x68", "-o", str(path)]) == 2
    assert path.read_bytes() == before


@pytest.mark.slow
def test_a_measured_lens_is_taken_from_its_file_with_what_speaks_against_it(pictures, small_mast, tmp_path, capsys):
    profile, out = tmp_path / "lens.json", tmp_path / "rig.json"
    true = small_mast.cameras[0].lens
    noted = LensProfile(
        width_px=1920,
        height_px=1080,
        lens=Lens(2 * true.focal_px, 2 * true.cx_px, 2 * true.cy_px, true.k1, true.k2),
        rms_px=0.9,
        pictures=12,
        covered=0.9,
        notes=("the board was not flat",),
    )
    profile.write_bytes(message.encode(noted))
    wishes = [*pictures, "--pitch", "105x68", "--lens", str(profile), "-o", str(out)]
    assert main(["calibrate", *wishes]) == 0
    for camera in message.decode(out.read_bytes(), Rig).cameras:
        assert camera.lens.focal_px == pytest.approx(true.focal_px, rel=0.003)
    assert "not to be trusted: the board was not flat" in capsys.readouterr().err


@pytest.mark.parametrize("lens", ["fisheye", "5", "nan", "none.json"])
def test_an_unknown_lens_is_refused_with_what_is_possible(lens, capsys):
    with pytest.raises(SystemExit):
        main(["calibrate", "a.png", "--pitch", "105x68", "--lens", lens, "-o", "rig.json"])
    assert ("none.json cannot be read" if lens == "none.json" else "cm3-wide") in capsys.readouterr().err
