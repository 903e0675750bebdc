"""A match day on one machine: every process of a rig, played from lens to parent."""
