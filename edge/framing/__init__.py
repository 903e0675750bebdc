"""Helps to point the camera, and notices when it was knocked."""

from edge.framing.assistant import Framing, Hint, assess, beep_pause_s
from edge.framing.lock import Knock, LockedView

__all__ = ["Framing", "Hint", "Knock", "LockedView", "assess", "beep_pause_s"]
