"""Matches: taking them in from a package, and showing them."""
