"""What three virtual cameras see of a simulated match."""
