"""The `picamera` driver: a Raspberry Pi 5's cameras through picamera2 (0.3.36 or newer, of the board's system).

picamera2 works in one event thread; whatever takes long there loses frames in silence. So the callback in that thread
only lends a request (`loans`), the camera's reader copies the pictures that the node looks at out of it (`camera`), and
the recorder's thread codes it in place and gives it back (`coder`). Several cameras of one board are several
`CameraSource`s, in one process or in several.

libcamera gives a camera up ("front end has timed out") sooner than a loaded board deserves; the driver has it wait
longer (`front_end`), unless the environment's `LIBCAMERA_RPI_CONFIG_FILE` names a file of the owner's.
"""
