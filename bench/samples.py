"""Scenes to measure calibration and panorama on: our own, each hard in another way, or an outside generator's."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from hub.calibrate import View
from simulator.pictures.clicks import clicks
from simulator.pictures.rigs import NAMES, RigKind, TrueRig
from simulator.scenes import Difficulty, TruePanorama, scene
from simulator.scenes.cylinder import panorama_view
from wire.clicks import Click
from wire.ids import node_id
from wire.panorama import AGREED_M, PanoramaView
from wire.pitch import Pitch, PlayersPerSide, default_pitch
from wire.rig import CameraModel, Lens, Rig

Picture = npt.NDArray[np.uint8]
FULL = (2304, 1296)
UHD = (3840, 2160)


@dataclass(frozen=True)
class Case:
    """One of our own scenes, before it is drawn."""

    kind: RigKind = "mast"
    difficulties: tuple[Difficulty, ...] = ()
    size: tuple[int, int] = FULL
    apart_m: float = 0.05
    cameras: int = 3
    players: PlayersPerSide = 11

    @property
    def name(self) -> str:
        """What is special about it."""
        parts = [self.kind, *self.difficulties] if self.difficulties else [self.kind, "plain"]
        if self.size != FULL:
            parts.append(f"{self.size[0]}x{self.size[1]}")
        if self.apart_m != 0.05:
            parts.append(f"{100 * self.apart_m:.0f} cm")
        if self.cameras != 3:
            parts.append(f"{self.cameras} cameras")
        if self.players != 11:
            parts.append(f"{self.players} a side")
        return " ".join(parts)


CASES = (
    Case(),
    Case(difficulties=(Difficulty.SHADOWS, Difficulty.WORN_LINES)),
    Case(difficulties=(Difficulty.TRACK, Difficulty.ON_LINES)),
    Case(difficulties=(Difficulty.YELLOW_LINES, Difficulty.BLUE_LINES, Difficulty.ARTIFICIAL)),
    Case(difficulties=(Difficulty.WHITE_LINES, Difficulty.SHADOWS)),
    Case(difficulties=(Difficulty.AUTUMN, Difficulty.THIN_LINES)),
    Case(difficulties=(Difficulty.BARE_MOUTHS, Difficulty.WET_STRIPES), players=9),
    Case(difficulties=(Difficulty.WORN_LINES, Difficulty.YELLOW_LINES), players=7),
    Case(difficulties=(Difficulty.VIDEO, Difficulty.BARE_MOUTHS)),
    Case(apart_m=0.10),
    Case(cameras=2, difficulties=(Difficulty.WET_STRIPES,)),
    Case(size=UHD),
    Case(kind="sideline"),
    Case(kind="sideline", difficulties=(Difficulty.SHADOWS, Difficulty.ON_LINES)),
)


@dataclass(frozen=True)
class Sample:
    """Pictures from the left with everything that is true about them. `nominal_fov_deg` is what the lens's data sheet
    says; `case` is None for scenes from outside."""

    name: str
    rig: Rig
    pictures: tuple[Picture, ...]
    nominal_fov_deg: float
    panorama: TruePanorama
    seed: int
    case: Case | None = None

    def views(self, lens_known: bool = True) -> list[View]:
        """What calibration is given."""
        fov = self.nominal_fov_deg if lens_known else None
        return [View(c.node, p, fov) for c, p in zip(self.rig.cameras, self.pictures, strict=True)]

    def clicks(self, points: int, sigma_px: float = 4.0) -> list[Click]:
        """So many points a camera, clicked with an error of `sigma_px`."""
        if not points:
            return []
        return clicks(TrueRig("mast", self.rig, ()), self.rig.pitch, self.seed, points, sigma_px)


def drawn(case: Case, seed: int) -> Sample:
    """The scene of `case` and `seed`."""
    pitch = default_pitch(case.players)
    one = scene(case.kind, pitch, seed, case.size, case.difficulties, case.cameras, case.apart_m)
    panorama = one.panorama_in(on_whole_pixels(panorama_view(one.rig)))
    return Sample(case.name, one.rig, one.pictures, one.nominal_fov_deg, panorama, seed, case)


def on_whole_pixels(view: PanoramaView) -> PanoramaView:
    """`view` moved by less than a pixel so that OpenCV's cylinder of the same focal length has the same pixels."""
    focal = view.focal_px
    left = (round(view.left_rad * focal + 0.5) - 0.5) / focal
    top = (round(view.top_rise * focal - 0.5) + 0.5) / focal
    return msgspec.structs.replace(view, left_rad=left, top_rise=top)


def outside(folder: Path) -> Iterator[Sample]:
    """Every scene below `folder` that lies there as calib.json, cam0.png, ..., pano.png and pano_depth.npy.

    Their world has y 0 at the near touchline, and pixel centres at whole numbers.
    """
    for found in sorted(folder.rglob("calib.json")):
        at, truth = found.parent, json.loads(found.read_text())
        field, pano = truth["field"], truth["pano"]
        pitch = Pitch(field["length"], field["width"])
        shift = np.array([0.0, -pitch.half_width, 0.0])
        names = NAMES if len(truth["cameras"]) == 3 else (NAMES[0], NAMES[2])
        cameras = tuple(_camera(name, c, shift) for name, c in zip(names, truth["cameras"], strict=True))
        cx, cy, cz = (float(v) for v in np.array(pano["C"]) + shift)
        focal = pano["F"]
        view = PanoramaView(
            pano["width"],
            pano["height"],
            focal,
            -(pano["cx"] + 0.5) / focal,
            (pano["cy"] + 0.5) / focal,
            (cx, cy, cz),
            AGREED_M,
        )
        true = TruePanorama(view, _read(at / "pano.png"), np.load(at / "pano_depth.npy"))
        pictures = tuple(_read(at / f"cam{k}.png") for k in range(len(cameras)))
        name = str(at.relative_to(folder)) if at != folder else at.name
        yield Sample(
            name, Rig(pitch=pitch, cameras=cameras), pictures, truth["args"]["hfov"], true, truth["args"]["seed"]
        )


def _camera(name: str, truth: dict, shift: npt.NDArray[np.float64]) -> CameraModel:
    (focal, _, cx), (_, _, cy), _ = truth["K"]
    k1, k2, p1, p2, k3 = truth["dist"]
    x, y, z = (float(v) for v in np.array(truth["C"]) + shift)
    turn = tuple(float(v) for row in truth["R"] for v in row)
    lens = Lens(focal, cx + 0.5, cy + 0.5, k1, k2, p1, p2, k3)
    return CameraModel(node_id(name), truth["width"], truth["height"], lens, turn, (x, y, z))


def _read(path: Path) -> Picture:
    picture = cv2.imread(str(path))
    if picture is None:
        raise FileNotFoundError(f"{path} is not a picture")
    return np.asarray(picture, np.uint8)
