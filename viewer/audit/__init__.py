"""Who did what: views, downloads, shares, exports and admins' acts, written down for good."""
