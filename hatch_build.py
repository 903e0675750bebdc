"""Compiles the package's loops (`*.pyx`) when it is built or installed; next to their sources, so that an editable
installation finds them."""

import contextlib
from pathlib import Path
from typing import Any

from Cython.Build import cythonize
from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from setuptools import Distribution, Extension

LOOPS = (
    "edge.detect.blob_loops",
    "edge.detect.loops",
    "edge.track.ball_loops",
    "edge.track.loops",
    "edge.track.row_loops",
    "edge.track.spot_loops",
    "hub.stitch.kernels.loops",
)
# Sums may be taken in any order, so that the processor can take several terms at once.
FLAGS = ["-O3", "-fno-math-errno", "-fno-trapping-math", "-fno-signed-zeros", "-fassociative-math"]


class Loops(BuildHookInterface):
    """Builds `LOOPS` and has the wheel carry them."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile all of them; raises where there is no C compiler."""
        # An editable installation runs where it is built; a wheel may go to an older processor.
        flags = [*FLAGS, "-march=native"] if version == "editable" else FLAGS
        sources = {name: Path(*name.split(".")).with_suffix(".pyx") for name in LOOPS}
        parts = [
            Extension(name, [str(source)], include_dirs=[str(source.parent)], extra_compile_args=flags)
            for name, source in sources.items()
        ]
        with contextlib.chdir(self.root):
            built = cythonize(parts, build_dir="build", language_level=3, quiet=True)
            command = Distribution({"name": "touchline", "ext_modules": built}).get_command_obj("build_ext")
            # What other flags made is not up to date.
            command.inplace, command.force = True, True
            command.build_temp = command.build_lib = str(Path("build", version))
            command.ensure_finalized()
            command.run()
        build_data["pure_python"], build_data["infer_tag"] = False, True
        build_data["artifacts"] += [f"/{command.get_ext_filename(name)}" for name in LOOPS]
