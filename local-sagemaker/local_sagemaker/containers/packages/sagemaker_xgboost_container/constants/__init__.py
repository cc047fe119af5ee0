"""Names that scripts and the container share."""
