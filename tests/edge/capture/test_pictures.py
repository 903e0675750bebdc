import gc
import threading

import numpy as np

from edge.capture.pictures import Pictures
from edge.detect.picture import planes_of


def address(planes):
    return planes.__array_interface__["data"][0]


def test_a_picture_takes_the_memory_of_one_that_nobody_looks_at_any_more():
    pictures = Pictures(64, 48)
    planes = pictures.blank()
    assert (planes.shape, planes.dtype, planes.flags.c_contiguous) == ((72, 64), np.uint8, True)
    first = address(planes)
    del planes
    assert {address(pictures.blank()) for _ in range(9)} == {first}


def test_nobodys_picture_is_written_over_while_a_view_of_it_is_left():
    pictures = Pictures(64, 48)
    planes = pictures.blank()
    planes[:] = 7
    parts = planes_of(planes)
    small = parts[2][3:9, 4:8].T
    del planes, parts
    others = [pictures.blank() for _ in range(3)]
    for other in others:
        other[:] = 1
    assert (small == 7).all()
    assert len({address(other) for other in others}) == 3


def test_threads_that_let_go_of_pictures_never_share_one():
    pictures, torn = Pictures(64, 48), []

    def look(value):
        for _ in range(300):
            planes = pictures.blank()
            planes[:] = value
            if (planes != value).any():
                torn.append(value)

    threads = [threading.Thread(target=look, args=(value,)) for value in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not torn


def test_pictures_outlive_the_memory_they_came_from():
    pictures = Pictures(64, 48)
    planes = pictures.blank()
    planes[:] = 5
    del pictures
    gc.collect()
    assert (planes == 5).all()
