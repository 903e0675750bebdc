"""The hub's own API: sessions started, watched, stopped and calibrated again by the rig's operator, and the proof of
whose hub it is."""

from hub.api.calibration import CalibrationApi
from hub.api.proof import proof_routes
from hub.api.routes import SessionsApi, plain_errors

__all__ = ["CalibrationApi", "SessionsApi", "plain_errors", "proof_routes"]
