"""A believable club for the portal: made by one command from a seed, and gone by another."""
