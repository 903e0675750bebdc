"""A match day on one machine: a simulated match with exact truth, virtual cameras, and the processes of a whole rig."""
