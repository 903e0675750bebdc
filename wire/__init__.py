"""What crosses machines: the types, encodings and protocols that node, hub and viewer agree on."""
