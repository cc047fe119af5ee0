"""Build specifications, and the program that runs one in a build's own process (delivery 3)."""
