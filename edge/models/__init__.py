"""Weights that ship with the node, each with its notice and the script that rebuilds it."""

from pathlib import Path

NANODET = Path(__file__).with_name("nanodet-g.onnx")
"""NanoDet-g reduced to persons and sports balls; `NOTICE.md` says where it comes from, `rebuild` makes it anew."""
MOVENET = Path(__file__).with_name("movenet-lightning.onnx")
"""MoveNet Lightning up to its heads: the pose of one person in a crop; notice and rebuilding as above."""
