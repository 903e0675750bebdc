"""Taking in match packages from hubs."""
