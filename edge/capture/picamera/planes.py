"""Pictures out of the camera's memory."""

import numpy as np
import numpy.typing as npt


def tight(padded: npt.NDArray[np.uint8], width: int, height: int) -> npt.NDArray[np.uint8]:
    """A copy of picamera2's YUV420 array (height * 3 // 2, stride) as I420 planes (height * 3 // 2, width).

    Rows are padded to 128 bytes, those of the chroma planes to half of that: cutting columns off the array would mix
    chroma with padding.
    """
    stride = padded.shape[1]
    planes = np.empty((height * 3 // 2, width), np.uint8)
    planes[:height] = padded[:height, :width]
    planes[height:].reshape(height, width // 2)[:] = padded[height:].reshape(height, stride // 2)[:, : width // 2]
    return planes
