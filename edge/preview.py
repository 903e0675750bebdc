"""A frame as a small JPEG, to see whether the camera looks where it should."""

import cv2

from edge.capture import Frame

WIDEST_PX = 960
_QUALITY = 80


def jpeg(frame: Frame) -> bytes:
    """The frame as JPEG, at most 960 pixels wide."""
    height, width = frame.planes.shape[0] * 2 // 3, frame.planes.shape[1]
    picture = cv2.cvtColor(frame.planes, cv2.COLOR_YUV2BGR_I420)
    if width > WIDEST_PX:
        picture = cv2.resize(picture, (WIDEST_PX, round(height * WIDEST_PX / width)), interpolation=cv2.INTER_AREA)
    _, coded = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return bytes(coded)
