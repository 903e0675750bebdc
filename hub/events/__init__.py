"""Events of a match from pitch tracks."""

from hub.events.rules import find_events

__all__ = ["find_events"]
