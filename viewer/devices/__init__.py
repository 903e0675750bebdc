"""Devices that may hand matches to the portal."""
