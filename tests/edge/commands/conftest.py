"""The painter of pictures that the tests of the node's eyes share."""

import importlib.util
from pathlib import Path

import pytest

_SPEC = importlib.util.spec_from_file_location("edge_stage", Path(__file__).parents[1] / "stage.py")
_MODULE = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(_MODULE)


@pytest.fixture(scope="module")
def stage():
    return _MODULE.Stage()
