"""TeamSnap, API v3: signing in there, and reading teams, people and games."""
