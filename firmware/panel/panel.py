"""The panel as node and hub know it, and the two that need no hardware."""

from typing import Protocol

from firmware.panel.signals import Beep, Light


class Panel(Protocol):
    """One light and one beeper; every call returns at once and never raises once the panel is open."""

    def beep(self, beep: Beep) -> None:
        """Sound `beep` when what sounds now has ended; of those that wait, the newest two are kept."""

    def light(self, light: Light) -> None:
        """Let the light do this until told otherwise."""

    def close(self) -> None:
        """Fall dark and silent and let go of the pins; may be called twice."""


class DisabledPanel:
    """The panel of a board that has none."""

    def beep(self, beep: Beep) -> None:
        """Nobody hears it."""

    def light(self, light: Light) -> None:
        """Nobody sees it."""

    def close(self) -> None:
        """Nothing to let go of."""


class FakePanel:
    """A panel that remembers: `beeped` and `lit` hold what a person would have heard and seen, in order."""

    def __init__(self) -> None:
        self.beeped: list[Beep] = []
        self.lit: list[Light] = []
        self.closed = False

    def beep(self, beep: Beep) -> None:
        """Remember it as heard."""
        self.beeped.append(beep)

    def light(self, light: Light) -> None:
        """Remember it as seen."""
        self.lit.append(light)

    def close(self) -> None:
        """Remember that it was closed."""
        self.closed = True
