"""A node under fire: killed, stalled, starved and filled up while it records, and what was lost by it."""
