"""Rosters and schedules from elsewhere: read, shown as a diff, and written once somebody has confirmed it."""
