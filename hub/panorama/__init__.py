"""The panorama of a session, window by window: frames matched by capture time, stitched, written as HLS."""
