import numpy as np

from hub.picture import Picture


def test_stacked_planes_are_seen_as_a_picture_without_a_copy():
    stack = np.arange(6 * 8, dtype=np.uint8).reshape(6, 8)
    picture = Picture.of_stack(stack)
    assert (picture.width_px, picture.height_px) == (8, 4)
    assert picture.luma[3, 7] == 31
    assert picture.blue.tolist() == [[32, 33, 34, 35], [36, 37, 38, 39]]
    assert picture.red.tolist() == [[40, 41, 42, 43], [44, 45, 46, 47]]
    picture.red[1, 3] = 7
    assert stack[5, 7] == 7


def test_an_empty_picture_has_room_for_its_size():
    assert [plane.shape for plane in Picture.empty(10, 6)] == [(6, 10), (3, 5), (3, 5)]
