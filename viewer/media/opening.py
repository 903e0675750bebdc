"""Opening the store that the settings name."""

from pathlib import Path

from viewer.errors import BadSettings
from viewer.media.folder import FolderStore
from viewer.media.store import MediaStore
from viewer.settings import Settings

VARIABLE = "TOUCHLINE_MEDIA"
"""Environment variable that every command reads the store's address from."""


def open_store(settings: Settings) -> MediaStore:
    """The media store: the folder `media` of the portal's, another folder, or `s3://…`. Raises `BadSettings`."""
    if not settings.store:
        return FolderStore(settings.media)
    scheme, separator, _ = settings.store.partition("://")
    if not separator:
        return FolderStore(Path(settings.store).resolve())
    if scheme != "s3":
        raise BadSettings("--media is a folder, or s3://bucket/prefix?endpoint=https://host&region=name")
    if settings.x_accel:
        raise BadSettings("--x-accel is for media in a folder: nginx cannot read the bucket, browsers can")
    # Half a second of imports that a portal with a folder need not wait for.
    from viewer.media.s3 import S3Store  # noqa: PLC0415

    return S3Store(settings.store)
