"""What a camera sees in one picture: detectors behind one interface."""
