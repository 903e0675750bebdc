"""The painter of pictures that the tests of the node's eyes share."""

import importlib.util
from functools import partial
from pathlib import Path

import pytest

from edge.detect.hailo import Chip

_SPEC = importlib.util.spec_from_file_location("edge_stage", Path(__file__).parents[1] / "stage.py")
_MODULE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_MODULE)


@pytest.fixture(scope="module")
def stage():
    return _MODULE.Stage()


@pytest.fixture
def on_the_chip(hailo_platform, board, monkeypatch):
    """The options that choose the fake chip, whose network runs on a processor and may take as long as that does."""
    for command in ("detect", "track"):
        monkeypatch.setattr(f"edge.commands.{command}.Chip", partial(Chip, deadline_s=60))
    return ["--detector", "hailo", "--hailo-models", str(hailo_platform.models)]
