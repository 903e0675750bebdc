"""Pictures out of the camera's memory."""

import numpy as np
import numpy.typing as npt


def tight(padded: npt.NDArray[np.uint8], planes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Write picamera2's YUV420 array (height * 3 // 2, stride) as I420 planes into these (height * 3 // 2, width).

    Rows are padded to 128 bytes, those of the chroma planes to half of that: cutting columns off the array would mix
    chroma with padding.
    """
    rows, width = planes.shape
    height, stride = rows * 2 // 3, padded.shape[1]
    planes[:height] = padded[:height, :width]
    planes[height:].reshape(height, width // 2)[:] = padded[height:].reshape(height, stride // 2)[:, : width // 2]
    return planes
