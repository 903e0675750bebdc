"""A stand-in for picamera2 0.3.36: its API, shapes and failures as far as a camera node meets them, on a fake board.

What it imitates was read in picamera2's source: requests that stop the stream when `buffer_count` of them are not
given back; callbacks, encoders and `stop` in one event thread, which dies of an exception; configuration rules; rows
padded to 64 and 128 bytes; encoded times from zero.
"""

from picamera2.picamera2 import Picamera2
from picamera2.request import CompletedRequest, MappedArray

__all__ = ["CompletedRequest", "MappedArray", "Picamera2"]
