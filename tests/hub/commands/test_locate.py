import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.cli import main
from hub.commands.locate import located
from wire import message
from wire.errors import BadTable
from wire.ids import node_id
from wire.pitch import Pitch
from wire.rig import CameraModel, Lens, Rig, looking

LENS = Lens(1390.0, 958.0, 543.0, -0.255, 0.075, 0.0003, -0.0004, -0.0085)
RIG = Rig(
    pitch=Pitch(),
    cameras=tuple(
        CameraModel(node_id(name), 1920, 1080, LENS, looking(yaw, -16.0, 0.5), (0.1, -40.0, 7.0))
        for name, yaw in (("left", -30.0), ("right", 30.0))
    ),
)


def rows(text: str, *, inverse: bool = False) -> list[list[str]]:
    return [line.rstrip("\n").split(",") for line in located(RIG, io.StringIO(text), inverse=inverse)]


@given(st.integers(0, 1), st.floats(100, 1800), st.floats(400, 1050))
def test_a_pixel_becomes_a_place_and_the_place_the_same_pixel_again(camera, u, v):
    [head, there] = rows(f"camera,u_px,v_px\n{camera},{u!r},{v!r}\n")
    assert head == ["camera", "u_px", "v_px", "x_m", "y_m"]
    [_, back] = rows(f"camera,x_m,y_m\n{camera},{there[3]},{there[4]}\n", inverse=True)
    # Places are written to a tenth of a millimetre: far away that is a hundredth of a pixel or less.
    assert np.hypot(float(back[3]) - u, float(back[4]) - v) < 0.02


def test_the_sky_is_no_place_and_what_is_behind_the_camera_no_pixel():
    assert rows("camera,u_px,v_px\n0,900,10\n")[1][3:] == ["", ""]
    assert rows("camera,x_m,y_m\n0,0,-80\n", inverse=True)[1][3:] == ["", ""]


def test_what_found_no_place_stays_empty_on_the_way_back():
    there = "".join(located(RIG, io.StringIO("camera,u_px,v_px\n0,900,10\n"), inverse=False))
    assert rows(there, inverse=True)[1] == ["0", "", "", "", ""]


def test_other_columns_stay_as_they_are():
    [head, row] = list(
        located(RIG, io.StringIO('name,camera,u_px,v_px\n"corner, ""near""",1,960,600\n'), inverse=False)
    )
    assert head.startswith("name,camera,u_px,v_px,x_m")
    assert row.startswith('"corner, ""near""",1,960,600,')


@pytest.mark.parametrize(
    ("table", "reason"),
    [
        ("", "missing: camera, u_px, v_px"),
        ("camera,u_px\n0,1\n", "missing: v_px"),
        ("camera,u_px,v_px\n0,1,2\n2,1,2\n", "line 3: there is no camera 2, only 0 to 1"),
        ("camera,u_px,v_px\nleft,1,2\n", "line 2: camera must be a whole number"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused_with_the_line_at_fault(table, reason):
    with pytest.raises(BadTable, match=reason):
        rows(table)


def test_a_row_without_a_value_has_no_counterpart():
    assert rows("camera,u_px,v_px\n0,1\n")[1][3:] == ["", ""]


def test_the_command_reads_a_table_and_writes_one(tmp_path, monkeypatch, capsys):
    path = tmp_path / "rig.json"
    path.write_bytes(message.encode(RIG))
    monkeypatch.setattr("sys.stdin", io.StringIO("camera,u_px,v_px\n0,960,700\n"))
    assert main(["locate", "--rig", str(path)]) == 0
    [head, row] = capsys.readouterr().out.splitlines()
    assert head == "camera,u_px,v_px,x_m,y_m"
    ((x, y),) = RIG.cameras[0].to_plane([[960.0, 700.0]])
    assert [float(v) for v in row.split(",")[3:]] == pytest.approx([x, y], abs=1e-4)


def test_a_rig_that_is_not_there_or_is_none_is_refused(tmp_path, capsys):
    assert main(["locate", "--rig", str(tmp_path / "rig.json")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    (tmp_path / "rig.json").write_text("{}")
    assert main(["locate", "--rig", str(tmp_path / "rig.json")]) == 2
