import pytest

from firmware.health import Battery, BoardHealth, DisabledHealth, HealthReading

NOTHING = "/nowhere/vcgencmd"


def pi(board, **changes):
    """A Raspberry Pi's tree."""
    return board(
        {
            "sys/class/thermal/thermal_zone0/type": "cpu-thermal\n",
            "sys/class/thermal/thermal_zone0/temp": "61250\n",
            "proc/loadavg": "1.25 0.80 0.60 2/180 4242\n",
            "proc/meminfo": "MemTotal: 8245000 kB\nMemFree: 100 kB\nMemAvailable: 6000000 kB\n",
            **{f"sys/devices/system/cpu/cpu{n}/online": "1" for n in range(4)},
            "sys/devices/system/cpu/cpufreq/policy0/x": "",
            **changes,
        }
    )


def supply(board, command, throttled: str, volts: str = "EXT5V_V volt(24)=5.15340000V"):
    body = f'case "$*" in get_throttled) echo "{throttled}";; "pmic_read_adc EXT5V_V") echo "    {volts}";; esac'
    return BoardHealth(pi(board), command("vcgencmd", body)).read()


def test_a_boards_heat_load_and_memory_are_read(board):
    reading = BoardHealth(pi(board), NOTHING).read()
    assert reading == HealthReading(temperature_c=61.25, load=1.25, cores=4, free_memory_bytes=6_000_000 * 1024)


def test_a_laptops_other_zones_are_not_taken_for_the_boards(board):
    root = board(
        {"sys/class/thermal/thermal_zone3/type": "x86_pkg_temp", "sys/class/thermal/thermal_zone3/temp": "93000"}
    )
    assert BoardHealth(root, NOTHING).read().temperature_c is None


def test_a_good_supply_has_no_bit_set_and_its_volts_are_told(board, command):
    told = supply(board, command, "throttled=0x0")
    assert told.faults == ()
    assert not any((told.supply.under_voltage, told.supply.frequency_capped, told.supply.throttled))
    assert not any((told.supply.soft_temperature_limit, told.supply.under_voltage_before, told.supply.throttled_before))
    assert told.supply.volts == 5.1534


@pytest.mark.parametrize(
    ("bits", "names"),
    [
        ("0x1", {"under_voltage"}),
        ("0x2", {"frequency_capped"}),
        ("0x4", {"throttled"}),
        ("0x8", {"soft_temperature_limit"}),
        ("0x10000", {"under_voltage_before"}),
        ("0x40000", {"throttled_before"}),
        ("0x50005", {"under_voltage", "throttled", "under_voltage_before", "throttled_before"}),
    ],
)
def test_every_bit_of_get_throttled_has_its_meaning(board, command, bits, names):
    told = supply(board, command, f"throttled={bits}").supply
    assert {name for name in told.__struct_fields__ if getattr(told, name) is True} == names


def test_a_board_that_does_not_measure_its_volts_tells_the_rest(board, command):
    body = 'case "$*" in get_throttled) echo throttled=0x1;; *) echo error=1; exit 255;; esac'
    told = BoardHealth(pi(board), command("vcgencmd", body)).read()
    assert (told.supply.under_voltage, told.supply.volts, told.faults) == (True, None, ())


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ('echo "Can\'t open device file: /dev/vcio" >&2; exit 1', "Can't open device file: /dev/vcio"),
        ("exit 3", "exit status 3"),
        ("echo throttled=yes", "answered 'throttled=yes'"),
        ("echo", "answered ''"),
    ],
)
def test_firmware_that_should_answer_and_does_not_is_a_fault_in_words(board, command, body, words):
    told = BoardHealth(pi(board), command("vcgencmd", body)).read()
    assert told.supply is None
    [fault] = told.faults
    assert words in fault


def test_firmware_that_hangs_is_not_waited_for(board, command, monkeypatch):
    monkeypatch.setattr("firmware.health._VCGENCMD_S", 0.1)
    told = BoardHealth(pi(board), command("vcgencmd", "exec sleep 30")).read()
    assert (told.supply, told.temperature_c) == (None, 61.25)
    assert "does not answer" in told.faults[0]


def test_a_command_that_may_not_be_run_is_a_fault_in_words(board, tmp_path):
    (tmp_path / "vcgencmd").write_text("not to be run")
    [fault] = BoardHealth(pi(board), str(tmp_path / "vcgencmd")).read().faults
    assert "cannot be run: Permission denied" in fault


def battery(name, capacity, status="Discharging", **more):
    files = {"type": "Battery", "capacity": str(capacity), "status": status, **more}
    return {f"sys/class/power_supply/{name}/{file}": f"{text}\n" for file, text in files.items()}


def test_the_emptiest_battery_counts(board):
    told = BoardHealth(board({**battery("BAT0", 80), **battery("BAT1", 35, "Charging")}), NOTHING).read()
    assert told.battery == Battery(percent=35, discharging=False)


@pytest.mark.parametrize(
    "files",
    [
        {},
        {"sys/class/power_supply/AC/type": "Mains"},
        battery("hid-mouse", 4, scope="Device"),
        battery("BAT0", 0, present="0"),
        battery("BAT0", "unknown"),
    ],
)
def test_what_is_no_battery_of_this_machine_is_none(board, files):
    assert BoardHealth(board(files), NOTHING).read().battery is None


def test_a_board_that_tells_nothing_and_the_disabled_one_are_alike(board):
    assert BoardHealth(board({}), NOTHING).read() == DisabledHealth().read() == HealthReading()


def test_the_machine_that_runs_this_can_be_read():
    told = BoardHealth().read()
    assert told.cores >= 1
    assert told.load >= 0
    assert told.free_memory_bytes > 0
