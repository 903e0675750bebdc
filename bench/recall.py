"""How well the shipped detector finds the simulated people."""

import numpy as np

from simulator.match.engine import play
from simulator.pictures.recall import measure_recall, shipped_detector
from simulator.pictures.rigs import virtual_rig
from wire.pitch import default_pitch

SCALE = 0.5
MIN_SCORE = 0.35


def print_recall(seed: int, pictures: int = 8) -> None:
    """Recall of people of 40 px and more, and false alarms, over frames of a simulated match."""
    pitch = default_pitch(11)
    true_rig = virtual_rig("mast", pitch, seed)
    camera = true_rig.rig.cameras[0]
    truth = play(pitch, 30.0, seed)
    frames = np.linspace(5, len(truth.ball) - 5, pictures).astype(int)
    detect = shipped_detector(camera.width_px, camera.height_px, SCALE)
    [found] = measure_recall(detect, true_rig, truth, frames.tolist(), seed, [MIN_SCORE])
    print(
        f"\nThe shipped detector on simulated pictures (whole picture at scale {SCALE}, score {MIN_SCORE}): "
        f"{found.recall:.1%} of {found.wanted} people of 40 px and more, "
        f"{found.false_alarms_per_picture:.2f} false alarms a picture"
    )
