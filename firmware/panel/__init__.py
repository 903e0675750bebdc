"""What the person at the mast sees and hears: one light, one beeper."""

from firmware.panel.gpio import GpioPanel
from firmware.panel.opening import PanelSource
from firmware.panel.panel import DisabledPanel, FakePanel, Panel
from firmware.panel.signals import BEEPS, LIGHTS, Beep, Light

__all__ = ["BEEPS", "LIGHTS", "Beep", "DisabledPanel", "FakePanel", "GpioPanel", "Light", "Panel", "PanelSource"]
