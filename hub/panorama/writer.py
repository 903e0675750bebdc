"""A panorama's folder: its windows in two sizes for HLS, its thumbnails, and the whole as one archive file."""

import hashlib
import shutil
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple, TypeVar

import msgspec

from hub.panorama.encoder import Coded
from hub.panorama.vision import Standpoint, WindowStart
from hub.panorama.windows import USUAL, Cadence
from hub.rendering import remux_playlist
from hub.stitch import StitchPlan
from wire.durable import make_folder, write_durably
from wire.errors import WireError
from wire.message import Message, decode, encode
from wire.rig import Rig
from wire.rigtime import SECOND

M = TypeVar("M", bound=Message)

INIT = "init.mp4"
PLAYLIST = "panorama.m3u8"
MASTER = "master.m3u8"
PREVIEW = "preview"
THUMBNAILS = "thumbnails"
THUMBNAIL_WINDOWS = 5
"""A thumbnail for every fifth window: each 10 s."""
STARTS, STANDPOINTS = "starts", "standpoints"
_INDEX = "thumbnails.vtt"
_MAKING = "making.json"


class Making(Message, frozen=True, kw_only=True):
    """What a panorama's windows are made of and with; windows of one making join, others are made again.

    `rig` and `sources` are digests, `rate` is frames a second as a fraction, `colours` as in `hub.panorama.video`.
    """

    KIND = "panorama-making"
    VERSION = 1

    rig: str
    sources: str
    width_px: int
    height_px: int
    rate: tuple[int, int]
    colours: tuple[int, int, int]
    encoder: str
    kernel: str
    preview_width_px: int | None = None

    @property
    def cadence(self) -> Cadence:
        """Of the panorama."""
        return Cadence(Fraction(*self.rate))


def rig_digest(plan: StitchPlan) -> str:
    """Of the rig and of the view that it is shown in."""
    return hashlib.sha256(encode(plan.rig) + msgspec.json.encode(plan.view)).hexdigest()


class MadeWindow(NamedTuple):
    """One window as it was coded; `preview` and `thumbnail` (a JPEG) where there is one. `start` is what vision control
    knew before it, `standpoint` the rig where that stands otherwise from this window on."""

    number: int
    picture: Coded
    preview: Coded | None = None
    thumbnail: bytes | None = None
    start: WindowStart = WindowStart()
    standpoint: Standpoint | None = None


def window_name(window: int) -> str:
    """File name of a window."""
    return f"{window:08d}.m4s"


def playlist(windows: int, last_frames: int, ended: bool, cadence: Cadence = USUAL) -> str:
    """The HLS media playlist of the first `windows` windows, the last of which has `last_frames` frames."""
    rate = float(cadence.rate)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        # RFC 8216, 4.3.3.1: no window may be longer, rounded to the nearest second.
        f"#EXT-X-TARGETDURATION:{max(1, round(cadence.window_frames / rate))}",
        f"#EXT-X-PLAYLIST-TYPE:{'VOD' if ended else 'EVENT'}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        f'#EXT-X-MAP:URI="{INIT}"',
    ]
    for window in range(windows):
        frames = last_frames if window == windows - 1 else cadence.window_frames
        lines += [f"#EXTINF:{frames / rate:.3f},", window_name(window)]
    if ended:
        lines.append("#EXT-X-ENDLIST")
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Rung:
    """One size of the panorama as a master playlist names it: where its own playlist is, its pixels, the H.264 codec
    string, and the bits a second of its largest window and on average."""

    playlist: str
    width_px: int
    height_px: int
    codec: str
    most_bits: int
    mean_bits: int


def master_playlist(rungs: tuple[Rung, ...], cadence: Cadence) -> str:
    """The HLS master playlist of a panorama's sizes, largest first."""
    lines = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
    for rung in rungs:
        lines += [
            f"#EXT-X-STREAM-INF:BANDWIDTH={rung.most_bits},AVERAGE-BANDWIDTH={rung.mean_bits},"
            f'CODECS="{rung.codec}",RESOLUTION={rung.width_px}x{rung.height_px},FRAME-RATE={float(cadence.rate):.3f}',
            rung.playlist,
        ]
    return "\n".join(lines) + "\n"


def codec_string(init: bytes) -> str:
    """The H.264 stream of an initialisation part as RFC 6381 names it: profile, constraints and level."""
    at = init.find(b"avcC")
    profile, constraints, level = init[at + 5 : at + 8] if at > 0 else (0x64, 0, 0x33)
    return f"avc1.{profile:02X}{constraints:02X}{level:02X}"


class PanoramaFolder:
    """The folder of one panorama, every file in it whole or absent. Its windows count once the large picture's file is
    there, which is written last."""

    def __init__(self, root: Path, making: Making) -> None:
        self.root = root
        self._making = making
        self._cadence = making.cadence
        self._bits: dict[str, list[int]] = {}

    @staticmethod
    def is_one(root: Path) -> bool:
        """Whether the folder at `root` is a panorama's."""
        return (root / _MAKING).is_file()

    def open(self) -> int:
        """Take up what is there, and return the window to go on with. What was made of or with something else is
        deleted."""
        if self._made_before() != self._making:
            shutil.rmtree(self.root, ignore_errors=True)
            make_folder(self.root)
            write_durably(self.root / _MAKING, encode(self._making, indent=1))
        for folder in (PREVIEW, THUMBNAILS, STARTS, STANDPOINTS):
            make_folder(self.root / folder)
        first = 0
        while (self.root / window_name(first)).exists():
            self._weigh(first)
            first += 1
        # The newest window may be the short last one of an interrupted run: it is made again.
        return max(0, first - 1)

    def _made_before(self) -> Making | None:
        return _read(self.root / _MAKING, Making)

    def _note(self, window: MadeWindow) -> None:
        """What a run needs that makes this window again, or the next one."""
        stood = self.root / STANDPOINTS / _numbered(window.number)
        if window.standpoint is not None:
            write_durably(stood, encode(window.standpoint))
        else:
            stood.unlink(missing_ok=True)
        write_durably(self.root / STARTS / _numbered(window.number), encode(window.start))
        (self.root / STARTS / _numbered(window.number - 2)).unlink(missing_ok=True)

    def start_of(self, window: int) -> WindowStart | None:
        """What vision control knew before that window, one of the two newest; None when that is not known any more."""
        return _read(self.root / STARTS / _numbered(window), WindowStart)

    def standpoint_before(self, window: int) -> Standpoint | None:
        """The rig as it stood before that window, None where it stood as it did at first."""
        earlier = [standpoint for number, standpoint in _standpoints(self.root) if number < window]
        return earlier[-1] if earlier else None

    def store(self, window: MadeWindow) -> None:
        """Keep the next window, and let players see it."""
        self._note(window)
        if window.thumbnail is not None:
            write_durably(self.root / THUMBNAILS / thumbnail_name(window.number), window.thumbnail)
        if window.preview is not None:
            self._store(self.root / PREVIEW, window.number, window.preview)
        self._store(self.root, window.number, window.picture)
        self._weigh(window.number)
        self._write_playlists(window.number + 1, window.picture.frames, ended=False)

    def end(self, windows: int, last_frames: int) -> None:
        """There will be no more windows."""
        self._write_playlists(windows, last_frames, ended=True)

    def archive(self, path: Path) -> None:
        """All of it as one file."""
        remux_playlist(self.root / PLAYLIST, path)

    def _store(self, folder: Path, number: int, coded: Coded) -> None:
        if not (folder / INIT).exists():
            write_durably(folder / INIT, coded.init)
        write_durably(folder / window_name(number), coded.media)

    def _weigh(self, window: int) -> None:
        for folder in (self.root, self.root / PREVIEW):
            path = folder / window_name(window)
            if path.exists():
                sizes = self._bits.setdefault(folder.name if folder != self.root else "", [])
                del sizes[window:]
                sizes.append(path.stat().st_size * 8)

    def _write_playlists(self, windows: int, last_frames: int, *, ended: bool) -> None:
        own = playlist(windows, last_frames, ended, self._cadence).encode()
        if self._making.preview_width_px is not None:
            write_durably(self.root / PREVIEW / PLAYLIST, own)
            write_durably(
                self.root / THUMBNAILS / _INDEX, thumbnail_index(windows, last_frames, self._cadence).encode()
            )
        write_durably(self.root / PLAYLIST, own)
        if self._making.preview_width_px is not None:
            write_durably(self.root / MASTER, self.master().encode())

    def master(self, below: str = "") -> str:
        """The master playlist as it lies beside the folder's own playlist, or where the folder is at `below`."""
        making = self._making
        size = making.width_px, making.height_px
        rungs = [self._rung("", f"{below}{PLAYLIST}", size)]
        if making.preview_width_px is not None:
            small = preview_size(size, making.preview_width_px)
            rungs.append(self._rung(PREVIEW, f"{below}{PREVIEW}/{PLAYLIST}", small))
        return master_playlist(tuple(rungs), self._cadence)

    def _rung(self, name: str, path: str, size: tuple[int, int]) -> Rung:
        rate = self._cadence.rate / self._cadence.window_frames
        # The last window may be short, and small for it.
        bits = self._bits.get(name) or [0]
        init = (self.root / name / INIT).read_bytes()
        most, mean = int(max(bits) * rate), int(sum(bits) * rate / len(bits))
        return Rung(path, *size, codec_string(init), max(most, 1), max(mean, 1))


def making_of(root: Path) -> Making:
    """What the panorama at `root` was made of and with."""
    return decode((root / _MAKING).read_bytes(), Making)


def rigs_later(root: Path) -> list[tuple[int, Rig]]:
    """From which times (ns after its start) on the rig of the panorama at `root` stood otherwise, and how."""
    found = _standpoints(root)
    if not found:
        return []
    cadence = making_of(root).cadence
    return [(cadence.window_span_ns(window)[0], stood.rig) for window, stood in found]


def _standpoints(root: Path) -> list[tuple[int, Standpoint]]:
    found = [(int(path.stem), _read(path, Standpoint)) for path in sorted((root / STANDPOINTS).glob("*.json"))]
    return [(window, standpoint) for window, standpoint in found if standpoint is not None]


def _numbered(window: int) -> str:
    return f"{window:08d}.json"


def _read(path: Path, kind: type[M]) -> M | None:
    try:
        return decode(path.read_bytes(), kind)
    except (OSError, WireError):
        return None


def preview_size(size: tuple[int, int], width: int) -> tuple[int, int]:
    """Width and height of a picture of that size made narrower, both even."""
    return width // 2 * 2, max(2, round(size[1] * width / size[0] / 2) * 2)


def thumbnail_name(window: int) -> str:
    """File name of the thumbnail that a window begins with."""
    return f"{window:08d}.jpg"


def thumbnail_index(windows: int, last_frames: int, cadence: Cadence) -> str:
    """WebVTT that says which thumbnail shows which seconds, as players' scrub bars read it."""
    frames = (windows - 1) * cadence.window_frames + last_frames
    lines = ["WEBVTT", ""]
    for window in range(0, windows, THUMBNAIL_WINDOWS):
        first = window * cadence.window_frames
        last = min(first + THUMBNAIL_WINDOWS * cadence.window_frames, frames)
        lines += [f"{_clock(cadence.time_ns(first))} --> {_clock(cadence.time_ns(last))}", thumbnail_name(window), ""]
    return "\n".join(lines)


def _clock(time_ns: int) -> str:
    whole, part = divmod(time_ns, SECOND)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}.{part // 1_000_000:03d}"
