"""What a camera knows of itself beyond its pictures, for the session's manifest."""

import msgspec


class CameraDetails(msgspec.Struct, frozen=True, kw_only=True):
    """A camera's `details`, in its driver's words: sensor, lens, the sensor's mode, and the profile that was asked for;
    None for what it cannot tell."""

    model: str | None = None
    lens: str | None = None
    mode: str | None = None
    profile: str | None = None
