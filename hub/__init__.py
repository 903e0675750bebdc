"""The field box: takes segments in, calibrates, stitches, fuses, finds events, cuts clips, and pushes the match on."""
