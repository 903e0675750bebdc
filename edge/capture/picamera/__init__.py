"""The `picamera` driver: a Raspberry Pi 5's cameras through picamera2 (0.3.36 or newer, of the board's system).

picamera2 works in one event thread; whatever takes long there loses frames in silence. So the callback in that thread
only lends a request (`loans`), the camera's reader copies the pictures that the node looks at out of it (`camera`), and
the recorder's thread codes it in place and gives it back (`coder`). Several cameras of one board are several
`CameraSource`s, in one process or in several.

Where libcamera gives a camera up too early on a loaded board ("front end has timed out"), let the environment's
`LIBCAMERA_RPI_CONFIG_FILE` name a YAML file with a larger `camera_timeout_value_ms` before the node starts.
"""
