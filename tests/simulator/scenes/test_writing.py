import cv2
import pytest

from simulator.scenes.__main__ import main
from wire.clicks import read_clicks
from wire.message import decode
from wire.rig import Rig


def test_a_scene_is_written_with_its_clicks_and_its_truth_apart(tmp_path):
    wishes = ["--rig", "sideline", "--players", "7", "--cameras", "2", "--size", "480x270", "--seed", "4"]
    assert main([str(tmp_path), *wishes, "--difficulty", "track", "worn-lines", "--clicks", "5"]) == 0
    assert sorted(p.name for p in tmp_path.iterdir()) == ["clicks.csv", "left.png", "right.png", "truth"]
    assert cv2.imread(str(tmp_path / "right.png")).shape == (270, 480, 3)
    rig = decode((tmp_path / "truth" / "rig.json").read_bytes(), Rig)
    assert rig.pitch.players == 7
    for click in read_clicks((tmp_path / "clicks.csv").read_text()):
        seen = rig.cameras[click.camera].project([[click.x_m, click.y_m, 0.0]])[0]
        assert seen == pytest.approx((click.u_px, click.v_px), abs=20)
    assert cv2.imread(str(tmp_path / "truth" / "panorama.png")) is not None


def test_a_pitch_that_is_none_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit):
        main([str(tmp_path), "--pitch", "huge"])
    assert "is not a pitch" in capsys.readouterr().err
