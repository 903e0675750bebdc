"""The panel's vocabulary: what each rhythm of the beeper and each blinking of the light means.

Good news begins short, bad news begins long. Of the gates, one long beep names the node itself and two the board under
it; the short ones after it count to three at most, which a person takes in without counting.
"""

from dataclasses import dataclass

SHORT_S = 0.12
LONG_S = 0.6
"""Five times a short one, so that wind and gloves leave no doubt."""
GAP_S = 0.15
PAUSE_S = 0.45


@dataclass(frozen=True)
class Beep:
    """A rhythm for the beeper: `.` is a short beep, `-` a long one, a space a pause that groups them."""

    name: str
    meaning: str
    rhythm: str

    def steps(self) -> list[tuple[float, float]]:
        """Seconds on and seconds off after it, beep by beep."""
        out: list[tuple[float, float]] = []
        for mark in self.rhythm:
            if mark == " ":
                on_s, off_s = out.pop()
                out.append((on_s, off_s + PAUSE_S))
            else:
                out.append((SHORT_S if mark == "." else LONG_S, GAP_S))
        return out


@dataclass(frozen=True)
class Light:
    """What the light does: seconds on, then off, again and again; `off_s` 0 is steady light, `on_s` 0 none."""

    name: str
    meaning: str
    on_s: float
    off_s: float


MARKED = Beep("marked", "this moment is marked; faster and faster: the camera is being pointed, and nearly right", ".")
PASSED = Beep("passed", "checked, and all is well", "..")
STARTED = Beep("started", "recording has begun", "..-")
STOPPED = Beep("stopped", "recording has ended and is safe", ".--")
WARNING = Beep("warning", "it works, but look at the node's page", ".. ..")
CAMERA = Beep("camera", "not started: the camera gives no good picture", "- .")
DISK = Beep("disk", "not started: the disk is full or cannot be written", "- ..")
CLOCK = Beep("clock", "not started: the clock does not follow the hub's", "- ...")
TEMPERATURE = Beep("temperature", "not started: the board is too hot", "-- .")
SUPPLY = Beep("supply", "not started: the power supply is too weak", "-- ..")
BATTERY = Beep("battery", "not started: the battery is nearly empty", "-- ...")
KNOCKED = Beep("knocked", "the camera was knocked or covered: look at it", "-.-")
FAILED = Beep("failed", "checked, and something has failed", "---")
ALARM = Beep("alarm", "the recording is in danger or has ended by itself", "-.-.-.")

BEEPS = {
    beep.name: beep
    for beep in (
        MARKED, PASSED, STARTED, STOPPED, WARNING, CAMERA, DISK, CLOCK, TEMPERATURE, SUPPLY, BATTERY, KNOCKED,
        FAILED, ALARM,
    )
}  # fmt: skip
"""Every rhythm by its name."""

OFF = Light("off", "the node is off", 0, 1)
READY = Light("ready", "the node is ready to record", 0.1, 2.9)
RECORDING = Light("recording", "the node records", 1, 0)
TROUBLED = Light("troubled", "look at the node's page", 0.5, 0.5)
FAULT = Light("fault", "the node cannot record", 0.1, 0.1)

LIGHTS = {light.name: light for light in (OFF, READY, RECORDING, TROUBLED, FAULT)}
"""Everything the light may do, by its name."""
