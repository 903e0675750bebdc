"""Poses of a few persons, on demand: where their feet touch the ground and what of the picture is their torso."""
