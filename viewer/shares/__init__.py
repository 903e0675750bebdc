"""Links that show one clip to people outside the team, for a while."""
