"""What the program costs and how near the truth it comes, from one run: `make bench`."""
