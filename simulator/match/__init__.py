"""The simulated match: two teams, a referee and a ball, played from a seed, with its exact truth."""
