"""An honest stand-in for Hailo's Python package 4.23: the same names, shapes, habits and faults, without the chip.

What it mimics was read in the bindings of HailoRT 4.23; the networks behind it are the ones this repository ships.
`hailo_platform.board` is the one module the real package lacks: tests make the chip misbehave there.
"""

from hailo_platform.pyhailort import _pyhailort
from hailo_platform.pyhailort.pyhailort import (
    AsyncInferJob,
    Device,
    FormatOrder,
    FormatType,
    HailoRTException,
    HailoSchedulingAlgorithm,
    VDevice,
)

__version__ = "4.23.0"
if _pyhailort.__version__ != __version__:
    raise ImportError(f"_pyhailort version ({_pyhailort.__version__}) does not match pyhailort version ({__version__})")

__all__ = [
    "AsyncInferJob",
    "Device",
    "FormatOrder",
    "FormatType",
    "HailoRTException",
    "HailoSchedulingAlgorithm",
    "VDevice",
]
