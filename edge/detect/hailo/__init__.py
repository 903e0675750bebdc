"""The `hailo` driver: yolov8s on a Hailo-8L or Hailo-8 beside a Raspberry Pi 5.

`Chip` owns the accelerator, `HailoDetector` looks through it. Nothing of Hailo's is imported before a chip is opened.
"""

from edge.detect.hailo.chip import MODELS, Chip
from edge.detect.hailo.detector import HailoDetector

__all__ = ["MODELS", "Chip", "HailoDetector"]
