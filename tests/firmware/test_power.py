import pytest

from firmware.errors import NotSetUp, PowerFault
from firmware.power import DisabledPower, SystemPower


def test_a_machine_that_is_not_set_up_for_it_is_left_on():
    with pytest.raises(NotSetUp, match="not set up on this machine"):
        DisabledPower().power_off()


def test_the_system_is_told_to_go_down(tmp_path):
    told = tmp_path / "told"
    SystemPower(["touch", str(told)]).power_off()
    assert told.exists()


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (["sh", "-c", "echo access denied >&2; exit 1"], "access denied"),
        (["false"], "exit status 1"),
        (["/nowhere/systemctl"], "No such file or directory"),
    ],
)
def test_a_system_that_does_not_agree_says_why(command, words):
    with pytest.raises(PowerFault, match=words):
        SystemPower(command).power_off()
