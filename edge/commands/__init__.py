"""What `touchline-edge` does with a file, without a node."""
