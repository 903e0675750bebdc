"""Resumable upload by tus 1.0.0 (tus/tus-resumable-upload-protocol `protocol.md`): store, server side, client.

The server side knows no web framework: hub and viewer each put a thin adapter around `protocol.TusProtocol`.
"""
