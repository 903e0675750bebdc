"""What the portal costs: beside a Flask page that does the same work, and with the rows of many clubs."""
