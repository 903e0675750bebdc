"""Copies of a whole portal in one file, and a portal out of such a copy."""
