"""Detections linked in one camera: persons and ball candidates, and the eyes that hand them to the recorder."""
