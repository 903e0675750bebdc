"""The panel on a Raspberry Pi's header, by gpiozero."""

import threading
from collections import deque
from collections.abc import Callable
from typing import Any

from firmware.errors import PanelFault
from firmware.log import Log
from firmware.panel.signals import Beep, Light

_WAITING = 2
_GRACE_S = 1.0


class GpioPanel:
    """A light and a self-sounding (active) buzzer on two pins, numbered as the processor does (BCM).

    An active buzzer, because tones made in software stutter as soon as the encoder works. `pins` is a gpiozero pin
    factory; `wait` takes an event and seconds and waits for either. Raises `PanelFault` where a pin cannot be had.
    """

    def __init__(
        self,
        light_pin: int,
        beeper_pin: int,
        pins: Any,
        log: Log,
        *,
        wait: Callable[[threading.Event, float], object] = threading.Event.wait,
    ) -> None:
        from gpiozero import LED, Buzzer  # noqa: PLC0415 - the board's own package

        self._log = log
        self._wait = wait
        try:
            self._light = LED(light_pin, pin_factory=pins)
            self._beeper = Buzzer(beeper_pin, pin_factory=pins)
        except Exception as fault:
            pins.close()
            raise PanelFault(f"the panel's pins {light_pin} and {beeper_pin} cannot be used: {fault}") from fault
        self._pins = pins
        self._waiting: deque[Beep] = deque(maxlen=_WAITING)
        self._news = threading.Condition()
        self._closed = threading.Event()
        self._player = threading.Thread(target=self._play, name="beeper", daemon=True)
        self._player.start()

    def beep(self, beep: Beep) -> None:
        """Sound `beep` when what sounds now has ended; of those that wait, the newest two are kept."""
        with self._news:
            self._waiting.append(beep)
            self._news.notify()

    def light(self, light: Light) -> None:
        """Let the light do this until told otherwise."""
        try:
            if not light.on_s:
                self._light.off()
            elif not light.off_s:
                self._light.on()
            else:
                self._light.blink(on_time=light.on_s, off_time=light.off_s)
        except Exception as fault:
            self._complain(fault)

    def close(self) -> None:
        """Fall dark and silent and let go of the pins; may be called twice."""
        if self._closed.is_set():
            return
        with self._news:
            self._closed.set()
            self._news.notify()
        self._player.join(_GRACE_S)
        for part in (self._light, self._beeper, self._pins):
            try:
                part.close()
            except Exception as fault:
                self._complain(fault)

    def _play(self) -> None:
        while (beep := self._next()) is not None:
            try:
                for on_s, off_s in beep.steps():
                    if self._closed.is_set():
                        break
                    self._beeper.on()
                    self._wait(self._closed, on_s)
                    self._beeper.off()
                    self._wait(self._closed, off_s)
            except Exception as fault:
                self._complain(fault)

    def _next(self) -> Beep | None:
        with self._news:
            self._news.wait_for(lambda: self._closed.is_set() or self._waiting)
            return None if self._closed.is_set() else self._waiting.popleft()

    def _complain(self, fault: Exception) -> None:
        # A light that fails must never disturb a recording.
        self._log.event("panel-fault", fault=f"{type(fault).__name__}: {fault}")
