"""Blurring people who must not be recognised, burned into every file that the hub has made of a match."""

from hub.blur.boxes import Box, boxes_at
from hub.blur.burning import burn, mend
from hub.blur.pixels import obscure

__all__ = ["Box", "boxes_at", "burn", "mend", "obscure"]
