import msgspec
import pytest

from hub.rigs import RigHistory
from wire.rig import Rig


@pytest.fixture
def history(small_mast: Rig) -> RigHistory:
    one, two = (msgspec.structs.replace(small_mast, cameras=small_mast.cameras[:n]) for n in (1, 2))
    return RigHistory(small_mast, ((100, one), (200, two)))


def test_a_rig_holds_from_its_time_on(history):
    assert [history.index(time) for time in (0, 99, 100, 199, 200, 10**15)] == [0, 0, 1, 1, 2, 2]
    assert history.at(150) is history.later[0][1]
    assert history.at(0) is history.rig


def test_its_cameras_are_those_of_all_its_rigs_one_after_the_other(history, small_mast):
    assert history.cameras == (*small_mast.cameras, small_mast.cameras[0], *small_mast.cameras)


def test_all_its_rigs_change_alike(history):
    changed = history.changed(lambda rig: msgspec.structs.replace(rig, cameras=()))
    assert changed.cameras == ()
    assert [since for since, _ in changed.later] == [100, 200]
