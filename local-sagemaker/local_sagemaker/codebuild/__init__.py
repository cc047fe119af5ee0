"""Build specifications, and the program that runs one in a build's own process (contracts: delivery 3)."""
