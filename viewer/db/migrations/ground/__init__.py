"""The parts of revision 0002: its tables by field, and how the rows of 0001 come over and go back."""
