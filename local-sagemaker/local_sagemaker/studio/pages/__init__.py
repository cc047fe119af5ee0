"""The pages, one file each: a context, what loads it, and what its form does."""
