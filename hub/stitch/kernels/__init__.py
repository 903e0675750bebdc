"""Kernels: the same panorama by OpenCV, by compiled loops, and on a GPU."""
