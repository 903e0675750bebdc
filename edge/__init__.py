"""The camera node: captures, records, detects and tracks on the device, and hands its segments to the hub."""
