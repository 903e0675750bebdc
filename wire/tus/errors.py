"""Faults of resumable upload."""

from collections.abc import Mapping

from wire.errors import WireError


class UploadRefused(WireError):
    """The server will not have this upload: an HTTP `status`, and the `reason` as a sentence for whoever sends it."""

    def __init__(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason
        self.headers = dict(headers or {})


class UploadFailed(WireError):
    """The client gave up after its last attempt; what was sent stays on the server until it expires."""


class UploadGone(UploadFailed):
    """The client gave up because the server does not have the upload any more: its URL is of no further use."""


class NoSuchUpload(WireError):
    """An upload id that the store does not know, or no longer."""


class UploadBusy(WireError):
    """Another request holds this upload and did not let go in time."""
