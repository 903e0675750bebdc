"""Faults of what crosses machines."""


class WireError(Exception):
    """Root of every fault in this room."""


class MalformedMessage(WireError, ValueError):
    """Bytes that are not the message they claim to be."""


class NewerVersion(WireError, ValueError):
    """A message written by a newer Touchline than this one."""


class BadId(WireError, ValueError):
    """A text that cannot be a session, node or segment id."""


class BadPitch(WireError, ValueError):
    """A pitch that nobody could play on."""


class BadTable(WireError, ValueError):
    """A CSV table with a missing column or a value that is not a number."""


class NotProven(WireError, ValueError):
    """A document whose seal does not fit the rig's token."""
