"""How long libcamera waits for a picture before it gives a camera's front end up."""

from collections.abc import MutableMapping
from pathlib import Path

CONFIGURATION = Path(__file__).with_name("pisp.yaml")
"""What libcamera's `pisp` pipeline handler is to do otherwise (its keys: pipeline/rpi/pisp/data/example.yaml there).

Ten seconds: longer than this driver itself waits (`Patience`), so that a loaded board's hiccup does not end the stream
and whether a camera is dead is judged in one place. By itself libcamera waits for five frames, at least one second.
"""
VARIABLE = "LIBCAMERA_RPI_CONFIG_FILE"


def raise_timeout(environment: MutableMapping[str, str], configuration: Path = CONFIGURATION) -> str | None:
    """Have libcamera take `configuration`, unless the environment names another; call it before libcamera is imported.

    Returns what is wrong where there is no such file: libcamera then keeps its own, shorter time.
    """
    chosen = environment.setdefault(VARIABLE, str(configuration))
    if chosen and not Path(chosen).is_file():
        return f"there is no {chosen} ({VARIABLE}): libcamera gives the camera up after a second without a picture"
    return None
