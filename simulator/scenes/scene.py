"""One still scene: the place, the pictures that a rig's cameras take of it, and the panorama that is true."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import cv2
import msgspec
import numpy as np
import numpy.typing as npt

from simulator.pictures.camera import vignette
from simulator.pictures.clicks import clicks
from simulator.pictures.frame import sharpened
from simulator.pictures.rigs import PictureFaults, RigKind, TrueRig, stances
from simulator.pictures.view import Floats, view_of
from simulator.scenes.cylinder import Cylinder, panorama_view
from simulator.scenes.difficulty import Difficulty
from simulator.scenes.rig import scene_rig
from simulator.scenes.world import World, world_of
from wire.clicks import Click
from wire.panorama import PanoramaView
from wire.pitch import Pitch
from wire.rig import Array, CameraModel, Rig, looking

Picture = npt.NDArray[np.uint8]
_TURNED_AWAY_DEG = 140.0
_NIGHT_NOISE = 6.0
_QUALITY = 45


class TruePanorama(NamedTuple):
    """What a perfect camera at the rig's centre sees through `view`: `picture` (h, w, 3) BGR, and how far (h, w) along
    each pixel's ray the thing is that it shows, in metres."""

    view: PanoramaView
    picture: Picture
    reach_m: Floats

    def points_at(self, pixels: Array) -> Array:
        """The places (n, 3) in the pitch frame of what the panorama's pixels (n, 2) show."""
        column, row = pixels.astype(np.int64).T
        rays = Cylinder(self.view).rays(pixels)
        return np.asarray(self.view.centre_m + rays * self.reach_m[row, column, None])

    def points(self) -> Array:
        """The place (h, w, 3) of what each pixel shows."""
        height, width = self.reach_m.shape
        u, v = np.meshgrid(np.arange(width) + 0.5, np.arange(height) + 0.5)
        return self.points_at(np.stack([u.ravel(), v.ravel()], axis=1)).reshape(height, width, 3)

    def pixels(self, camera: CameraModel) -> Array:
        """Where (h, w, 2) in the picture of `camera` each pixel's thing is truly seen, NaN outside. Who hides whom is
        not asked: cameras of a mast see the same."""
        found = camera.project(self.points().reshape(-1, 3))
        found[~camera.sees(np.nan_to_num(found, nan=-1.0))] = np.nan
        return found.reshape(*self.reach_m.shape, 2)

    def seen(self, rig: Rig) -> npt.NDArray[np.bool_]:
        """Which pixels (h, w) show something that any of the rig's cameras sees."""
        points = self.points().reshape(-1, 3)
        inside = [camera.sees(np.nan_to_num(camera.project(points), nan=-1.0)) for camera in rig.cameras]
        return np.any(inside, axis=0).reshape(self.reach_m.shape)


@dataclass(frozen=True)
class Scene:
    """What a rig saw, from the left: `pictures` (h, w, 3) BGR. `truth` holds the exact cameras."""

    world: World
    truth: TrueRig
    pictures: tuple[Picture, ...]
    nominal_fov_deg: float

    @property
    def rig(self) -> Rig:
        """The exact cameras."""
        return self.truth.rig

    @property
    def pitch(self) -> Pitch:
        """Its true size."""
        return self.world.pitch

    @cached_property
    def panorama(self) -> TruePanorama:
        """The true panorama at the cameras' own resolution, at most 4096 wide."""
        return self.panorama_in(panorama_view(self.rig))

    def panorama_in(self, view: PanoramaView) -> TruePanorama:
        """The true panorama in another view, whose centre should be the rig's."""
        drawn = self.world.draw(view_of(Cylinder(view)))
        return TruePanorama(view, _coded(drawn.picture), drawn.reach_m)

    def clicks(self, points: int, sigma_px: float = 4.0) -> list[Click]:
        """As many named points of the pitch in each picture as somebody clicked, off by `sigma_px`."""
        return clicks(self.truth, self.pitch, self.world.seed, points, sigma_px) if points else []


def scene(
    kind: RigKind,
    pitch: Pitch,
    seed: int,
    size: tuple[int, int] = (2304, 1296),
    difficulties: Iterable[Difficulty] = (),
    cameras: int = 3,
    apart_m: float = 0.05,
) -> Scene:
    """The scene of `seed`: the same arguments are always the same pictures, to the last bit.

    Two or three cameras with pictures of `size` (width, height), `apart_m` from each other on a mast, or along the
    sideline; see `scene_rig` for what is unknown about them.
    """
    hard = frozenset(difficulties)
    world = world_of(pitch, seed, hard)
    truth = scene_rig(kind, pitch, seed, size, cameras, apart_m)
    nominal = stances(kind, pitch, *size, cameras, 30.0)
    if Difficulty.AWAY in hard:
        last = truth.rig.cameras[-1]
        turned = looking(nominal[-1].yaw_deg + _TURNED_AWAY_DEG, nominal[-1].pitch_deg, 0.0)
        models = (*truth.rig.cameras[:-1], msgspec.structs.replace(last, rotation=turned))
        truth = replace(truth, rig=msgspec.structs.replace(truth.rig, cameras=models))
    if Difficulty.NIGHT in hard:
        truth = replace(truth, faults=tuple(replace(fault, noise_sigma=_NIGHT_NOISE) for fault in truth.faults))
    pictures = tuple(
        _photograph(world, camera, fault, np.random.default_rng([seed, 0xF070, index]))
        for index, (camera, fault) in enumerate(zip(truth.rig.cameras, truth.faults, strict=True))
    )
    return Scene(world, truth, pictures, round(nominal[0].hfov_deg, 1))


def _photograph(world: World, camera: CameraModel, fault: PictureFaults, random: np.random.Generator) -> Picture:
    picture = world.draw(view_of(camera)).picture
    v, u = np.mgrid[0 : camera.height_px, 0 : camera.width_px].astype(np.float32)
    picture *= vignette(camera, fault, u + 0.5, v + 0.5)[..., None]
    picture *= np.float32(fault.gain) * np.array(fault.white_balance, np.float32)
    picture += np.float32(fault.noise_sigma) * random.standard_normal(picture.shape, np.float32)
    return _recorded(picture) if Difficulty.VIDEO in world.difficulties else _coded(picture)


def _recorded(picture: Floats) -> Picture:
    """The picture with the overshoot and the blocks that a small camera's video has."""
    _, squeezed = cv2.imencode(".jpg", _coded(sharpened(picture)), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return np.asarray(cv2.imdecode(squeezed, cv2.IMREAD_COLOR), np.uint8)


def _coded(rgb: Floats) -> Picture:
    return np.ascontiguousarray(np.clip(np.rint(rgb), 0, 255).astype(np.uint8)[..., ::-1])
