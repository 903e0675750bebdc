"""Commands of the hub that need no running hub."""
