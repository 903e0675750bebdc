"""How near the truth the feet of persons near the ball come, with poses and without: `python -m bench.feet`."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from edge.frame import Frame
from edge.sight import SegmentSight
from edge.track.eyes import Eyes, open_eyes
from simulator.match.engine import play
from simulator.match.truth import MatchTruth
from simulator.pictures.camera import VirtualCamera
from simulator.pictures.rigs import virtual_rig
from wire.pitch import default_pitch
from wire.rig import CameraModel
from wire.tracks import Kind

NEAR_BALL_M = 5.0
SAME_M = 1.5
"""A person further from every row was not followed."""
SEGMENT_FRAMES = 50
PASSES_PER_SECOND = 4.0

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class FootErrors:
    """Metres between true and tracked places by (frame, person) of the truth."""

    by_place: dict[tuple[int, int], float]

    def against(self, other: "FootErrors") -> tuple[Array, Array]:
        """The errors of both where both have one."""
        common = sorted(self.by_place.keys() & other.by_place.keys())
        return np.array([self.by_place[k] for k in common]), np.array([other.by_place[k] for k in common])


def measured_feet(rig: str, seed: int, camera: int, seconds: float, budgets: Sequence[float]) -> list[FootErrors]:
    """Errors for each number of poses a second in `budgets`, of the same pictures of a simulated match."""
    pitch = default_pitch(11)
    true_rig, truth = virtual_rig(rig, pitch, seed), play(pitch, seconds, seed)
    model = true_rig.rig.cameras[camera]
    rate = truth.frames_per_second
    watchers = [
        open_eyes("onnx", PASSES_PER_SECOND, model.width_px, model.height_px, rate, poses_per_second=budget)
        for budget in budgets
    ]
    lens = VirtualCamera(true_rig, camera, truth, seed)
    errors: list[dict[tuple[int, int], float]] = [{} for _ in budgets]
    for number in range(truth.frames):
        frame = Frame(lens.frame(number / rate).copy(), round(number / rate * 1e9), number)
        for eyes in watchers:
            eyes.look(frame)
        if number % SEGMENT_FRAMES == SEGMENT_FRAMES - 1:
            _close(watchers, number + 1 - SEGMENT_FRAMES, model, truth, errors)
    return [FootErrors(error) for error in errors]


def _close(
    watchers: Sequence[Eyes],
    first: int,
    model: CameraModel,
    truth: MatchTruth,
    errors: Sequence[dict[tuple[int, int], float]],
) -> None:
    for eyes, error in zip(watchers, errors, strict=True):
        sight = eyes.close_segment(first // SEGMENT_FRAMES)
        # In the first segment the eyes still learn what the empty scene looks like.
        for frame in range(first, first + SEGMENT_FRAMES if first else 0):
            error.update(_errors(sight, frame - first, frame, model, truth))


def _errors(
    sight: SegmentSight, row: int, frame: int, model: CameraModel, truth: MatchTruth
) -> dict[tuple[int, int], float]:
    persons = [tracklet.id for tracklet in sight.tracklets if tracklet.kind is Kind.PERSON]
    box = sight.box[(sight.frame == row) & np.isin(sight.tracklet, persons)]
    if not len(box):
        return {}
    ground = model.to_plane(np.stack([(box[:, 0] + box[:, 2]) / 2, box[:, 3]], axis=1))
    true = truth.xy[frame].astype(np.float64)
    off = np.linalg.norm(ground[:, None] - true[None], axis=2)
    near = np.flatnonzero(np.linalg.norm(true - truth.ball[frame, :2], axis=1) < NEAR_BALL_M)
    mutual = {int(k): int(off[:, k].argmin()) for k in near if off[off[:, k].argmin()].argmin() == k}
    return {(frame, k): float(off[i, k]) for k, i in mutual.items() if off[i, k] < SAME_M}


def main(arguments: Sequence[str] | None = None) -> int:
    """Print mean, median and 90th percentile with and without, over the same persons in the same frames."""
    parser = argparse.ArgumentParser(prog="python -m bench.feet", description=__doc__.partition(":")[0])
    parser.add_argument("--rig", choices=["mast", "sideline"], default="sideline")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--camera", type=int, default=1, help="from the left, 0 to 2 (%(default)s)")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--poses-per-second", type=float, default=8.0)
    given = parser.parse_args(arguments)
    without, asked = measured_feet(given.rig, given.seed, given.camera, given.seconds, [0.0, given.poses_per_second])
    before, after = without.against(asked)
    where = f"{given.rig}, seed {given.seed}, camera {given.camera}"
    print(f"{where}: {len(before)} places of persons within {NEAR_BALL_M:g} m of the ball")
    for name, error, rows in (("box", before, without), (f"{given.poses_per_second:g} poses/s", after, asked)):
        mean, median, high = error.mean(), np.median(error), np.percentile(error, 90)
        print(f"  {name:12s} mean {mean:.3f} m, median {median:.3f} m, p90 {high:.3f} m; {len(rows.by_place)} followed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
