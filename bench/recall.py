"""How well the shipped detector finds the simulated people."""

import numpy as np

from edge.detect.looks import WHOLE_WIDTH
from edge.track.people import SURE
from simulator.match.engine import play
from simulator.pictures.recall import Recall, measure_recall, pooled, shipped_detector
from simulator.pictures.rigs import virtual_rig
from wire.pitch import default_pitch

LEAST_RECALL = 0.9
MOST_FALSE_ALARMS = 0.5
"""Per picture: what the simulated pictures owe to a detector that was trained on photographs."""


def measured_recall(rig: str, seed: int, matches: int = 4, pictures: int = 6) -> Recall:
    """Recall of people of 40 px and more, and false alarms, over so many simulated matches, from `seed` on, and so many
    moments of each, by all cameras of `rig`.

    The detector looks as a node's first look does, at the whole view at `WHOLE_WIDTH`, and a box counts from the score
    that begins a track (`SURE`): the driver hands on weaker ones, but only for tracks that are known already.
    """
    pitch = default_pitch(11)
    found = []
    for match in range(seed, seed + matches):
        true_rig = virtual_rig(rig, pitch, match)
        camera = true_rig.rig.cameras[0]
        truth = play(pitch, 30.0, match)
        frames = np.linspace(5, len(truth.ball) - 5, pictures).astype(int)
        detect = shipped_detector(camera.width_px, camera.height_px, WHOLE_WIDTH / camera.width_px)
        found += measure_recall(detect, true_rig, truth, frames.tolist(), match, [SURE])
    return pooled(found)


def good_enough(found: Recall) -> bool:
    """Whether the pictures keep the issue's promise."""
    return found.recall >= LEAST_RECALL and found.false_alarms_per_picture <= MOST_FALSE_ALARMS


def recall_line(rig: str, found: Recall) -> str:
    """What was measured, in one line."""
    return (
        f"The shipped detector on simulated pictures of the {rig} rig (whole view {WHOLE_WIDTH} wide, score {SURE}): "
        f"{found.recall:.1%} of {found.wanted} people of 40 px and more, "
        f"{found.false_alarms_per_picture:.2f} false alarms a picture, over {found.pictures} pictures"
    )
