"""Still scenes with exact truth: what a rig's cameras see of a pitch, and what a perfect panorama would show."""

from simulator.scenes.difficulty import HOPELESS, Difficulty
from simulator.scenes.rig import scene_rig
from simulator.scenes.scene import Scene, TruePanorama, scene
from simulator.scenes.spoiling import Spoiling, spoilt, spoilt_rig

__all__ = ["HOPELESS", "Difficulty", "Scene", "Spoiling", "TruePanorama", "scene", "scene_rig", "spoilt", "spoilt_rig"]
