"""What `touchline-hub` does with files, without a running hub."""
