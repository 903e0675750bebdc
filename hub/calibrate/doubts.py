"""What may be wrong with a picture in which the pitch was not found, said so that a person can put it right."""

import cv2
import numpy as np

from hub.calibrate.views import Picture

_WIDTH = 960
_DARK = 60.0
"""Of 255: nine tenths of the picture are darker."""
_BLANK = 6.0
"""Brightness of a covered lens differs by less across the picture (standard deviation)."""
_SOFT, _HAZY = 5.0, 17.0
"""The crispest hundredth of a picture stands out by more than these levels from what is around it: 22 and more on a
clear day, 11 to 14 in fog, 3 where the lens is out of focus."""
_GREYISH = 75.0
"""Fog takes the colour, too: saturation, of 255."""
_PALE, _BRIGHT = 40.0, 150.0
"""Saturation and brightness below and above which the ground is snow."""


def doubt(picture: Picture) -> str:
    """What a person should look at first in a picture (h, w, 3) BGR; empty where nothing stands out."""
    height, width = picture.shape[:2]
    if height > width:
        return "it is taller than wide: was it turned by a quarter?"
    small = cv2.resize(picture, (_WIDTH, round(height * _WIDTH / width)), interpolation=cv2.INTER_AREA)
    grey = cv2.cvtColor(small, cv2.COLOR_BGR2GRAY).astype(np.float32)
    if grey.std() < _BLANK:
        return "it is all but blank: is the lens covered?"
    if np.percentile(grey, 90) < _DARK:
        return "it is too dark"
    ground = cv2.cvtColor(small[len(small) // 2 :], cv2.COLOR_BGR2HSV)
    saturation, brightness = (float(np.median(ground[..., k])) for k in (1, 2))
    if saturation < _PALE and brightness > _BRIGHT:
        return "the ground is white, as with snow"
    crisp = np.percentile(np.abs(cv2.GaussianBlur(grey, (0, 0), 1.5) - cv2.GaussianBlur(grey, (0, 0), 4.0)), 99)
    if crisp < _SOFT:
        return "it is blurred: is the lens in focus and clean?"
    if crisp < _HAZY and saturation < _GREYISH:
        return "there is hardly any contrast in it, as in fog"
    return ""
