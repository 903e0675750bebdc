"""Media in a bucket of S3 or of something that speaks it."""

import secrets
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import httpx
import obstore
from obstore.store import S3Store as Bucket

from viewer.errors import BadSettings
from viewer.media.store import CHUNK, MediaStore, Stored, checked
from viewer.media.types import media_type

if TYPE_CHECKING:
    from obstore import GetOptions
    from obstore.store import ClientConfig, S3Config

_PART = 8 << 20
"""Bytes of one part of a large upload; `_AT_ONCE` of them are held in memory."""
_AT_ONCE = 4
_PATIENCE = timedelta(hours=2)
"""A file that is streamed to somebody on a slow line may take so long."""

_PROBE_S = 10.0


class S3Store(MediaStore):
    """Objects below a bucket's prefix; credentials come from the environment as everywhere (AWS_ACCESS_KEY_ID …).

    Objects are private: nothing here ever asks for another access, and whoever looks gets an address that ends.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        asked = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if not parts.netloc or set(asked) - {"endpoint", "region"}:
            raise BadSettings("--media is written s3://bucket/prefix?endpoint=https://host&region=name, or a folder")
        region, endpoint = asked.get("region", "us-east-1"), asked.get("endpoint", "")
        config: S3Config = {"region": region}
        if endpoint:
            config["endpoint"] = endpoint
        options: ClientConfig = {"allow_http": endpoint.startswith("http://"), "timeout": _PATIENCE}
        prefix = parts.path.strip("/")
        self.bucket = Bucket(parts.netloc, prefix=prefix or None, config=config, client_options=options)
        self.origin = "{0.scheme}://{0.netloc}".format(urlsplit(endpoint or f"https://s3.{region}.amazonaws.com"))

    def put(self, folder: Path, prefix: str, check: Callable[[], None] = lambda: None) -> None:
        """Upload file by file; an object appears whole, under the sum that the bucket checked, or not at all."""
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            check()
            name = checked(f"{prefix}/{path.relative_to(folder).as_posix()}")
            obstore.put(
                self.bucket,
                name,
                path,
                attributes={"Content-Type": media_type(name), "Content-Disposition": "inline"},
                chunk_size=_PART,
                max_concurrency=_AT_ONCE,
            )

    def size(self, path: str) -> int:
        """The object's bytes."""
        return int(obstore.head(self.bucket, checked(path))["size"])

    def read(self, path: str, first: int = 0, end: int | None = None) -> Iterator[bytes]:
        """The object's bytes, from one request."""
        if end is not None and end <= first:
            return
        # A range of an empty object is an error, so the whole is asked for without one.
        options: GetOptions = {}
        if end is not None:
            options = {"range": (first, end)}
        elif first:
            options = {"range": {"offset": first}}
        found = obstore.get(self.bucket, checked(path), options=options)
        for piece in found.stream(min_chunk_size=CHUNK):
            yield bytes(piece)

    def delete(self, prefix: str) -> None:
        """Remove the objects, in requests of many."""
        names = [stored.path for stored in self.listed(prefix)]
        if names:
            obstore.delete(self.bucket, names)
        elif "/" in checked(prefix):
            obstore.delete(self.bucket, prefix)

    def listed(self, prefix: str = "") -> Iterator[Stored]:
        """Every object below the prefix."""
        for found in obstore.list(self.bucket, checked(prefix) if prefix else None, chunk_size=1000):
            for item in found:
                yield Stored(item["path"], item["size"], item["last_modified"])

    def view_link(self, path: str, lasts: timedelta) -> str | None:
        """A presigned address."""
        return str(obstore.sign(self.bucket, "GET", checked(path), lasts))

    def upload_link(self, path: str, lasts: timedelta) -> str | None:
        """A presigned address; S3 takes at most 5 GiB in one PUT."""
        return str(obstore.sign(self.bucket, "PUT", checked(path), lasts))

    def open_to_anybody(self) -> bool:
        """Whether an object that is put there for this can be had by its bare address."""
        name = f"probe/{secrets.token_hex(16)}"
        put, gone = (str(obstore.sign(self.bucket, act, name, timedelta(minutes=1))) for act in ("PUT", "DELETE"))
        try:
            # Not by the bucket's own client: that tries for minutes, and the portal's start waits for this.
            with httpx.Client(timeout=_PROBE_S, follow_redirects=True) as anybody:
                kept = anybody.put(put, content=b"Nobody is to read this.")
                if not kept.is_success:
                    raise OSError(f"the bucket does not answer as it should: HTTP {kept.status_code}")
                found = anybody.get(put.partition("?")[0]).is_success
                anybody.delete(gone)
        except httpx.HTTPError as fault:
            # Its own words may hold the address, which opens the object.
            raise OSError(f"the bucket does not answer: {type(fault).__name__}") from fault
        return found
