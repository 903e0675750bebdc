"""Hosted portal: takes in match packages and shows them to those who belong to the team."""
